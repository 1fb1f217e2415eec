package disposer

import (
	"context"

	"golang.org/x/sync/errgroup"

	"github.com/mailyard/mailyard/pkg/bus"
	"github.com/mailyard/mailyard/pkg/fault"
	"github.com/mailyard/mailyard/schemas"
)

// An order is one dispose message.
type order struct {
	message *bus.Message
	schemas.Dispose
}

// servePartition gives each mailbox of a partition its own worker, until held
// is done. Workers end by themselves when their mailbox has been quiet for long
// enough, and a later order begins another.
func (r *running) servePartition(held, hard context.Context, partition string) error {
	s, err := r.conn.Subscribe(held, bus.Source{Stage: schemas.StageDisposer, Stream: schemas.StreamDispose, Durable: "disposer-" + partition, MaxMessages: 200})
	if err != nil {
		if held.Err() != nil {
			return nil
		}
		return err
	}
	defer s.Stop()
	defer context.AfterFunc(held, s.Stop)()

	var workers errgroup.Group
	mailboxes := map[string]*worker{}
	for m := range s.Messages() {
		var event schemas.MailDispose
		if err := m.Decode(&event); err != nil {
			r.settle(hard, m, fault.Permanent(err))
			continue
		}
		name := event.Data.Tenant + "/" + event.Data.Mailbox
		w := mailboxes[name]
		if w == nil || !w.offer(order{m, event.Data}) {
			w = newWorker(r, event.Data.Tenant, event.Data.Mailbox)
			mailboxes[name] = w
			w.offer(order{m, event.Data})
			workers.Go(func() error {
				w.run(hard)
				return nil
			})
		}
	}
	for _, w := range mailboxes {
		w.finish()
	}
	return workers.Wait()
}
