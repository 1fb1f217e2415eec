package lease

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
	"go.uber.org/zap"
)

// keeper renews the permits that are held and gives back those released.
type keeper struct {
	client *Client
	kick   chan struct{} // capacity 1
	stop   context.CancelFunc
	done   chan struct{}

	mu       sync.Mutex
	held     map[*Permit]bool
	released []*Permit
	ttl      time.Duration // the shortest of all held ever
}

func newKeeper(c *Client) *keeper {
	ctx, cancel := context.WithCancel(context.Background())
	k := &keeper{client: c, kick: make(chan struct{}, 1), stop: cancel, done: make(chan struct{}), held: map[*Permit]bool{}, ttl: time.Hour}
	go k.run(ctx)
	return k
}

func (k *keeper) add(p *Permit) {
	k.mu.Lock()
	k.held[p] = true
	k.ttl = min(k.ttl, p.budget.ttl)
	k.mu.Unlock()
	k.wake()
}

func (k *keeper) drop(p *Permit) {
	k.mu.Lock()
	if k.held[p] {
		delete(k.held, p)
		k.released = append(k.released, p)
	}
	k.mu.Unlock()
	k.wake()
}

func (k *keeper) wake() {
	select {
	case k.kick <- struct{}{}:
	default:
	}
}

// close gives all permits back and waits for the keeper.
func (k *keeper) close() {
	k.mu.Lock()
	for p := range k.held {
		k.released = append(k.released, p)
	}
	clear(k.held)
	k.mu.Unlock()
	k.stop()
	<-k.done
}

func (k *keeper) run(ctx context.Context) {
	defer close(k.done)
	renewed := time.Now()
	for {
		k.mu.Lock()
		every := k.ttl / 3
		k.mu.Unlock()
		timer := time.NewTimer(time.Until(renewed.Add(every)))
		select {
		case <-ctx.Done():
		case <-k.kick:
		case <-timer.C:
			renewed = time.Now()
			k.renew(ctx)
		}
		timer.Stop()
		k.giveBack(context.WithoutCancel(ctx))
		if ctx.Err() != nil {
			return
		}
	}
}

// renew extends all permits. One that cannot be renewed lapses in Redis while
// its connection lives on: a budget may be exceeded while Redis is away.
func (k *keeper) renew(ctx context.Context) {
	k.mu.Lock()
	byBudget := map[string][]*Permit{}
	for p := range k.held {
		byBudget[p.budget.key] = append(byBudget[p.budget.key], p)
	}
	k.mu.Unlock()
	for key, permits := range byBudget {
		for part := range slices.Chunk(permits, batch) {
			args := []any{part[0].budget.ttl.Milliseconds()}
			for _, p := range part {
				args = append(args, p.id)
			}
			if _, err := k.client.eval(ctx, stayScript, []string{key}, args...); err != nil {
				k.client.logger.Warn("cannot renew permits", zap.Error(err))
				return
			}
		}
	}
}

func (k *keeper) giveBack(ctx context.Context) {
	k.mu.Lock()
	released := k.released
	k.released = nil
	k.mu.Unlock()
	var err error
	for part := range slices.Chunk(released, batch) {
		if err == nil {
			err = k.client.do(ctx, func(p redis.Pipeliner) {
				for _, permit := range part {
					p.ZRem(ctx, permit.budget.key, permit.id)
				}
			})
		}
		for _, permit := range part {
			close(permit.gone)
		}
	}
	if err != nil { // they lapse
		k.client.logger.Warn("cannot give permits back", zap.Error(err))
	}
}
