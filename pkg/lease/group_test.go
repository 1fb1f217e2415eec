package lease_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/mailyard/mailyard/pkg/lease"
)

const (
	ttl       = 1500 * time.Millisecond
	heartbeat = 200 * time.Millisecond
)

// world watches all replicas of a test: who serves what, and that nothing is
// ever served twice at a time or with a fence that did not grow.
type world struct {
	t      *testing.T
	ttl    time.Duration
	mu     sync.Mutex
	server map[string]string // resource -> replica
	fence  map[string]int64
	begun  map[string]int   // how often a resource began to be served
	causes map[string]error // resource -> why its last service ended
}

func newWorld(t *testing.T) *world {
	return &world{t: t, ttl: ttl, server: map[string]string{}, fence: map[string]int64{}, begun: map[string]int{}, causes: map[string]error{}}
}

func (w *world) begin(replica string, l lease.Lease) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if other := w.server[l.Resource]; other != "" {
		w.t.Errorf("%s begins to serve %s while %s does", replica, l.Resource, other)
	}
	if l.Fence < w.fence[l.Resource] {
		w.t.Errorf("fence of %s went from %d to %d", l.Resource, w.fence[l.Resource], l.Fence)
	}
	w.server[l.Resource], w.fence[l.Resource] = replica, l.Fence
	w.begun[l.Resource]++
}

func (w *world) end(ctx context.Context, l lease.Lease) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.server[l.Resource] = ""
	w.causes[l.Resource] = context.Cause(ctx)
}

// shares returns how many resources each replica serves.
func (w *world) shares() map[string]int {
	w.mu.Lock()
	defer w.mu.Unlock()
	shares := map[string]int{}
	for _, replica := range w.server {
		if replica != "" {
			shares[replica]++
		}
	}
	return shares
}

func (w *world) serves(resource string) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.server[resource]
}

// begins returns how often the service of a resource began.
func (w *world) begins(resource string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.begun[resource]
}

// cause returns why the last service of a resource ended.
func (w *world) cause(resource string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.causes[resource]
}

// A replica runs a group until it is stopped.
type replica struct {
	name  string
	group *lease.Group
	stop  func()
}

func (w *world) replica(c *lease.Client, name string, want []string, finish func(ctx context.Context)) *replica {
	g := c.NewGroup(lease.GroupOptions{Name: "fetcher", Replica: name, TTL: w.ttl, Heartbeat: heartbeat})
	g.Want(want)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		err := g.Run(ctx, func(ctx context.Context, l lease.Lease) {
			w.begin(name, l)
			<-ctx.Done()
			if finish != nil {
				finish(ctx)
			}
			w.end(ctx, l)
		})
		if err != nil {
			w.t.Errorf("Run of %s = %v", name, err)
		}
	}()
	r := &replica{name: name, group: g, stop: sync.OnceFunc(func() { cancel(); <-done })}
	w.t.Cleanup(r.stop)
	return r
}

func mailboxes(n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("acme/mailbox-%03d", i)
	}
	return names
}

// A replica may be stopped while a lease is given back: what is not given back
// nobody serves until it lapses.
func testStopGivesBack(t *testing.T, b *backend) {
	c := b.dial(t)
	for range 40 {
		ended := make(chan struct{})
		w := newWorld(t)
		r := w.replica(c, "a", []string{"one"}, func(context.Context) { close(ended) })
		eventually(t, "it is served", func() bool { return w.serves("one") == "a" })
		r.group.Want(nil)
		<-ended
		r.stop()
		b.raw(t, func(ctx context.Context, c *redis.Client) {
			if own := c.HGetAll(ctx, b.prefix+"lease:{fetcher}:own").Val(); len(own) != 0 {
				t.Fatalf("leases that were not given back: %v", own)
			}
		})
	}
}

