package configwatch

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"
)

// A Watcher follows the bucket CONFIG. Safe for concurrent use.
type Watcher struct {
	js     jetstream.JetStream
	logger *zap.Logger
	cancel context.CancelFunc
	done   chan struct{}

	mu      sync.RWMutex
	records records
	changed chan struct{}
}

// Back-off between attempts to watch.
const (
	firstBackoff = 100 * time.Millisecond
	maxBackoff   = 5 * time.Second
)

// Start returns when everything that the bucket holds is loaded. ctx bounds
// only that wait, in which it also outlasts a NATS server or a bucket that is
// not there yet; the watcher goes on until Close.
func Start(ctx context.Context, js jetstream.JetStream, logger *zap.Logger) (*Watcher, error) {
	run, cancel := context.WithCancel(context.WithoutCancel(ctx))
	w := &Watcher{
		js: js, logger: logger, cancel: cancel, done: make(chan struct{}),
		records: newRecords(), changed: make(chan struct{}),
	}
	loaded := make(chan struct{})
	reason := make(chan error, 1)
	go w.run(run, sync.OnceFunc(func() { close(loaded) }), reason)
	select {
	case <-loaded:
		return w, nil
	case <-ctx.Done():
	}
	w.Close()
	var last error
	select {
	case last = <-reason:
	default:
		last = ctx.Err()
	}
	return nil, fmt.Errorf("loading the configuration from NATS: %w (gave up: %v)", last, context.Cause(ctx))
}

// Close ends the watcher and waits until it has ended. The views stay readable.
func (w *Watcher) Close() {
	w.cancel()
	<-w.done
}

// Mailbox returns the view of a mailbox. It reports false if the mailbox is
// not known, or its tenant is not.
func (w *Watcher) Mailbox(tenant, mailbox string) (View, bool) {
	w.mu.RLock()
	defer w.mu.RUnlock()
	return w.records.view(id{tenant, mailbox})
}

// Mailboxes returns the views of all mailboxes, ordered by tenant and id.
func (w *Watcher) Mailboxes() []View {
	w.mu.RLock()
	views := make([]View, 0, len(w.records.mailboxes))
	for key := range w.records.mailboxes {
		if v, ok := w.records.view(key); ok {
			views = append(views, v)
		}
	}
	w.mu.RUnlock()
	slices.SortFunc(views, func(a, b View) int {
		x, y := &a.Mailbox.Document, &b.Mailbox.Document
		return cmp.Or(cmp.Compare(x.Tenant, y.Tenant), cmp.Compare(x.ID, y.ID))
	})
	return views
}

// Changed returns a channel that is closed at the next change. To miss none,
// take the channel first and read the views then.
func (w *Watcher) Changed() <-chan struct{} {
	w.mu.RLock()
	defer w.mu.RUnlock()
	return w.changed
}

func (w *Watcher) notify() {
	w.mu.Lock()
	defer w.mu.Unlock()
	close(w.changed)
	w.changed = make(chan struct{})
}

// run watches until ctx ends, again and again with back-off. The latest reason
// why it cannot stands in reason.
func (w *Watcher) run(ctx context.Context, loaded func(), reason chan error) {
	defer close(w.done)
	backoff := firstBackoff
	for ctx.Err() == nil {
		err := w.watch(ctx, func() {
			backoff = firstBackoff
			loaded()
		})
		if ctx.Err() != nil {
			return
		}
		w.logger.Warn("watching the configuration again; the last known one stays in force", zap.Duration("after", backoff), zap.Error(err))
		select {
		case <-reason:
		default:
		}
		reason <- err
		select {
		case <-time.After(backoff):
		case <-ctx.Done():
		}
		backoff = min(2*backoff, maxBackoff)
	}
}
