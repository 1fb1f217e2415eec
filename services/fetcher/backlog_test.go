package fetcher

import (
	"context"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/mailyard/mailyard/pkg/imapconn"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The sizes of a light, a large and an oversize mail of newTestBacklog.
const (
	lightSize    = 100
	largeSize    = 20_000
	oversizeSize = 7_000_000
)

func newTestBacklog(maxItems int) *backlog { return newBacklog(maxItems, 10_000, 6_000_000) }

func nobody(uint32) bool { return false }

func mail(uid uint32, size int64) imapconn.MailInfo { return imapconn.MailInfo{UID: uid, Size: size} }

// fill lists mails in their order of UID and adds them with their sizes.
func fill(b *backlog, mails ...imapconn.MailInfo) {
	var listed []uint32
	for _, m := range mails {
		listed = append(listed, m.UID)
	}
	b.list(listed, nil, b.now(), len(listed), nobody)
	b.add(mails)
}

func uidsOf(mails []imapconn.MailInfo) []uint32 {
	var uids []uint32
	for _, m := range mails {
		uids = append(uids, m.UID)
	}
	return uids
}

func wantUIDs(t *testing.T, what string, got []imapconn.MailInfo, want ...uint32) {
	t.Helper()
	if diff := cmp.Diff(want, uidsOf(got)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func span(first, last uint32) []uint32 {
	var uids []uint32
	for uid := first; uid <= last; uid++ {
		uids = append(uids, uid)
	}
	return uids
}

func TestLanesTakeTheirOldestMailsWithinMaxItems(t *testing.T) {
	t.Parallel()
	b := newTestBacklog(4)
	fill(b, mail(1, lightSize), mail(2, largeSize), mail(3, lightSize), mail(4, oversizeSize), mail(5, lightSize), mail(6, lightSize), mail(7, largeSize))
	wantUIDs(t, "light, of the four oldest", b.take(light), 1, 3)
	wantUIDs(t, "large, of the four oldest that wait", b.take(large), 2)
	wantUIDs(t, "oversize", b.take(oversize), 4)
	wantUIDs(t, "light, next iteration", b.take(light), 5, 6)
	wantUIDs(t, "large, next iteration", b.take(large), 7)
	for k := range kinds {
		if batch := b.take(k); batch != nil {
			t.Errorf("kind %d: took %v twice", k, uidsOf(batch))
		}
	}
}

func TestLimitsOfSizeBelongToTheSmallerKind(t *testing.T) {
	t.Parallel()
	b := newTestBacklog(10)
	for size, want := range map[int64]kind{0: light, 10_000: light, 10_001: large, 6_000_000: large, 6_000_001: oversize} {
		if got := b.kindOf(size); got != want {
			t.Errorf("a mail of %d bytes is of kind %d; want %d", size, got, want)
		}
	}
}

func TestBatchIsBoundInBytesAndABiggerMailGoesAlone(t *testing.T) {
	t.Parallel()
	b := newBacklog(50, 10_000, 50<<20)
	fill(b, mail(1, 3<<20), mail(2, 5<<20), mail(3, 1), mail(4, 20<<20), mail(5, 20_000))
	wantUIDs(t, "8 MiB at most", b.take(large), 1, 2)
	wantUIDs(t, "bigger than that", b.take(large), 4)
	wantUIDs(t, "the next", b.take(large), 5)
}

func TestParkedMailThatStillWaitsIsDropped(t *testing.T) {
	t.Parallel()
	b := newTestBacklog(50)
	fill(b, mail(1, lightSize), mail(2, lightSize))
	b.list(span(1, 2), nil, b.now(), 10, func(uid uint32) bool { return uid == 1 })
	wantUIDs(t, "without the dead letter", b.take(light), 2)
}

func TestInFlightLimitHoldsEachKindByItself(t *testing.T) {
	t.Parallel()
	b := newTestBacklog(100_000)
	var mails []imapconn.MailInfo
	for uid := uint32(1); uid <= 3000; uid++ {
		mails = append(mails, mail(uid, lightSize))
	}
	mails = append(mails, mail(3001, largeSize))
	fill(b, mails...)
	first := b.take(light)
	if len(first) != inFlightLimit(light) {
		t.Fatalf("took %d light mails; want %d", len(first), inFlightLimit(light))
	}
	if b.take(light) != nil || !b.limited() {
		t.Error("more are taken than may be in flight")
	}
	wantUIDs(t, "large does not wait for light", b.take(large), 3001)
	b.published(uidsOf(first))
	if b.take(light) != nil {
		t.Error("what was published no longer counts as in flight")
	}
	b.marked(uidsOf(first)[100:], b.now()) // a hundred have left the pipeline
	if got := len(b.take(light)); got != 100 {
		t.Errorf("took %d; want as many as landed, 100", got)
	}
}

func TestOversizeMailBeyondTheLimitCannotBeTaken(t *testing.T) {
	t.Parallel()
	b := newTestBacklog(100_000)
	var mails []imapconn.MailInfo
	for uid := uint32(1); uid <= 300; uid++ {
		mails = append(mails, mail(uid, oversizeSize))
	}
	fill(b, mails...)
	l := &lane{session: &session{mailbox: &mailbox{}, backlog: b}, kind: large, open: map[uint32]*claim{}}
	l.take(oversize)
	taking, cancel := context.WithCancel(t.Context())
	failed := make(chan struct{})
	close(failed)
	defer cancel()
	if b.takeable(oversize) || !b.limited() || b.take(oversize) != nil {
		t.Error("more may be taken than may be in flight")
	}
	l.view.Mailbox.Document.MaxIdleSeconds = 60
	if _, idle := l.next(taking, failed); idle {
		t.Error("idle")
	}
	cancel()
	if l.awaitWork(taking) {
		t.Error("the lane has work that it cannot do")
	}
}

func TestMailInFlightOfBeforeStarvesNoLane(t *testing.T) {
	t.Parallel()
	b := newTestBacklog(50)
	fill(b, mail(5000, lightSize), mail(5001, largeSize))
	b.marked(span(1, maxUnknown), b.now())
	if !b.takeable(light) || !b.takeable(large) {
		t.Error("a lane is starved")
	}
	b.marked(span(1, maxUnknown+1), b.now())
	if b.takeable(light) || !b.limited() {
		t.Error("there is no limit")
	}
}

func TestMarksThatWereReadBeforeAPublicationDoNotUndoIt(t *testing.T) {
	t.Parallel()
	b := newTestBacklog(50)
	fill(b, mail(1, lightSize), mail(2, lightSize))
	asOf := b.now()
	var marks []uint32 // read here, before the mails are marked
	b.published(uidsOf(b.take(light)))
	if fresh, _ := b.list(span(1, 2), marks, asOf, 10, nobody); fresh != nil {
		t.Errorf("in flight and listed as new: %v", fresh)
	}
	if len(b.landed) > 0 || b.flying(light) != 2 {
		t.Errorf("%d of 2 are in flight; old marks undid a publication", b.flying(light))
	}
	if c := b.count(span(1, 2), nobody); c.inFlight != 2 || c.unaccounted() != 0 {
		t.Errorf("counts = %+v", c)
	}
}

func TestMarksOfAnotherReplicaHoldAMailBack(t *testing.T) {
	t.Parallel()
	b := newTestBacklog(50)
	fill(b, mail(1, lightSize), mail(2, lightSize))
	if fresh, _ := b.list(span(1, 3), []uint32{1, 3}, b.now(), 10, nobody); fresh != nil {
		t.Errorf("fresh = %v", fresh)
	}
	wantUIDs(t, "not marked", b.take(light), 2)
}

func TestMailWhoseMarkEndedSettlesBeforeItIsFetchedAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newTestBacklog(50)
		fill(b, mail(1, lightSize), mail(2, lightSize))
		b.published(uidsOf(b.take(light)))
		list := func() []uint32 {
			fresh, _ := b.list(span(1, 2), []uint32{2}, b.now(), 10, nobody)
			return fresh
		}
		if fresh := list(); fresh != nil || b.soonest(time.Hour) != settleTime {
			t.Errorf("listed as new at once: %v", fresh)
		}
		if c := b.count(span(1, 2), nobody); c.inFlight != 2 || c.unaccounted() != 0 {
			t.Errorf("counts = %+v", c)
		}
		<-time.After(settleTime - time.Millisecond)
		if fresh := list(); fresh != nil {
			t.Errorf("listed as new too early: %v", fresh)
		}
		<-time.After(time.Millisecond)
		if fresh := list(); !slices.Equal(fresh, []uint32{1}) || b.soonest(time.Hour) != time.Hour {
			t.Errorf("after the settling: %v, listed again in %s", fresh, b.soonest(time.Hour))
		}
	})
}

