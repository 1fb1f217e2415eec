package fetcher

import (
	"slices"
	"sync"
	"time"

	"github.com/mailyard/mailyard/pkg/imapconn"
	"github.com/mailyard/mailyard/schemas"
)

// A kind is how a waiting mail is downloaded.
type kind int

const (
	light kind = iota
	large
	oversize // its header section only, over the large lane's connection
	kinds
	// unknown is the kind of mail that was in flight before this process knew of it.
	unknown kind = -1
)

func (k kind) lane() schemas.Lane {
	if k == light {
		return schemas.Light
	}
	return schemas.Large
}

// limits of a mailbox's backlog.
const (
	// maxSized bounds how many waiting mails are held with their sizes; the
	// rest waits in the inbox for a later listing.
	maxSized = 20_000
	// maxBatchBytes bounds what one download command asks for, so that a
	// repetition is cheap; a bigger mail goes alone.
	maxBatchBytes = 8 << 20
	// settleTime is how long a mail whose mark is gone may still be listed: it
	// was disposed of, and the server's view of the inbox is behind. A mail that
	// is there after that was not, and is fetched again.
	settleTime = 10 * time.Second
)

// maxUnknown is how many mails of unknown kind may be in flight beside those
// that inFlightLimit allows.
const maxUnknown = 4096

// inFlightLimit is how many mails of a kind may be between the inbox and their
// disposal. It keeps one mailbox's backlog from filling the streams.
func inFlightLimit(k kind) int {
	if k == light {
		return 2048
	}
	return 256
}

// A backlog is what is known of the mails in one inbox under one UIDVALIDITY.
// It is safe for concurrent use: the watch connection fills it, the lanes take
// from it.
type backlog struct {
	maxItems          int
	parkTime          time.Duration // see there
	maxLight, maxMail int64         // bytes

	mu        sync.Mutex
	changed   chan struct{}              // closed and replaced whenever something can be taken
	waiting   [kinds][]imapconn.MailInfo // by UID, ascending
	known     map[uint32]kind            // every UID in waiting or taken
	taken     map[uint32]kind            // being downloaded or published
	inFlight  map[uint32]flight          // published, and marked in Redis
	clock     int64                      // counts publications
	landed    map[uint32]time.Time       // their marks are gone, or they were given up, since then; see settleTime
	troubles  map[uint32]*trouble        // failed downloads
	unlisted  int                        // waiting in the inbox beyond maxSized
	untouched map[uint32]struct{}        // arrived before import_since
}

// A flight is a mail that is in flight, and the clock when it was published.
type flight struct {
	kind
	since int64
}

func newBacklog(maxItems int, maxLight, maxMail int64) *backlog {
	return &backlog{
		maxItems: maxItems, parkTime: parkTime, maxLight: maxLight, maxMail: maxMail,
		changed: make(chan struct{}),
		known:   map[uint32]kind{}, taken: map[uint32]kind{}, inFlight: map[uint32]flight{}, troubles: map[uint32]*trouble{}, untouched: map[uint32]struct{}{}, landed: map[uint32]time.Time{},
	}
}

func (b *backlog) kindOf(size int64) kind {
	switch {
	case size > b.maxMail:
		return oversize
	case size > b.maxLight:
		return large
	}
	return light
}

// now returns the clock. Read it before the in-flight marks are read: what is
// published after that is in flight whatever the marks said.
func (b *backlog) now() int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.clock
}

