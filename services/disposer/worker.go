package disposer

import (
	"context"
	"slices"
	"sync"
	"time"

	"go.uber.org/zap"

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
	keeper          *keeper
	tenant, mailbox string
	logger          *zap.Logger

	mu     sync.Mutex // guards queue and ended
	queue  []order    // bounded by the consumer's MaxAckPending
	ended  bool
	wakeUp chan struct{} // holds one element when something was ordered

	conn     *imapconn.Conn // nil until it is needed
	permit   *lease.Permit  // of the account's connection budget
	untrace  func()         // tells the protocol log that conn is no more
	revision int64          // of the configuration that conn was made with
	refusal  refusal        // the last one, if any
}

func newWorker(r *running, k *keeper, tenant, mailbox string) *worker {
	return &worker{
		running: r, keeper: k, tenant: tenant, mailbox: mailbox, wakeUp: make(chan struct{}, 1),
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
	o.UIDs = w.suspicions.without(o.Dispose)
	w.queue = append(w.queue, o)
	w.wake()
	return true
}

func (w *worker) wake() {
	select {
	case w.wakeUp <- struct{}{}:
	default:
	}
}

// run disposes of what is ordered until held is done, or nothing was ordered for
// max_idle_seconds. work is for what is done on the mail server.
func (w *worker) run(held, work context.Context) {
	defer w.hangUp()
	idle := time.NewTimer(w.idleTime())
	defer idle.Stop()
	for {
		over := held.Err() != nil
		if orders := w.take(over); len(orders) > 0 {
			w.dispose(held, work, gather(orders))
			idle.Reset(w.idleTime())
			continue
		}
		if over {
			return
		}
		select {
		case <-held.Done():
		case <-w.wakeUp:
		case <-idle.C:
			w.dispose(held, work, gather(w.take(true)))
			return
		}
	}
}

// take empties the queue. With end set, the worker takes no more orders.
func (w *worker) take(end bool) (orders []order) {
	w.mu.Lock()
	defer w.mu.Unlock()
	orders, w.queue = w.queue, nil
	w.ended = w.ended || end
	return orders
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
	orders  []order
	retried bool // it is one order that failed before
}

// gather sorts orders into batches of one origin, UIDVALIDITY and action, of at
// most maxBatch UIDs unless one order alone has more. An order that failed
// before is alone, and comes last.
func gather(orders []order) []*batch {
	var batches, retried []*batch
next:
	for _, o := range orders {
		if o.attempt > 0 {
			retried = append(retried, &batch{Dispose: o.Dispose, orders: []order{o}, retried: true})
			continue
		}
		for _, b := range batches {
			if b.UIDValidity == o.UIDValidity && b.Origin == o.Origin && b.Action == o.Action && len(b.UIDs)+len(o.UIDs) <= maxBatch {
				b.UIDs = append(b.UIDs, o.UIDs...)
				b.orders = append(b.orders, o)
				continue next
			}
		}
		b := &batch{Dispose: o.Dispose, orders: []order{o}}
		b.UIDs = slices.Clone(o.UIDs)
		batches = append(batches, b)
	}
	return append(batches, retried...)
}