func TestMailThatLeftTheInboxIsForgotten(t *testing.T) {
	t.Parallel()
	b := newTestBacklog(50)
	fill(b, mail(1, lightSize), mail(2, largeSize), mail(3, lightSize))
	b.failed(b.take(large), errBroken, true)
	b.ignore([]uint32{4})
	b.list([]uint32{3}, nil, b.now(), 10, nobody)
	if len(b.troubles)+len(b.untouched) != 0 {
		t.Errorf("remembered: %v, %v", b.troubles, b.untouched)
	}
	wantUIDs(t, "still there", b.take(light), 3)
	if b.take(large) != nil {
		t.Error("a mail that left is taken")
	}
}

func TestListingIsBoundAndSaysThereIsMore(t *testing.T) {
	t.Parallel()
	b := newTestBacklog(50)
	fresh, more := b.list(span(1, 5000), nil, b.now(), 2000, nobody)
	if !slices.Equal(fresh, span(1, 2000)) || !more {
		t.Errorf("%d fresh, more %v", len(fresh), more)
	}
	b.add([]imapconn.MailInfo{mail(1, lightSize)})
	if c := b.count(span(1, 5000), nobody); c.waiting != 3001 {
		t.Errorf("counts = %+v", c)
	}
	b = newTestBacklog(50)
	var mails []imapconn.MailInfo
	for uid := uint32(1); uid <= maxSized; uid++ {
		mails = append(mails, mail(uid, oversizeSize))
	}
	fill(b, mails...)
	fresh, more = b.list(span(1, maxSized+10), nil, b.now(), 2000, nobody)
	if fresh != nil || !more || !b.busy() {
		t.Errorf("a full backlog asks for %v, more %v, busy %v", fresh, more, b.busy())
	}
	b = newTestBacklog(50)
	if fresh, more = b.list(span(1, 10), nil, b.now(), 0, nobody); fresh != nil || !more {
		t.Errorf("with a limit of 0: fresh %v, more %v", fresh, more)
	}
}

