package configwatch

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"

	"github.com/mailyard/mailyard/schemas"
)

const (
	checkEvery     = time.Second
	requestTimeout = 5 * time.Second
)

// bucketState is what tells whether the bucket is still the one that is
// watched, and how far it is.
type bucketState struct {
	created time.Time
	last    uint64
}

// watch loads everything and follows the changes until the watch can no longer
// be relied on. It calls loaded when it has everything.
func (w *Watcher) watch(ctx context.Context, loaded func()) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	request, done := context.WithTimeout(ctx, requestTimeout)
	defer done()
	kv, err := w.js.KeyValue(request, schemas.BucketConfig)
	if err != nil {
		return fmt.Errorf("opening the bucket %s: %w", schemas.BucketConfig, err)
	}
	begun, err := state(ctx, kv)
	if err != nil {
		return err
	}
	// The watch lives as long as its context, so that its creation needs a deadline of its own.
	deadline := time.AfterFunc(requestTimeout, cancel)
	updates, err := kv.WatchAll(ctx)
	if !deadline.Stop() && err == nil {
		err = context.DeadlineExceeded
		stop(updates)
	}
	if err != nil {
		return fmt.Errorf("watching the bucket %s: %w", schemas.BucketConfig, err)
	}
	defer stop(updates)

	s := session{w: w, seen: map[string]bool{}, last: begun.last}
	ticker := time.NewTicker(checkEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case entry, ok := <-updates.Updates():
			if !ok {
				return errors.New("the watch was closed")
			}
			if entry == nil {
				s.complete()
				loaded()
				continue
			}
			s.take(entry)
		case <-ticker.C:
			if err := s.check(ctx, kv, begun.created); err != nil {
				return err
			}
		}
	}
}

// stop ends the watch and waits for its end: what it still has it hands over
// before it closes the channel.
func stop(updates jetstream.KeyWatcher) {
	updates.Stop() // an error means that it has ended already
	for range updates.Updates() {
	}
}

func state(ctx context.Context, kv jetstream.KeyValue) (bucketState, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	status, err := kv.Status(ctx)
	if err != nil {
		return bucketState{}, fmt.Errorf("asking for the state of the bucket %s: %w", schemas.BucketConfig, err)
	}
	info := status.(*jetstream.KeyValueBucketStatus).StreamInfo()
	return bucketState{info.Created, info.State.LastSeq}, nil
}

// A session is one watch, from loading everything to its end.
type session struct {
	w        *Watcher
	seen     map[string]bool // keys that the bucket holds; nil once it was asserted
	asserted bool
	loaded   bool
	last     uint64 // revision of the bucket that this watch has come to
	taken    int    // entries
	// At the last check: whether it was behind the bucket, and taken.
	behind  bool
	checked int
}

func (s *session) take(entry jetstream.KeyValueEntry) {
	s.last = max(s.last, entry.Revision())
	s.taken++
	key := entry.Key()
	if key == AssertedKey {
		s.asserted = s.asserted || entry.Operation() == jetstream.KeyValuePut
		if s.loaded {
			s.complete()
		}
		return
	}
	s.w.mu.Lock()
	var err error
	if entry.Operation() == jetstream.KeyValuePut {
		err = s.w.records.put(key, entry.Value())
	} else {
		s.w.records.remove(key)
	}
	s.w.mu.Unlock()
	if s.seen != nil {
		s.seen[key] = true
	}
	if err != nil {
		s.w.logger.Warn("ignoring a value in the bucket CONFIG", zap.String("key", key), zap.Error(err))
		return
	}
	if s.loaded {
		s.w.notify()
	}
}

// complete is called when the bucket's content is loaded, and when it is
// asserted: then what it does not hold is gone.
func (s *session) complete() {
	if s.asserted && s.seen != nil {
		s.w.mu.Lock()
		s.w.records.keep(s.seen)
		s.w.mu.Unlock()
		s.seen = nil
	}
	s.loaded = true
	s.w.notify()
}

// check ends a watch of a bucket that was made anew, and one that is behind and
// gets nothing: its consumer is gone. One that only comes slower than the bucket
// is written goes on: to load everything again would leave it further behind.
// While NATS is away there is nothing to be learnt.
func (s *session) check(ctx context.Context, kv jetstream.KeyValue, created time.Time) error {
	now, err := state(ctx, kv)
	switch {
	case errors.Is(err, jetstream.ErrBucketNotFound), errors.Is(err, jetstream.ErrStreamNotFound):
		return err
	case err != nil:
		return nil
	case !now.created.Equal(created):
		return errors.New("the bucket was made anew")
	}
	behind := now.last > s.last
	if behind && s.behind && s.taken == s.checked {
		return errors.New("the bucket is written, and the watch gets nothing")
	}
	s.behind, s.checked = behind, s.taken
	return nil
}
