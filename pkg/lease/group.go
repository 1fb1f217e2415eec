package lease

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

// Causes of the end of a hold's context.
var (
	ErrLost     = errors.New("the lease was lost")
	ErrHandOver = errors.New("the lease is handed over")
)

// A Lease is the right to serve a resource. Fence grows with every new lease of
// the resource: whoever stores an effect may refuse a smaller one.
type Lease struct {
	Resource string
	Fence    int64
}

// GroupOptions describe a group and this replica of it. All replicas of a group
// must have the same durations.
type GroupOptions struct {
	Name    string // of the group, such as "fetcher"
	Replica string // shown to people; a random suffix makes it unique
	// TTL is how long a lease lasts without renewal; 0 is 30 s. Renew is
	// between renewals (0: 10 s, at most TTL/3), Heartbeat between signs of life
	// (0: 3 s, at most Renew).
	TTL, Renew, Heartbeat time.Duration
}

// A Group shares resources among the replicas that run it.
type Group struct {
	client  *Client
	options GroupOptions
	replica string
	own     string // key: resource -> fence, expiry, owner
	fence   string // key: resource -> last fence
	members string // key: live replicas

	changed chan struct{} // capacity 1
	mu      sync.Mutex
	wanted  map[string]bool
	running bool
}

// NewGroup returns a group that wants nothing yet.
func (c *Client) NewGroup(o GroupOptions) *Group {
	if o.TTL <= 0 {
		o.TTL = 30 * time.Second
	}
	if o.Renew <= 0 {
		o.Renew = 10 * time.Second
	}
	if o.Heartbeat <= 0 {
		o.Heartbeat = 3 * time.Second
	}
	o.Renew = min(o.Renew, o.TTL/3)
	o.Heartbeat = min(o.Heartbeat, o.Renew)
	g := &Group{client: c, options: o, replica: newID(), changed: make(chan struct{}, 1)}
	if o.Replica != "" {
		g.replica = o.Replica + "-" + g.replica
	}
	key := c.prefix + "lease:{" + o.Name + "}:"
	g.own, g.fence, g.members = key+"own", key+"fence", key+"members"
	return g
}

// Replica returns the unique id of this replica.
func (g *Group) Replica() string { return g.replica }

// Want says which resources are to be served by the group: the same on every
// replica. It replaces what was wanted before and may be called at any time.
func (g *Group) Want(resources []string) {
	wanted := make(map[string]bool, len(resources))
	for _, r := range resources {
		wanted[r] = true
	}
	g.mu.Lock()
	g.wanted = wanted
	g.mu.Unlock()
	select {
	case g.changed <- struct{}{}:
	default:
	}
}

// Run serves this replica's share until ctx is done. It calls hold, in a
// goroutine of its own, for each resource whose lease it got; hold serves the
// resource until its ctx is done, which has one of the causes ErrLost (renewed
// too late; Redis may be away) and ErrHandOver (the resource belongs to another
// replica now, or is not wanted any more), or that of Run's ctx. The lease is
// kept until hold has returned and given back then, so two replicas never serve
// at once as long as hold ends within TTL/6 of a loss. A hold that returns while
// its resource is still wanted is called again a little later.
//
// While Redis is away, holds go on until shortly before their leases end. Run
// keeps trying, and returns nil when ctx is done and all holds have returned.
func (g *Group) Run(ctx context.Context, hold func(ctx context.Context, l Lease)) error {
	g.mu.Lock()
	running := g.running
	g.running = true
	g.mu.Unlock()
	if running {
		return fmt.Errorf("running lease group %s: it runs already", g.options.Name)
	}
	t := &tenure{Group: g, hold: hold, held: map[string]*held{}, ended: make(chan *held)}
	t.run(ctx)
	g.mu.Lock()
	g.running = false
	g.mu.Unlock()
	return nil
}

// share returns which of the wanted resources belong to this replica.
func (g *Group) share(view []member) map[string]bool {
	g.mu.Lock()
	wanted := g.wanted // never changed, only replaced
	g.mu.Unlock()
	share := map[string]bool{}
	if len(view) == 0 {
		return share
	}
	for r := range wanted {
		if owner(view, r) == g.replica {
			share[r] = true
		}
	}
	return share
}

// acquire returns the leases it got; the resources of the others are held by someone else.
func (g *Group) acquire(ctx context.Context, resources []string) ([]Lease, error) {
	args := []any{g.replica, g.options.TTL.Milliseconds()}
	for _, r := range resources {
		args = append(args, r)
	}
	cmd, err := g.client.eval(ctx, acquireScript, []string{g.own, g.fence}, args...)
	if err != nil {
		return nil, fmt.Errorf("acquiring leases of %s: %w", g.options.Name, err)
	}
	fences, err := cmd.Int64Slice()
	if err == nil && len(fences) != len(resources) {
		err = fmt.Errorf("%d fences for %d resources", len(fences), len(resources))
	}
	if err != nil {
		return nil, fmt.Errorf("acquiring leases of %s: unexpected answer: %w", g.options.Name, err)
	}
	var leases []Lease
	for i, f := range fences {
		if f > 0 {
			leases = append(leases, Lease{resources[i], f})
		}
	}
	return leases, nil
}

// renew returns, for each lease, whether it still is ours.
func (g *Group) renew(ctx context.Context, leases []Lease) ([]bool, error) {
	args := append([]any{g.replica, g.options.TTL.Milliseconds()}, flat(leases)...)
	cmd, err := g.client.eval(ctx, renewScript, []string{g.own, g.fence}, args...)
	if err != nil {
		return nil, fmt.Errorf("renewing leases of %s: %w", g.options.Name, err)
	}
	kept, err := cmd.BoolSlice()
	if err == nil && len(kept) != len(leases) {
		err = fmt.Errorf("%d results for %d leases", len(kept), len(leases))
	}
	if err != nil {
		return nil, fmt.Errorf("renewing leases of %s: unexpected answer: %w", g.options.Name, err)
	}
	return kept, nil
}

// release gives leases back, in batches.
func (g *Group) release(ctx context.Context, leases []Lease) error {
	for part := range slices.Chunk(leases, batch) {
		args := append([]any{g.replica}, flat(part)...)
		if _, err := g.client.eval(ctx, releaseScript, []string{g.own}, args...); err != nil {
			return fmt.Errorf("releasing leases of %s: %w", g.options.Name, err)
		}
	}
	return nil
}

func flat(leases []Lease) []any {
	args := make([]any, 0, 2*len(leases))
	for _, l := range leases {
		args = append(args, l.Resource, l.Fence)
	}
	return args
}
