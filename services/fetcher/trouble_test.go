package fetcher

import (
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mailyard/mailyard/pkg/imapconn"
)

var errBroken = errors.New("connection lost")

// relist lists an inbox and adds what is new with the sizes of light mails.
func relist(b *backlog, last uint32) (fresh []uint32) {
	fresh, _ = b.list(span(1, last), nil, b.now(), int(last), nobody)
	for _, uid := range fresh {
		b.add([]imapconn.MailInfo{mail(uid, lightSize)})
	}
	return fresh
}

// takeAgain lists until a mail that rests is taken again.
func takeAgain(t *testing.T, b *backlog, last uint32) []imapconn.MailInfo {
	t.Helper()
	for range 100 {
		relist(b, last)
		if batch := b.take(light); len(batch) > 0 {
			return batch
		}
		<-time.After(b.soonest(time.Hour))
	}
	t.Fatal("nothing is taken again")
	return nil
}

func TestMailThatFailedGoesAloneAfterTheOthersAndIsGivenUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newTestBacklog(50)
		fill(b, mail(1, lightSize), mail(2, lightSize), mail(3, lightSize))
		for range aloneAfter {
			batch := b.take(light)
			wantUIDs(t, "before it is suspect", batch, 1, 2, 3)
			b.failed(batch[1:2], errBroken, true) // 2 is to blame
			b.putBack([]imapconn.MailInfo{batch[0], batch[2]})
		}
		wantUIDs(t, "the others", b.take(light), 1, 3)
		began := time.Now()
		for b.hopeless(span(1, 3)) == nil {
			batch := takeAgain(t, b, 3)
			wantUIDs(t, "alone", batch, 2)
			b.failed(batch, errBroken, true)
			if time.Since(began) > 2*parkTime {
				t.Fatal("never given up")
			}
		}
		if took := time.Since(began); took < parkTime {
			t.Errorf("given up for lost connections after %s", took)
		}
		if b.takeable(light) || relist(b, 3) != nil {
			t.Error("what was given up waits")
		}
		c := b.count(span(1, 3), func(uid uint32) bool { return uid == 2 })
		if c.parked != 1 || c.taken != 2 || c.unaccounted() != 0 {
			t.Errorf("counts = %+v", c)
		}
	})
}

func TestConnectionsThatBreakBeforeABodyMakeNoDeadLetter(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newTestBacklog(50)
		fill(b, mail(1, lightSize), mail(2, lightSize))
		for range 5 * parkAfter {
			b.failed(takeAgain(t, b, 2), errBroken, false)
		}
		<-time.After(parkTime)
		if list := b.hopeless(span(1, 2)); list != nil {
			t.Errorf("given up: %v", list)
		}
	})
}

func TestMailThatBreaksConnectionsWhileOthersComeIsGivenUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newTestBacklog(50)
		last := uint32(1)
		fill(b, mail(1, lightSize))
		for range 200 {
			batch := takeAgain(t, b, last)
			if slices.Contains(uidsOf(batch), 1) {
				b.failed(batch, errBroken, false)
				last++ // a new mail comes after every failure, and comes through
			} else {
				b.published(uidsOf(batch))
				b.marked(nil, b.now())
				b.ignore(uidsOf(batch)) // disposed of
			}
			if list := b.hopeless(span(1, last)); len(list) == 1 {
				return
			}
		}
		t.Error("never given up")
	})
}

func TestMissedMailWaitsForAListing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newTestBacklog(50)
		fill(b, mail(1, lightSize), mail(2, lightSize))
		b.missed(b.take(light), errNoBody)
		if b.takeable(light) {
			t.Fatal("it is asked for again before a listing says that it is there")
		}
		if c := b.count(span(1, 2), nobody); c.waiting != 2 || c.unaccounted() != 0 {
			t.Errorf("counts = %+v", c)
		}
		relist(b, 1) // a person deleted 2
		if b.troubles[2] != nil {
			t.Error("what left the inbox is remembered")
		}
		for n := 1; ; n++ {
			if list := b.hopeless(span(1, 1)); list != nil {
				if n != parkAfter {
					t.Errorf("given up after %d attempts", n)
				}
				return
			}
			began := time.Now()
			wantUIDs(t, "still there", takeAgain(t, b, 1), 1)
			if time.Since(began) < firstRest {
				t.Error("it did not rest")
			}
			b.missed([]imapconn.MailInfo{mail(1, lightSize)}, errNoBody)
		}
	})
}

func TestSuspectsTakeTurns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newTestBacklog(50)
		fill(b, mail(1, lightSize), mail(2, lightSize))
		for range aloneAfter {
			b.failed(b.take(light), errBroken, true)
		}
		first := takeAgain(t, b, 2)
		wantUIDs(t, "the oldest", first, 1)
		b.failed(first, errBroken, true)
		<-time.After(longestRest)
		wantUIDs(t, "the one that failed less", takeAgain(t, b, 2), 2)
		wantUIDs(t, "and again the oldest", takeAgain(t, b, 2), 1)
	})
}