// list takes over a listing of the inbox: listed are the UIDs in it, marked
// those that were in flight as of a moment before it was made, parked tells the
// dead letters. It forgets what left the inbox and returns the UIDs that are
// new, oldest first, at most limit; add takes them with their sizes. The others
// that are new are left for a later listing.
func (b *backlog) list(listed, marked []uint32, asOf int64, limit int, parked func(uid uint32) bool) (fresh []uint32, more bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.observe(marked, asOf)
	present := make(map[uint32]struct{}, len(listed))
	for _, uid := range listed {
		present[uid] = struct{}{}
	}
	gone := func(uid uint32) bool {
		_, here := present[uid]
		_, flying := b.inFlight[uid]
		return !here || flying || parked(uid)
	}
	for k := range b.waiting {
		b.waiting[k] = slices.DeleteFunc(b.waiting[k], func(m imapconn.MailInfo) bool {
			if gone(m.UID) {
				delete(b.known, m.UID)
				return true
			}
			return false
		})
	}
	for uid := range b.troubles {
		if _, here := present[uid]; !here {
			delete(b.troubles, uid)
		}
	}
	for uid := range b.untouched {
		if _, here := present[uid]; !here {
			delete(b.untouched, uid)
		}
	}
	for uid := range b.landed {
		if _, here := present[uid]; !here || !b.settling(uid) {
			delete(b.landed, uid)
		}
	}
	room := min(limit, maxSized-len(b.known))
	b.unlisted = 0
	for _, uid := range listed {
		if _, ok := b.known[uid]; ok {
			continue
		}
		if _, ok := b.inFlight[uid]; ok || parked(uid) {
			continue
		}
		if _, ok := b.untouched[uid]; ok || b.settling(uid) || b.resting(uid) {
			continue
		}
		if len(fresh) < room {
			fresh = append(fresh, uid)
		} else {
			b.unlisted++
		}
	}
	return fresh, b.unlisted > 0
}

// add takes the sizes of mails that list returned.
func (b *backlog) add(mails []imapconn.MailInfo) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, m := range mails {
		if _, ok := b.known[m.UID]; ok {
			continue
		}
		b.insert(m)
	}
	b.wake()
}

func (b *backlog) insert(m imapconn.MailInfo) {
	k := b.kindOf(m.Size)
	b.known[m.UID] = k
	i, _ := slices.BinarySearchFunc(b.waiting[k], m.UID, func(m imapconn.MailInfo, uid uint32) int { return int(int64(m.UID) - int64(uid)) })
	b.waiting[k] = slices.Insert(b.waiting[k], i, m)
}

// take returns the mails of a kind that the next download asks for: of the
// oldest max_items waiting mails of all kinds, counted from this kind's oldest,
// those that are of this kind. A mail that failed before comes alone, after the
// others and after those that failed less. nil means that nothing can be taken now.
func (b *backlog) take(k kind) []imapconn.MailInfo {
	b.mu.Lock()
	defer b.mu.Unlock()
	queue := b.waiting[k]
	room := b.room(k)
	if len(queue) == 0 || room <= 0 {
		return nil
	}
	window := queue[:b.window(k)]
	var batch []imapconn.MailInfo
	var bytes int64
	for _, m := range window {
		if b.alone(m.UID) {
			continue
		}
		if len(batch) == room || len(batch) > 0 && k != oversize && bytes+m.Size > maxBatchBytes {
			break
		}
		batch = append(batch, m)
		bytes += m.Size
	}
	if len(batch) == 0 {
		least := slices.MinFunc(window, func(x, y imapconn.MailInfo) int { return b.troubles[x.UID].attempts - b.troubles[y.UID].attempts })
		batch = append(batch, least)
	}
	for _, m := range batch {
		b.taken[m.UID] = k
	}
	left := slices.DeleteFunc(window, func(m imapconn.MailInfo) bool { _, taken := b.taken[m.UID]; return taken })
	b.waiting[k] = slices.Delete(queue, len(left), len(window))
	return batch
}

// window counts the mails of kind k among the max_items oldest waiting ones,
// from k's oldest on.
func (b *backlog) window(k kind) int {
	start := b.waiting[k][0].UID
	var rest [kinds]int
	for j := range b.waiting {
		rest[j], _ = slices.BinarySearchFunc(b.waiting[j], start, func(m imapconn.MailInfo, uid uint32) int { return int(int64(m.UID) - int64(uid)) })
	}
	n := 0
	for range b.maxItems {
		oldest := -1
		for j := range b.waiting {
			if rest[j] < len(b.waiting[j]) && (oldest < 0 || b.waiting[j][rest[j]].UID < b.waiting[oldest][rest[oldest]].UID) {
				oldest = j
			}
		}
		if oldest < 0 {
			break
		}
		rest[oldest]++
		if kind(oldest) == k {
			n++
		}
	}
	return n
}

// room counts the mails of a kind that may be taken now.
func (b *backlog) room(k kind) int {
	if b.flying(unknown) > maxUnknown {
		return 0
	}
	return inFlightLimit(k) - b.flying(k)
}