func testWant(t *testing.T, b *backend) {
	w := newWorld(t)
	w.ttl = 4 * ttl // a busy machine takes its time too
	began := time.Now()
	r := w.replica(b.dial(t), "a", []string{"one", "two", "two"}, nil)
	eventually(t, "both are served", func() bool { return w.shares()["a"] == 2 })
	if d := time.Since(began); d > w.ttl {
		t.Errorf("a sole replica took %v to serve", d)
	}
	r.group.Want([]string{"two", "three"})
	eventually(t, "the new ones are served", func() bool {
		return w.serves("one") == "" && w.serves("two") == "a" && w.serves("three") == "a"
	})
	r.stop()
	if n := len(w.shares()); n != 0 {
		t.Errorf("%d replicas serve after Run has returned", n)
	}
	if n := w.begins("two"); n != 1 {
		t.Errorf("the service of what stayed wanted began %d times", n)
	}
	if one, two := w.cause("one"), w.cause("two"); !errors.Is(one, lease.ErrHandOver) || !errors.Is(two, context.Canceled) {
		t.Errorf("ended by %v and %v; want a hand-over and the end of Run's ctx", one, two)
	}
	b.raw(t, func(ctx context.Context, c *redis.Client) {
		if own := c.HGetAll(ctx, b.prefix+"lease:{fetcher}:own").Val(); len(own) != 0 {
			t.Errorf("leases that were not given back: %v", own)
		}
		if members := c.ZRange(ctx, b.prefix+"lease:{fetcher}:members", 0, -1).Val(); len(members) != 0 {
			t.Errorf("members that left are still there: %v", members)
		}
	})
}

func testComeAndGo(t *testing.T, b *backend) {
	const n = 60
	w := newWorld(t)
	fair := func(names ...string) func() bool {
		return func() bool {
			shares, sum := w.shares(), 0
			for _, name := range names {
				if shares[name] < n/len(names)/3 {
					return false
				}
				sum += shares[name]
			}
			return sum == n
		}
	}
	a := w.replica(b.dial(t), "a", mailboxes(n), nil)
	eventually(t, "a serves all", fair("a"))
	c := w.replica(b.dial(t), "b", mailboxes(n), nil)
	eventually(t, "a and b share", fair("a", "b"))
	w.replica(b.dial(t), "c", mailboxes(n), nil)
	eventually(t, "three share", fair("a", "b", "c"))
	a.stop()
	eventually(t, "b and c share", fair("b", "c"))
	c.stop()
	eventually(t, "c serves all", fair("c"))
}

func testCrash(t *testing.T, b *backend) {
	const n = 20
	w := newWorld(t)
	l := b.line(t)
	w.replica(b.dialURL(t, l.url), "crashes", mailboxes(n), nil)
	eventually(t, "the first serves all", func() bool { return w.shares()["crashes"] == n })
	w.replica(b.dial(t), "survives", mailboxes(n), nil)
	eventually(t, "both serve", func() bool { s := w.shares(); return s["survives"] > 0 && s["survives"]+s["crashes"] == n })
	l.setCut(true)
	eventually(t, "the second serves all", func() bool { return w.shares()["survives"] == n })
}

func testSlowHandOver(t *testing.T, b *backend) {
	w := newWorld(t)
	finish := make(chan struct{})
	slow := func(ctx context.Context) {
		if errors.Is(context.Cause(ctx), lease.ErrHandOver) {
			<-finish
		}
	}
	const n = 20
	w.replica(b.dial(t), "old", mailboxes(n), slow)
	eventually(t, "the old one serves all", func() bool { return w.shares()["old"] == n })
	w.replica(b.dial(t), "new", mailboxes(n), nil)
	mayFinish := sync.OnceFunc(func() { close(finish) })
	t.Cleanup(mayFinish)
	during(t, ttl+ttl/3, "the old one finishes, beyond the TTL", func() bool { return w.shares()["old"] == n })
	mayFinish()
	eventually(t, "the new one has its share", func() bool { s := w.shares(); return s["new"] > 0 && s["old"]+s["new"] == n })
}

// With leases of an hour, only one that was given back can be taken over.
func testHandOver(t *testing.T, b *backend) {
	const n = 20
	w := newWorld(t)
	w.ttl = time.Hour
	old := w.replica(b.dial(t), "old", mailboxes(n), nil)
	eventually(t, "the old one serves all", func() bool { return w.shares()["old"] == n })
	w.replica(b.dial(t), "new", mailboxes(n), nil)
	eventually(t, "they share", func() bool { s := w.shares(); return s["new"] > 0 && s["old"]+s["new"] == n })
	old.stop()
	eventually(t, "the new one serves all", func() bool { return w.shares()["new"] == n })
}

func testEarlyReturn(t *testing.T, b *backend) {
	g := b.dial(t).NewGroup(lease.GroupOptions{Name: "g", TTL: ttl, Heartbeat: heartbeat})
	g.Want([]string{"one"})
	ctx, cancel := context.WithCancel(t.Context())
	var fences []int64
	if err := g.Run(ctx, func(_ context.Context, l lease.Lease) {
		fences = append(fences, l.Fence)
		if len(fences) == 3 {
			cancel()
		}
	}); err != nil {
		t.Error(err)
	}
	if !slices.IsSorted(fences) || fences[0] == fences[2] {
		t.Errorf("fences of three leases in turn: %v", fences)
	}
}

