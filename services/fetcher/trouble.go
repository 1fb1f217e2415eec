package fetcher

import (
	"time"

	"github.com/mailyard/mailyard/pkg/imapconn"
)

// limits of failed downloads.
const (
	// aloneAfter is how many failed downloads make a mail go alone, so that it
	// fails nobody else's; parkAfter is how many make it a dead letter.
	aloneAfter = 2
	parkAfter  = 6
	// parkTime is how old the first failure must be when lost connections are
	// all that speaks against a mail: a server may have a bad half hour.
	parkTime = 30 * time.Minute
	// A mail that is to go alone rests before, ever longer.
	firstRest   = time.Second
	longestRest = 5 * time.Minute
)

// A trouble is what is remembered of a mail whose downloads failed.
type trouble struct {
	mail     imapconn.MailInfo
	attempts int
	first    time.Time     // failure that counts
	rest     time.Duration // the latest
	until    time.Time     // it rests
	clock    int64         // of publications, when it last failed
	answered bool          // the server said that it sends no body
	cause    error
}

// missed says that the server ended a download in good order without these
// mails: they left the inbox, or are kept back. They are not in the backlog
// until a listing says that they are there.
func (b *backlog) missed(mails []imapconn.MailInfo, cause error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, m := range mails {
		t := b.release(m)
		t.answered, t.cause = true, cause
		t.count()
		t.pause()
	}
	b.wake()
}

// failed says that a connection broke while these mails were on their way.
// proven says that it had begun to send them; otherwise it is no attempt, unless
// the mail was alone and others came since it failed before. Without a proof a
// mail goes alone sooner or later, and nothing worse.
func (b *backlog) failed(mails []imapconn.MailInfo, cause error, proven bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, m := range mails {
		t := b.release(m)
		t.answered, t.cause = false, cause
		switch {
		case proven || t.attempts >= aloneAfter && b.clock > t.clock:
			t.count()
		case t.attempts < aloneAfter:
			t.attempts++
		}
		t.clock = b.clock
		if t.attempts < aloneAfter {
			b.insert(m)
		} else {
			t.pause()
		}
	}
	b.wake()
}

// putBack lets mails be taken again that were not downloaded through no fault of theirs.
func (b *backlog) putBack(mails []imapconn.MailInfo) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, m := range mails {
		delete(b.taken, m.UID)
		b.insert(m)
	}
	b.wake()
}

// release takes a mail that failed out of the backlog.
func (b *backlog) release(m imapconn.MailInfo) *trouble {
	delete(b.taken, m.UID)
	delete(b.known, m.UID)
	t := b.troubles[m.UID]
	if t == nil {
		t = &trouble{}
		b.troubles[m.UID] = t
	}
	t.mail = m
	return t
}

func (t *trouble) count() {
	t.attempts++
	if t.first.IsZero() {
		t.first = time.Now()
	}
}

func (t *trouble) pause() {
	t.rest = min(max(2*t.rest, firstRest), longestRest)
	t.until = time.Now().Add(t.rest)
}

// resting reports whether a mail that failed is not yet to be tried again.
func (b *backlog) resting(uid uint32) bool {
	t := b.troubles[uid]
	return t != nil && time.Now().Before(t.until)
}

// alone reports whether a mail failed so often that it goes alone.
func (b *backlog) alone(uid uint32) bool {
	t := b.troubles[uid]
	return t != nil && t.attempts >= aloneAfter
}

// hopeless returns the mails of a listing that failed too often. They are to
// become dead letters, and are not taken again.
func (b *backlog) hopeless(listed []uint32) []trouble {
	b.mu.Lock()
	defer b.mu.Unlock()
	var list []trouble
	for _, uid := range listed {
		t := b.troubles[uid]
		if _, known := b.known[uid]; known || t == nil || t.attempts < parkAfter {
			continue
		}
		if t.answered || time.Since(t.first) >= b.parkTime {
			list = append(list, *t)
			delete(b.troubles, uid)
			b.landed[uid] = time.Now() // until its dead letter is known
		}
	}
	return list
}

// soonest shortens a pause to when a listing will find mail that was left out of
// the last: it was settling or resting.
func (b *backlog) soonest(pause time.Duration) time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.landed) > 0 {
		pause = min(pause, settleTime)
	}
	for uid, t := range b.troubles {
		if _, known := b.known[uid]; !known {
			pause = min(pause, max(time.Until(t.until), firstRest))
		}
	}
	return pause
}
