package disposer

import (
	"context"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/mailyard/mailyard/pkg/bus"
	"github.com/mailyard/mailyard/pkg/imapconn"
	"github.com/mailyard/mailyard/pkg/lease"
	"github.com/mailyard/mailyard/schemas"
)

// maxBatch is the most UIDs of one command on the mail server: large sets are
// what makes UID MOVE fast, and a lost connection repeats little of 500.
const maxBatch = 500

// A worker disposes of one mailbox's mail, over one connection.
type worker struct {
	*running
	tenant, mailbox string
	logger          *zap.Logger

	mu     sync.Mutex // guards queue and ended
	queue  []order    // bounded by the consumer's MaxAckPending
	ended  bool
	wakeUp chan struct{} // holds one element when the queue or ended changed

	conn     *imapconn.Conn // nil until it is needed
	permit   *lease.Permit  // of the account's connection budget
	revision int64          // of the configuration that conn was made with
	refusal  refusal        // the last one, if any
}

func newWorker(r *running, tenant, mailbox string) *worker {
	return &worker{
		running: r, tenant: tenant, mailbox: mailbox, wakeUp: make(chan struct{}, 1),
		logger: r.logger.With(zap.String("tenant", tenant), zap.String("mailbox", mailbox)),
	}
}

// offer hands an order to the worker and reports whether it took it; a worker
// that has ended takes none. It never waits, so that a mail server that is slow
// does not delay the other mailboxes of the partition.
func (w *worker) offer(o order) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ended {
		return false
	}
	w.queue = append(w.queue, o)
	w.wake()
	return true
}

// finish lets the worker end when its queue is empty.
func (w *worker) finish() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ended = true
	w.wake()
}

func (w *worker) wake() {
	select {
	case w.wakeUp <- struct{}{}:
	default:
	}
}

// run disposes of what is ordered until finish was called and the queue is
// empty, or nothing was ordered for max_idle_seconds.
func (w *worker) run(ctx context.Context) {
	defer w.hangUp()
	idle := time.NewTimer(w.idleTime())
	defer idle.Stop()
	for {
		if orders, ended := w.take(false); len(orders) > 0 {
			w.dispose(ctx, gather(orders))
			idle.Reset(w.idleTime())
			continue
		} else if ended {
			return
		}
		select {
		case <-w.wakeUp:
		case <-idle.C:
			if orders, _ := w.take(true); len(orders) > 0 {
				w.dispose(ctx, gather(orders))
			}
			return
		}
	}
}

// take empties the queue. With end set, the worker takes no more orders.
func (w *worker) take(end bool) (orders []order, ended bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	orders, w.queue = w.queue, nil
	w.ended = w.ended || end
	return orders, w.ended
}

func (w *worker) idleTime() time.Duration {
	const standard = 6 * time.Minute
	if view, ok := w.watcher.Mailbox(w.tenant, w.mailbox); ok && view.Mailbox.Document.MaxIdleSeconds > 0 {
		return time.Duration(view.Mailbox.Document.MaxIdleSeconds) * time.Second
	}
	return standard
}

// A batch is a set of mails that one command disposes of, and the orders that
// asked for it.
type batch struct {
	schemas.Dispose
	messages []*bus.Message
}

// gather sorts orders into batches of one origin, UIDVALIDITY and action, of at
// most maxBatch UIDs unless one order alone has more.
func gather(orders []order) []*batch {
	var batches []*batch
next:
	for _, o := range orders {
		for _, b := range batches {
			if b.UIDValidity == o.UIDValidity && b.Origin == o.Origin && b.Action == o.Action && len(b.UIDs)+len(o.UIDs) <= maxBatch {
				b.UIDs = append(b.UIDs, o.UIDs...)
				b.messages = append(b.messages, o.message)
				continue next
			}
		}
		batches = append(batches, &batch{Dispose: o.Dispose, messages: []*bus.Message{o.message}})
	}
	return batches
}