func testFlush(t *testing.T, b *backend) {
	const n = 20
	w := newWorld(t)
	w.replica(b.dial(t), "a", mailboxes(n), nil)
	w.replica(b.dial(t), "b", mailboxes(n), nil)
	shared := func() bool { s := w.shares(); return s["a"] > 0 && s["b"] > 0 && s["a"]+s["b"] == n }
	eventually(t, "both serve", shared)
	w.mu.Lock()
	clear(w.begun)
	before := w.fence[mailboxes(1)[0]]
	w.mu.Unlock()
	b.flush(t)
	during(t, ttl+ttl/3, "both serve", shared)
	w.mu.Lock()
	if len(w.begun) > 0 {
		t.Errorf("services that were interrupted by the flush: %v", w.begun)
	}
	if after := w.fence[mailboxes(1)[0]]; after != before {
		t.Errorf("fence went from %d to %d", before, after)
	}
	w.mu.Unlock()
	b.raw(t, func(ctx context.Context, c *redis.Client) {
		if got := c.HLen(ctx, b.prefix+"lease:{fetcher}:own").Val(); got != n {
			t.Errorf("%d leases are on record after the flush; want %d", got, n)
		}
	})
}

func testShortOutage(t *testing.T, b *backend) {
	w := newWorld(t)
	l := b.line(t)
	w.replica(b.dialURL(t, l.url), "a", mailboxes(5), nil)
	serves := func() bool { return w.shares()["a"] == 5 }
	eventually(t, "a serves all", serves)
	l.setCut(true)
	during(t, ttl/8, "a serves all", serves)
	l.setCut(false)
	during(t, ttl, "a serves all", serves)
	if w.begins(mailboxes(1)[0]) != 1 {
		t.Error("the outage interrupted the service")
	}
}

func testLongOutage(t *testing.T, b *backend) {
	w := newWorld(t)
	w.ttl = 4 * ttl // a sixth of it is all the time that a busy machine has
	l := b.line(t)
	w.replica(b.dialURL(t, l.url), "a", mailboxes(5), nil)
	eventually(t, "a serves all", func() bool { return w.shares()["a"] == 5 })
	l.setCut(true)
	begin := time.Now()
	eventually(t, "the leases are over", func() bool { return w.shares()["a"] == 0 })
	if d := time.Since(begin); d < w.ttl/3 || d > w.ttl {
		t.Errorf("holds ended %v after Redis went away; want before the TTL of %v and not long before", d, w.ttl)
	}
	if err := w.cause(mailboxes(1)[0]); !errors.Is(err, lease.ErrLost) {
		t.Errorf("cause = %v; want ErrLost", err)
	}
	l.setCut(false)
	eventually(t, "a serves all again", func() bool { return w.shares()["a"] == 5 })
}

func testStolen(t *testing.T, b *backend) {
	w := newWorld(t)
	w.replica(b.dial(t), "a", []string{"one", "two"}, nil)
	eventually(t, "a serves", func() bool { return w.shares()["a"] == 2 })
	b.raw(t, func(ctx context.Context, c *redis.Client) {
		far := time.Now().Add(time.Hour).UnixMilli()
		err := c.HSet(ctx, b.prefix+"lease:{fetcher}:own", "one", fmt.Sprintf("%d|%d|thief", far, far)).Err()
		if err != nil {
			t.Fatal(err)
		}
	})
	eventually(t, "a stopped serving it", func() bool { return w.serves("one") == "" })
	during(t, ttl/2, "a serves only the other", func() bool { return w.serves("one") == "" && w.serves("two") == "a" })
	if err := w.cause("one"); !errors.Is(err, lease.ErrLost) {
		t.Errorf("cause = %v; want ErrLost", err)
	}
}

func testRunsOnce(t *testing.T, b *backend) {
	g := b.dial(t).NewGroup(lease.GroupOptions{Name: "g", TTL: ttl, Heartbeat: heartbeat})
	g.Want([]string{"one"})
	ctx, cancel := context.WithCancel(t.Context())
	if err := g.Run(ctx, func(ctx context.Context, _ lease.Lease) {
		if err := g.Run(ctx, nil); err == nil {
			t.Error("a group ran twice at a time")
		}
		cancel()
	}); err != nil {
		t.Error(err)
	}
}
