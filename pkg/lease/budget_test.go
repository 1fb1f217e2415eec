package lease_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/mailyard/mailyard/pkg/fault"
	"github.com/mailyard/mailyard/pkg/lease"
)

func acquire(t *testing.T, budget *lease.Budget) *lease.Permit {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	p, err := budget.Acquire(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// waiting returns how many wait for a permit of the key "host".
func (b *backend) waiting(t *testing.T) (n int64) {
	t.Helper()
	b.raw(t, func(ctx context.Context, r *redis.Client) { n = r.ZCard(ctx, b.prefix+"budget:{host}:queue").Val() })
	return n
}

func testBudgetLimit(t *testing.T, b *backend) {
	const limit = 3
	var now, most atomic.Int32
	var wg sync.WaitGroup
	for range 2 {
		budget := b.dial(t).Budget("host", limit, time.Minute)
		for range 8 {
			wg.Go(func() {
				for range 2 {
					p, err := budget.Acquire(t.Context())
					if err != nil {
						t.Error(err)
						return
					}
					n := now.Add(1)
					for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
					}
					now.Add(-1)
					p.Release()
					p.Release()
				}
			})
		}
	}
	wg.Wait()
	if most.Load() > limit {
		t.Errorf("%d permits were held at a time; want at most %d", most.Load(), limit)
	}
}

func testBudgetOrder(t *testing.T, b *backend) {
	clients := []*lease.Client{b.dial(t), b.dial(t)}
	first := acquire(t, clients[0].Budget("host", 1, time.Minute))
	var mu sync.Mutex
	var order []int
	var wg sync.WaitGroup
	for i := range 6 {
		wg.Go(func() {
			p, err := clients[i%2].Budget("host", 1, time.Minute).Acquire(t.Context())
			if err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			order = append(order, i)
			mu.Unlock()
			p.Release()
		})
		eventually(t, "it waits", func() bool { return b.waiting(t) == int64(i+1) })
	}
	first.Release()
	wg.Wait()
	for i, who := range order {
		if who != i {
			t.Fatalf("served in the order %v", order)
		}
	}
}

func testBudgetGiveUp(t *testing.T, b *backend) {
	budget := b.dial(t).Budget("host", 1, time.Minute)
	first := acquire(t, budget)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := budget.Acquire(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Acquire = %v; want the error of its ctx", err)
	}
	if n := b.waiting(t); n != 0 {
		t.Errorf("%d wait; want none", n)
	}
	first.Release()
	acquire(t, budget).Release()
}

func testBudgetLapse(t *testing.T, b *backend) {
	const ttl = 450 * time.Millisecond
	l := b.line(t)
	crashes := b.dialURL(t, l.url).Budget("host", 1, ttl)
	lives := b.dial(t).Budget("host", 1, ttl)
	acquire(t, crashes)
	ctx, cancel := context.WithTimeout(t.Context(), 2*ttl)
	defer cancel()
	if _, err := lives.Acquire(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Acquire = %v although the only permit is held and renewed", err)
	}
	l.setCut(true)
	acquire(t, lives).Release()
}

func testBudgetClose(t *testing.T, b *backend) {
	c, err := lease.Dial(t.Context(), lease.Options{URL: b.url, Prefix: b.prefix})
	if err != nil {
		t.Fatal(err)
	}
	acquire(t, c.Budget("host", 1, time.Hour))
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	acquire(t, b.dial(t).Budget("host", 1, time.Hour)).Release()
}

func testBudgetUnlimited(t *testing.T, b *backend) {
	budget := b.dial(t).Budget("host", 0, time.Minute)
	for range 100 {
		defer acquire(t, budget).Release()
	}
}

func testBudgetTry(t *testing.T, b *backend) {
	l := b.line(t)
	one, other := b.dialURL(t, l.url), b.dial(t)
	try := func(c *lease.Client) *lease.Permit {
		t.Helper()
		p, err := c.Budget("host", 2, time.Minute).Try(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	first, second := try(one), try(other)
	if first == nil || second == nil || try(one) != nil || try(other) != nil {
		t.Fatal("of two permits there are not two")
	}
	if n := b.waiting(t); n != 0 {
		t.Errorf("%d wait; want none", n)
	}
	for range 10 {
		first.Return(t.Context())
		first.Return(t.Context())
		if first = try(other); first == nil {
			t.Fatal("a permit that was returned is not there at once")
		}
	}
	l.setCut(true)
	if _, err := one.Budget("host", 2, time.Minute).Try(t.Context()); !fault.IsUnavailable(err) {
		t.Errorf("without Redis: %v", err)
	}
	if try(other) != nil {
		t.Error("there are more permits than two")
	}
}
