package configwatch

import (
	"context"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/mailyard/mailyard/pkg/bus/bustest"
	"github.com/mailyard/mailyard/schemas"
)

// While ten thousand records are published, a busy service is behind for long. It
// must not begin anew for that; it must when nothing comes any more.
func TestWatchThatIsBehindGoesOnWhileSomethingComes(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	js := bustest.Start(t).Connect(t, "test", nil).JetStream()
	kv, err := js.KeyValue(ctx, schemas.BucketConfig)
	if err != nil {
		t.Fatal(err)
	}
	var entries []jetstream.KeyValueEntry
	for range 4 {
		if _, err := kv.Put(ctx, AssertedKey, nil); err != nil {
			t.Fatal(err)
		}
		entry, err := kv.Get(ctx, AssertedKey)
		if err != nil {
			t.Fatal(err)
		}
		entries = append(entries, entry)
	}
	now, err := state(ctx, kv)
	if err != nil {
		t.Fatal(err)
	}
	s := session{w: &Watcher{changed: make(chan struct{})}}
	for i, entry := range entries {
		s.take(entry)
		if err := s.check(ctx, kv, now.created); err != nil {
			t.Errorf("after %d of %d: %v", i+1, len(entries), err)
		}
	}
	if err := s.check(ctx, kv, now.created); err != nil {
		t.Errorf("with everything: %v", err)
	}
	s.last = 0
	if err := s.check(ctx, kv, now.created); err != nil {
		t.Errorf("at the first check that it is behind: %v", err)
	}
	if err := s.check(ctx, kv, now.created); err == nil {
		t.Error("a watch that gets nothing goes on")
	}
}
