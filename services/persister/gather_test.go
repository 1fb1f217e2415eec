package persister

import (
	"slices"
	"testing"
	"time"

	"github.com/mailyard/mailyard/pkg/bus"
	"github.com/mailyard/mailyard/schemas"
)

// messages publishes mails and returns them as they are delivered.
func (r *rig) messages(n uint32) *bus.Subscription {
	r.t.Helper()
	r.publishUIDs(1, n)
	s, err := r.Conn.Subscribe(r.t.Context(), bus.Source{
		Stage: schemas.StagePersister, Stream: schemas.StreamClassifiedLight, Durable: bus.Durable(schemas.StagePersister, schemas.Light), MaxMessages: 100,
	})
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(s.Stop)
	return s
}

func uidOf(t *testing.T, m *bus.Message) uint32 {
	t.Helper()
	var e schemas.MailClassified
	if err := m.Decode(&e); err != nil {
		t.Fatal(err)
	}
	return e.UID
}

func TestBatchIsBound(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s := r.messages(20)
	size := int64(len(classified(1).Data.Mail))
	g := gatherer{messages: s.Messages(), limits: limits{messages: 8, bytes: 1 << 20, linger: 5 * time.Second}}
	if batch, more := g.next(); len(batch) != 8 || !more {
		t.Errorf("%d messages, more %v; want 8", len(batch), more)
	}
	g.limits.bytes = size + 1
	if batch, _ := g.next(); len(batch) != 2 {
		t.Errorf("%d messages; want 2, the last of which exceeds the bytes", len(batch))
	}
}

func TestBatchLingersOnlySoLong(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	delivered, waiting := r.messages(3).Messages(), make(chan *bus.Message, 3)
	for range 3 {
		waiting <- <-delivered
	}
	g := gatherer{messages: waiting, limits: limits{messages: 100, bytes: 1 << 20, linger: 300 * time.Millisecond}}
	began := time.Now()
	if batch, more := g.next(); len(batch) != 3 || !more || time.Since(began) < 300*time.Millisecond {
		t.Errorf("%d messages, more %v, after %s", len(batch), more, time.Since(began))
	}
}

func TestBatchEndsWithTheSubscription(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s := r.messages(0)
	s.Stop()
	g := gatherer{messages: s.Messages(), limits: limitsOf(schemas.Light)}
	if batch, more := g.next(); len(batch) != 0 || more {
		t.Errorf("%d messages, more %v", len(batch), more)
	}
}

func TestSuspectComesAlone(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s := r.messages(1)
	bad := <-s.Messages()
	for range suspectAfter - 1 {
		if err := bad.Nak(); err != nil {
			t.Fatal(err)
		}
		bad = <-s.Messages()
	}
	r.publishUIDs(2, 5)
	messages := make(chan *bus.Message, 6)
	for uid := range 4 {
		if uid == 2 {
			messages <- bad
		}
		messages <- <-s.Messages()
	}
	messages <- bad
	close(messages)
	g := gatherer{messages: messages, limits: limits{messages: 10, bytes: 1 << 20, linger: time.Second}}
	for _, want := range [][]uint32{{2, 3}, {1}, {4, 5}, {1}, nil} {
		batch, more := g.next()
		var got []uint32
		for _, m := range batch {
			got = append(got, uidOf(t, m))
		}
		if !slices.Equal(got, want) || more != (want != nil) {
			t.Errorf("batch %v, more %v; want %v", got, more, want)
		}
	}
}

// Who shares a batch with a mail that takes processes along is delivered as
// often as it; but only what is delivered ever again is given up.
func TestManyDeliveriesAreNotTheMailsFaultUntilTheLast(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		before      int
		rows, given int
	}{
		"beside a bad one":  {parkAfter - 2, 1, 0},
		"the bad one":       {parkAfter - 1, 0, 1},
		"delivered 8 times": {7, 1, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			s := r.messages(1)
			for n := range test.before {
				m := <-s.Messages()
				if n+1 == test.before {
					s.Stop() // the service has the next delivery
				}
				if err := m.Nak(); err != nil {
					t.Fatal(err)
				}
			}
			r.run()
			r.Eventually("it ends", func() bool { return r.Left(schemas.StreamClassifiedLight) == 0 })
			if rows := len(r.stored()); rows != test.rows || r.parked.Len() != test.given {
				t.Errorf("%d rows, %d dead letters; want %d, %d", rows, r.parked.Len(), test.rows, test.given)
			}
		})
	}
}
