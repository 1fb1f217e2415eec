package lease

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/redis/go-redis/v9"
)

// patience is how long a waiter keeps its place without asking again. It is
// longer than the longest poll, its jitter and a call together.
const patience = 15 * time.Second

// A Budget bounds how many permits all replicas together hold at a time, for
// example the connections to an account. It is safe for concurrent use.
type Budget struct {
	client *Client
	key    string
	limit  int
	ttl    time.Duration
}

// Budget returns the budget of a key. All replicas should give it the same
// limit; below 1 there is none. ttl is how long a permit outlives a replica that
// crashed (0: 1 min); while the replica lives its permits are renewed.
func (c *Client) Budget(key string, limit int, ttl time.Duration) *Budget {
	if ttl <= 0 {
		ttl = time.Minute
	}
	return &Budget{client: c, key: c.prefix + "budget:{" + key + "}", limit: limit, ttl: ttl}
}

func (b *Budget) queue() string   { return b.key + ":queue" }
func (b *Budget) waiters() string { return b.key + ":waiters" }

// A Permit counts against its budget until it is released.
type Permit struct {
	budget *Budget
	id     string
	gone   chan struct{} // closed when it was given back
}

func (b *Budget) permit() *Permit {
	return &Permit{budget: b, id: newID(), gone: make(chan struct{})}
}

// Acquire waits for its turn: first come, first served, over all replicas.
func (b *Budget) Acquire(ctx context.Context) (*Permit, error) {
	p := b.permit()
	if b.limit < 1 {
		return p, nil
	}
	for {
		before, err := b.enter(ctx, p)
		if err == nil && before < 0 {
			b.client.permits.add(p)
			return p, nil
		}
		if err == nil {
			err = pause(ctx, before)
		}
		if err != nil {
			b.withdraw(ctx, p)
			return nil, fmt.Errorf("waiting for a permit of %s: %w", b.key, err)
		}
	}
}

// Try takes a permit if there is one at once, and nobody waits for it; nil:
// there is none.
func (b *Budget) Try(ctx context.Context) (*Permit, error) {
	p := b.permit()
	if b.limit < 1 {
		return p, nil
	}
	before, err := b.enter(ctx, p)
	if err == nil && before < 0 {
		b.client.permits.add(p)
		return p, nil
	}
	b.withdraw(ctx, p)
	if err != nil {
		return nil, fmt.Errorf("taking a permit of %s: %w", b.key, err)
	}
	return nil, nil
}

// enter returns how many wait before the permit, and -1 when it was granted.
func (b *Budget) enter(ctx context.Context, p *Permit) (int, error) {
	keys := []string{b.key, b.queue(), b.waiters()}
	cmd, err := b.client.eval(ctx, enterScript, keys, p.id, b.limit, b.ttl.Milliseconds(), patience.Milliseconds())
	if err != nil {
		return 0, err
	}
	return cmd.Int()
}

// pause waits until the queue may have moved: the longer the farther back.
func pause(ctx context.Context, before int) error {
	d := min(20*time.Millisecond*time.Duration(before+2), 4*time.Second)
	timer := time.NewTimer(d/2 + rand.N(d))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// withdraw leaves the queue, and the budget in case the grant was not heard. If
// Redis is away, the place lapses.
func (b *Budget) withdraw(ctx context.Context, p *Permit) {
	ctx = context.WithoutCancel(ctx)
	_ = b.client.do(ctx, func(pipe redis.Pipeliner) {
		for _, key := range []string{b.queue(), b.waiters(), b.key} {
			pipe.ZRem(ctx, key, p.id)
		}
	})
}

// Release gives the permit back. It does not wait for Redis and may be called
// more than once.
func (p *Permit) Release() {
	if p.budget.limit >= 1 {
		p.budget.client.permits.drop(p)
	}
}

// Return is Release that waits until others can have the permit, or ctx is done.
// If Redis is away, the permit lapses.
func (p *Permit) Return(ctx context.Context) {
	p.Release()
	if p.budget.limit < 1 {
		return
	}
	select {
	case <-p.gone:
	case <-ctx.Done():
	}
}