func TestIgnoredMailIsLeftAloneAndAccountedFor(t *testing.T) {
	t.Parallel()
	b := newTestBacklog(50)
	b.list(span(1, 3), nil, b.now(), 10, nobody)
	b.ignore([]uint32{1, 2})
	b.add([]imapconn.MailInfo{mail(3, lightSize)})
	if fresh, _ := b.list(span(1, 3), nil, b.now(), 10, nobody); fresh != nil {
		t.Errorf("asked for again: %v", fresh)
	}
	if c := b.count(span(1, 3), nobody); c.untouched != 2 || c.waiting != 1 || c.unaccounted() != 0 {
		t.Errorf("counts = %+v", c)
	}
}

// Whatever happens in whatever order, every mail of a listing is accounted for
// exactly once, each kind's batches are within their limits, and nothing is
// taken that is already in hand.
func TestEveryListedMailIsAccountedForOnce(t *testing.T) {
	t.Parallel()
	for seed := range uint64(60) {
		synctest.Test(t, func(t *testing.T) { runRandomly(t, seed) })
	}
}

func runRandomly(t *testing.T, seed uint64) {
	r := rand.New(rand.NewPCG(seed, 1))
	b := newTestBacklog(1 + r.IntN(20))
	inbox := map[uint32]imapconn.MailInfo{}
	marks := map[uint32]bool{}
	parked := map[uint32]bool{}
	var next uint32
	var out [][]imapconn.MailInfo // taken, not yet ended
	for range 200 {
		switch r.IntN(10) {
		case 0, 1: // mail arrives
			for range r.IntN(30) {
				next++
				inbox[next] = mail(next, []int64{lightSize, lightSize, largeSize, oversizeSize}[r.IntN(4)])
			}
		case 2, 3: // the inbox is listed
			listInbox(t, b, r, inbox, marks, parked)
		case 4, 5:
			if batch := b.take(kind(r.IntN(int(kinds)))); len(batch) > 0 {
				if len(batch) > b.maxItems {
					t.Fatalf("seed %d: took %d with max_items %d", seed, len(batch), b.maxItems)
				}
				for _, m := range batch {
					if marks[m.UID] || slices.ContainsFunc(out, func(o []imapconn.MailInfo) bool { return slices.Contains(uidsOf(o), m.UID) }) {
						t.Fatalf("seed %d: UID %d is taken and was in hand", seed, m.UID)
					}
				}
				out = append(out, batch)
			}
		case 6: // a batch is published
			if len(out) > 0 {
				for _, m := range out[0] {
					marks[m.UID] = true
				}
				b.published(uidsOf(out[0]))
				out = out[1:]
			}
		case 7: // a batch fails
			if len(out) > 0 {
				switch r.IntN(3) {
				case 0:
					b.failed(out[0], errBroken, r.IntN(2) == 0)
				case 1:
					b.missed(out[0], errNoBody)
				case 2:
					b.putBack(out[0])
				}
				out = out[1:]
			}
		case 8: // mail is disposed of, or released
			for uid := range marks {
				if r.IntN(3) == 0 {
					delete(marks, uid)
					if r.IntN(4) > 0 {
						delete(inbox, uid)
					}
				}
			}
		case 9:
			<-time.After(time.Duration(r.IntN(int(settleTime))))
		}
	}
	listInbox(t, b, r, inbox, marks, parked)
}

func listInbox(t *testing.T, b *backlog, r *rand.Rand, inbox map[uint32]imapconn.MailInfo, marks, parked map[uint32]bool) {
	t.Helper()
	var listed, marked []uint32
	for uid := range inbox {
		listed = append(listed, uid)
	}
	slices.Sort(listed)
	for uid := range marks {
		marked = append(marked, uid)
	}
	for _, h := range b.hopeless(listed) {
		parked[h.mail.UID] = true
	}
	isParked := func(uid uint32) bool { return parked[uid] }
	fresh, _ := b.list(listed, marked, b.now(), 1+r.IntN(40), isParked)
	var infos []imapconn.MailInfo
	for _, uid := range fresh {
		if uid%13 == 0 {
			b.ignore([]uint32{uid})
		} else {
			infos = append(infos, inbox[uid])
		}
	}
	b.add(infos)
	c := b.count(listed, isParked)
	if c.unaccounted() != 0 || c.listed != len(inbox) || min(c.waiting, c.taken, c.inFlight, c.parked, c.untouched) < 0 {
		t.Fatalf("counts = %+v, unaccounted %d", c, c.unaccounted())
	}
}