// flying counts the mails of k's lane that are taken or in flight.
func (b *backlog) flying(k kind) int {
	n := 0
	for _, other := range b.taken {
		if other == k {
			n++
		}
	}
	for _, other := range b.inFlight {
		if other.kind == k {
			n++
		}
	}
	return n
}

// published says that mails are safe in their stream and marked in flight.
func (b *backlog) published(uids []uint32) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.clock++
	for _, uid := range uids {
		b.inFlight[uid] = flight{b.known[uid], b.clock}
		delete(b.taken, uid)
		delete(b.known, uid)
		delete(b.troubles, uid)
	}
}

// ignore leaves mails alone that arrived before import_since.
func (b *backlog) ignore(uids []uint32) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, uid := range uids {
		b.untouched[uid] = struct{}{}
	}
}

// takeable reports whether take would give mails of a kind.
func (b *backlog) takeable(k kind) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.waiting[k]) > 0 && b.room(k) > 0
}

// begun counts the mails that are in the backlog and not yet published.
func (b *backlog) begun() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.known)
}

// busy reports whether there is enough work, or no place for more.
func (b *backlog) busy() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.waiting[light])+len(b.waiting[large]) >= readyEnough || len(b.known) > maxSized-readyEnough
}

// lone reports whether take would give a mail of a kind that goes alone.
func (b *backlog) lone(k kind) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.waiting[k]) == 0 || b.room(k) <= 0 {
		return false
	}
	return !slices.ContainsFunc(b.waiting[k][:b.window(k)], func(m imapconn.MailInfo) bool { return !b.alone(m.UID) })
}

// limited reports whether something waits that only the in-flight limit holds back.
func (b *backlog) limited() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	for k := range kinds {
		if len(b.waiting[k]) > 0 && b.room(k) <= 0 {
			return true
		}
	}
	return false
}

// marked takes over which UIDs were in flight as of a moment, and reports
// whether some of before no longer are.
func (b *backlog) marked(uids []uint32, asOf int64) (progress bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	progress = b.observe(uids, asOf)
	b.wake()
	return progress
}

func (b *backlog) observe(marked []uint32, asOf int64) (progress bool) {
	current := make(map[uint32]flight, len(marked))
	for _, uid := range marked {
		if _, ok := b.taken[uid]; ok {
			continue
		}
		f, ok := b.inFlight[uid]
		if !ok {
			f.kind = unknown // another replica marked it
		}
		current[uid] = f
	}
	for uid, f := range b.inFlight {
		if f.since > asOf {
			current[uid] = f
		}
		if _, ok := current[uid]; !ok {
			b.landed[uid] = time.Now()
			progress = true
		}
	}
	b.inFlight = current
	return progress
}

// settling reports whether a mail's mark went so recently that a listing may be behind.
func (b *backlog) settling(uid uint32) bool {
	at, ok := b.landed[uid]
	return ok && time.Since(at) < settleTime
}

// wake tells whoever waits on change that something can be taken.
func (b *backlog) wake() {
	close(b.changed)
	b.changed = make(chan struct{})
}

// change returns a channel that is closed when something may have become
// available. Ask for it before take.
func (b *backlog) change() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.changed
}

// counts says what became of the mails of a listing.
type counts struct{ listed, waiting, taken, inFlight, parked, untouched int }

// unaccounted is how many mails nobody has in hand. Other than 0 for longer
// than a moment, it is a fault of ours.
func (c counts) unaccounted() int {
	return c.listed - c.waiting - c.taken - c.inFlight - c.parked - c.untouched
}

// count accounts for every mail of a listing.
func (b *backlog) count(listed []uint32, parked func(uid uint32) bool) counts {
	b.mu.Lock()
	defer b.mu.Unlock()
	c := counts{listed: len(listed), waiting: b.unlisted}
	for _, uid := range listed {
		_, taken := b.taken[uid]
		_, known := b.known[uid]
		_, flying := b.inFlight[uid]
		_, untouched := b.untouched[uid]
		switch {
		case taken:
			c.taken++
		case known:
			c.waiting++
		case flying:
			c.inFlight++
		case untouched:
			c.untouched++
		case b.resting(uid) && !parked(uid):
			c.waiting++
		case parked(uid):
			c.parked++
		case b.settling(uid):
			c.inFlight++
		}
	}
	return c
}
