package servicetest

import (
	"sync"
	"testing"

	"github.com/nats-io/nats.go"

	"github.com/mailyard/mailyard/schemas/cloudevents"
)

// Events are the events of one type that were published since they were asked for.
type Events[E any] struct {
	mu  sync.Mutex
	all []E
}

// Listen collects the events of type E on a subject until the test ends.
func Listen[E any](b *Bench, subject string) *Events[E] {
	b.t.Helper()
	e := &Events[E]{}
	sub, err := b.Conn.NATS().Subscribe(subject, func(m *nats.Msg) { e.add(b.t, m) })
	if err != nil {
		b.t.Fatal(err)
	}
	if err := b.Conn.NATS().Flush(); err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { _ = sub.Unsubscribe() }) // the server may be gone
	return e
}

func (e *Events[E]) add(t testing.TB, m *nats.Msg) {
	var event E
	if err := cloudevents.Decode(m.Header, m.Data, &event); err != nil {
		t.Errorf("event on %s: %v", m.Subject, err)
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.all = append(e.all, event)
}

// All returns the events so far.
func (e *Events[E]) All() []E {
	e.mu.Lock()
	defer e.mu.Unlock()
	return append([]E(nil), e.all...)
}

// Len returns how many there are so far.
func (e *Events[E]) Len() int { return len(e.All()) }
