package disposer

import (
	"context"
	"sync"
	"time"

	"github.com/mailyard/mailyard/pkg/bus"
)

// A keeper extends the ack wait of the orders of a partition, those that wait
// behind a slow mail server too: every delivery that was in vain is one of the
// few that an order has.
type keeper struct {
	mu       sync.Mutex
	messages map[*bus.Message]struct{}
}

func newKeeper() *keeper { return &keeper{messages: map[*bus.Message]struct{}{}} }

// keep begins to extend a message, drop ends it.
func (k *keeper) keep(m *bus.Message) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.messages[m] = struct{}{}
}

func (k *keeper) drop(m *bus.Message) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.messages, m)
}

func (k *keeper) run(ctx context.Context, every time.Duration) {
	t := time.NewTicker(every)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			k.mu.Lock()
			for m := range k.messages {
				_ = m.InProgress() // the next tick tries again
			}
			k.mu.Unlock()
		}
	}
}
