package classifier

import (
	"testing"

	"github.com/mailyard/mailyard/pkg/bus"
	"github.com/mailyard/mailyard/pkg/imapconn/imaptest"
	"github.com/mailyard/mailyard/schemas"
)

func (r *rig) subscribe() *bus.Subscription {
	r.t.Helper()
	s, err := r.Conn.Subscribe(r.t.Context(), bus.Source{Stage: schemas.StageClassifier, Stream: schemas.StreamFetchedLight, Durable: bus.Durable(schemas.StageClassifier, schemas.Light)})
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(s.Stop)
	return s
}

// delivered returns a message when it is delivered for the nth time.
func (r *rig) delivered(s *bus.Subscription, n int) *bus.Message {
	r.t.Helper()
	for {
		m := <-s.Messages()
		if m.Deliveries() == n {
			return m
		}
		if err := m.Nak(); err != nil {
			r.t.Fatal(err)
		}
	}
}

func TestManyDeliveriesAreNotTheMailsFaultUntilTheLast(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ deliveries, classified, given int }{
		"beside a bad one": {parkAfter - 1, 1, 0},
		"the bad one":      {parkAfter, 0, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			r.publish(fetched("info", 1, "", imaptest.Message(1, 300)))
			s := r.subscribe()
			m := r.delivered(s, test.deliveries-1)
			s.Stop() // the service has the next delivery
			if err := m.Nak(); err != nil {
				t.Fatal(err)
			}
			r.run()
			r.Eventually("it ends", func() bool { return r.Left(schemas.StreamFetchedLight) == 0 })
			r.Eventually("as it should", func() bool { return r.classified.Len() == test.classified && r.parked.Len() == test.given })
		})
	}
}

// A mail that may take its process along has nothing beside it.
func TestSuspectIsHandledAlone(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s := r.subscribe()
	l := &lane{logger: r.Logger} // without tables, each mail ends on RETRY
	r.publish(fetched("info", 1, "", imaptest.Message(1, 300)))
	suspect := r.delivered(s, suspectAfter)
	l.alone.RLock() // a mail is in work
	r.publish(fetched("info", 2, "", imaptest.Message(2, 300)))
	l.handle(t.Context(), <-s.Messages())
	if n := r.Left(schemas.StreamRetry); n != 1 {
		t.Errorf("%d mails are handled beside it; want 1", n)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		l.handle(t.Context(), suspect)
	}()
	r.Eventually("nobody may begin while the suspect waits", func() bool {
		begun := l.alone.TryRLock()
		if begun {
			l.alone.RUnlock()
		}
		return !begun
	})
	if n := r.Left(schemas.StreamRetry); n != 1 {
		t.Errorf("the suspect is handled beside another mail")
	}
	l.alone.RUnlock()
	<-done
	if n := r.Left(schemas.StreamRetry); n != 2 {
		t.Errorf("%d mails are handled; want 2", n)
	}
}
