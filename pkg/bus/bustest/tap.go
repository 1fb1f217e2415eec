package bustest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/mailyard/mailyard/pkg/bus"
	"github.com/mailyard/mailyard/schemas/cloudevents"
)

// A Recording is what a Tap has heard.
type Recording struct {
	conn *nats.Conn
	subs []*nats.Subscription

	mu       sync.Mutex
	heard    int64
	seen     map[string]int
	problems []string
}

// tapped are the subjects of all events. What the server makes of a schedule
// is not published, and so not heard.
var tapped = [...]string{"mail.v1.>", "mailbox.v1.>", "config.v1.changed.>"}

// maxProblems bounds what is kept: the first ones tell enough.
const maxProblems = 20

// Tap hears every event that is published until the test ends, and checks it:
// validate gets the headers and payload of each message and returns what is
// wrong with it. It hears through core NATS, before JetStream: a work queue
// allows no second consumer.
func Tap(tb testing.TB, conn *bus.Conn, validate func(header map[string][]string, payload []byte) error) *Recording {
	tb.Helper()
	t := &Recording{conn: conn.NATS(), seen: map[string]int{}}
	for _, subject := range tapped {
		sub, err := t.conn.Subscribe(subject, func(m *nats.Msg) { t.record(m, validate) })
		if err != nil {
			tb.Fatal(err)
		}
		// A message that the tap misses is one that is not checked.
		if err := sub.SetPendingLimits(-1, -1); err != nil {
			tb.Fatal(err)
		}
		t.subs = append(t.subs, sub)
		tb.Cleanup(func() {
			if err := sub.Unsubscribe(); err != nil && !errors.Is(err, nats.ErrConnectionClosed) {
				tb.Logf("ending the tap: %v", err)
			}
		})
	}
	if err := t.conn.FlushTimeout(timeout); err != nil {
		tb.Fatal(err)
	}
	return t
}

func (t *Recording) record(m *nats.Msg, validate func(map[string][]string, []byte) error) {
	eventType := cloudevents.Attribute(m.Header, "type")
	err := validate(m.Header, m.Data)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.heard++
	t.seen[eventType]++
	if err != nil && len(t.problems) < maxProblems {
		t.problems = append(t.problems, fmt.Sprintf("%s (type %q): %v", m.Subject, eventType, err))
	}
}

// Seen returns how many messages of each event type were published so far.
func (t *Recording) Seen() map[string]int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return maps.Clone(t.seen)
}

// Check fails the test for each message that was not valid, and returns which
// of the types were never seen.
func (t *Recording) Check(tb testing.TB, types ...string) (unseen []string) {
	tb.Helper()
	t.settle(tb)
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, p := range t.problems {
		tb.Errorf("a message on %s", p)
	}
	for _, name := range types {
		if t.seen[name] == 0 {
			unseen = append(unseen, name)
		}
	}
	slices.Sort(unseen)
	if len(unseen) > 0 {
		tb.Logf("event types that were never published: %v", unseen)
	}
	return unseen
}

// settle waits until what was published before is recorded.
func (t *Recording) settle(tb testing.TB) {
	tb.Helper()
	if err := t.conn.FlushTimeout(timeout); err != nil {
		tb.Errorf("flushing before the check: %v", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !t.idle() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			tb.Error("the tap has not recorded everything in time")
			return
		}
	}
}

func (t *Recording) idle() bool {
	var delivered int64
	for _, sub := range t.subs {
		waiting, _, err := sub.Pending()
		if err != nil || waiting > 0 {
			return err != nil // an ended tap records no more
		}
		n, err := sub.Delivered()
		if err != nil {
			return true
		}
		delivered += n
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.heard >= delivered
}
