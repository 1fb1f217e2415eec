package lease

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"
	"go.uber.org/zap"
)

// tenure is one run of a group. Its fields belong to the goroutine of Run.
type tenure struct {
	*Group
	hold   func(context.Context, Lease)
	damper damper
	held   map[string]*held // by resource; every one has a goroutine
	ended  chan *held
	away   bool // the last call did not reach Redis
}

// held is a lease with the goroutine that serves it.
type held struct {
	Lease
	ctx     context.Context
	end     context.CancelCauseFunc
	expire  *time.Timer // ends ctx shortly before the lease does, by the local monotonic clock
	renewed time.Time   // when the last renewal was sent
	lost    bool        // someone else has the lease: nothing to renew or to release
}

func (t *tenure) run(ctx context.Context) {
	// A call that is cut off may be done all the same: what it took nobody would
	// give back. Each has a deadline of its own.
	calls := context.WithoutCancel(ctx)
	beat := time.NewTicker(t.options.Heartbeat)
	defer beat.Stop()
	// A lease that is handed over becomes free at some moment between two
	// heartbeats: ask for what is missing more often.
	retry := time.NewTicker(max(t.options.Heartbeat/4, time.Millisecond))
	defer retry.Stop()
	missing := false
	t.heartbeat(calls)
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-beat.C:
			t.renewDue(calls)
			t.heartbeat(calls)
			missing = t.reconcile(ctx, -1)
		case <-t.changed:
			missing = t.reconcile(ctx, -1)
		case <-retry.C:
			if missing {
				missing = t.reconcile(ctx, batch)
			}
		case h := <-t.ended:
			t.giveBack(calls, h)
			missing = true
		}
	}
	t.leave(calls)
	for len(t.held) > 0 {
		select {
		case <-beat.C:
			t.renewDue(calls)
		case h := <-t.ended:
			t.giveBack(calls, h)
		}
	}
}

func (t *tenure) heartbeat(ctx context.Context) {
	ttl := t.options.Heartbeat * 10 / 3
	cmd, err := t.client.eval(ctx, heartbeatScript, []string{t.members}, t.replica, ttl.Milliseconds())
	var ids []string
	if err == nil {
		ids, err = cmd.StringSlice()
	}
	if t.reached(err) {
		t.damper.observe(ids)
	}
}

func (t *tenure) leave(ctx context.Context) {
	err := t.client.do(ctx, func(p redis.Pipeliner) { p.ZRem(ctx, t.members, t.replica) })
	t.reached(err)
}

// reconcile hands over what is not ours any more and acquires what is, at most
// limit leases (-1: all). It reports whether leases are missing after it.
func (t *tenure) reconcile(ctx context.Context, limit int) bool {
	share := t.share(t.damper.view)
	for r, h := range t.held {
		if !share[r] {
			h.end(ErrHandOver)
		}
	}
	maps.DeleteFunc(share, func(r string, _ bool) bool { return t.held[r] != nil && t.held[r].ctx.Err() == nil })
	var free []string
	for r := range share {
		if t.held[r] == nil && len(free) != limit {
			free = append(free, r)
		}
	}
	got := 0
	for part := range slices.Chunk(free, batch) {
		if ctx.Err() != nil {
			break
		}
		sent := time.Now()
		leases, err := t.acquire(context.WithoutCancel(ctx), part)
		if !t.reached(err) {
			break
		}
		for _, l := range leases {
			t.serve(ctx, l, sent)
		}
		got += len(leases)
	}
	return len(share) > got
}

// serve starts hold with a lease that was asked for at the given time.
func (t *tenure) serve(ctx context.Context, l Lease, sent time.Time) {
	h := &held{Lease: l, renewed: sent}
	h.ctx, h.end = context.WithCancelCause(ctx)
	h.expire = time.AfterFunc(t.validity(sent), func() { h.end(ErrLost) })
	t.held[l.Resource] = h
	t.client.logger.Debug("lease acquired", zap.String("resource", l.Resource), zap.Int64("fence", l.Fence))
	go func() {
		t.hold(h.ctx, h.Lease)
		t.ended <- h
	}()
}

// validity returns how long a lease that was renewed at the given time may be
// relied upon: a sixth of the TTL is left for hold to come to its end.
func (t *tenure) validity(renewed time.Time) time.Duration {
	return time.Until(renewed.Add(t.options.TTL - t.options.TTL/6))
}

// renewDue renews the leases of all holds that have not returned, also of those
// whose ctx is done: nobody else may serve their resources yet.
func (t *tenure) renewDue(ctx context.Context) {
	var due []Lease
	for _, h := range t.held {
		if !h.lost && time.Since(h.renewed) >= t.options.Renew-t.options.Heartbeat/2 {
			due = append(due, h.Lease)
		}
	}
	for part := range slices.Chunk(due, batch) {
		sent := time.Now()
		kept, err := t.renew(ctx, part)
		if !t.reached(err) {
			return
		}
		for i, l := range part {
			h := t.held[l.Resource]
			if !kept[i] {
				h.lost = true
				h.end(ErrLost)
				t.client.logger.Warn("lease lost", zap.String("resource", l.Resource), zap.Int64("fence", l.Fence))
				continue
			}
			h.renewed = sent
			h.expire.Reset(t.validity(sent))
		}
	}
}

// giveBack releases the lease of a hold that has returned, and those of others
// that have by now.
func (t *tenure) giveBack(ctx context.Context, h *held) {
	var leases []Lease
	for h != nil {
		h.expire.Stop()
		h.end(context.Canceled)
		delete(t.held, h.Resource)
		if !h.lost {
			leases = append(leases, h.Lease)
		}
		select {
		case h = <-t.ended:
		default:
			h = nil
		}
	}
	// What cannot be released now ends by itself.
	t.reached(t.release(ctx, leases))
}

// reached logs when Redis goes away and comes back, once each.
func (t *tenure) reached(err error) bool {
	switch {
	case err != nil && !t.away:
		t.client.logger.Warn("lease group cannot reach redis", zap.String("group", t.options.Name), zap.Error(err))
	case err == nil && t.away:
		t.client.logger.Info("lease group reaches redis again", zap.String("group", t.options.Name))
	}
	t.away = err != nil
	return err == nil
}
