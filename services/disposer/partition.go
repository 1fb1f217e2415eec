package disposer

import (
	"context"
	"sync"
	"time"

	"github.com/mailyard/mailyard/pkg/bus"
	"github.com/mailyard/mailyard/pkg/fault"
	"github.com/mailyard/mailyard/schemas"
)

// An order is one dispose message.
type order struct {
	message *bus.Message
	attempt int // how many have failed
	schemas.Dispose
}

// A partition has a worker for each mailbox that something was ordered of lately.
type partition struct {
	*running
	keeper *keeper

	mu      sync.Mutex // guards workers
	workers map[string]*worker
}

// servePartition gives each mailbox of a partition its own worker, until held
// is done. Workers end by themselves when their mailbox has been quiet for long
// enough, and a later order begins another.
//
// When held is done, orders that wait are given back, and what runs on a mail
// server has the grace time to end: one mailbox that is slow must not keep the
// partition from its next owner.
func (r *running) servePartition(held, hard context.Context, name string) error {
	s, err := r.conn.Subscribe(held, bus.Source{Stage: schemas.StageDisposer, Stream: schemas.StreamDispose, Durable: "disposer-" + name, MaxMessages: 200})
	if err != nil {
		if held.Err() != nil {
			return nil
		}
		return err
	}
	defer s.Stop()
	defer context.AfterFunc(held, s.Stop)()

	held, end := context.WithCancel(held)
	defer end()
	work, cut := context.WithCancel(hard)
	defer cut()
	p := &partition{running: r, keeper: newKeeper(), workers: map[string]*worker{}}
	var keeping, working sync.WaitGroup
	keep, release := context.WithCancel(context.WithoutCancel(hard))
	keeping.Go(func() { p.keeper.run(keep, r.times.keepAlive) })
	for m := range s.Messages() {
		var event schemas.MailDispose
		if err := m.Decode(&event); err != nil {
			r.settle(hard, m, fault.Permanent(err))
			continue
		}
		p.keeper.keep(m)
		if w := p.assign(order{m, m.Attempt(), event.Data}); w != nil {
			working.Go(func() {
				defer p.forget(w)
				w.run(held, work)
			})
		}
	}
	end() // it is, but when the connection was closed
	defer time.AfterFunc(r.times.grace, cut).Stop()
	working.Wait()
	release()
	keeping.Wait()
	return nil
}

// assign hands an order to the worker of its mailbox. If that is a new one, it is
// returned and is to be run.
func (p *partition) assign(o order) *worker {
	p.mu.Lock()
	defer p.mu.Unlock()
	name := o.Tenant + "/" + o.Mailbox
	if w := p.workers[name]; w != nil && w.offer(o) {
		return nil
	}
	w := newWorker(p.running, p.keeper, o.Tenant, o.Mailbox)
	w.offer(o)
	p.workers[name] = w
	return w
}

// forget drops a worker that has ended.
func (p *partition) forget(w *worker) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if name := w.tenant + "/" + w.mailbox; p.workers[name] == w {
		delete(p.workers, name)
	}
}
