package control

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"
)

const (
	rotationPoll    = time.Second           // how often it is looked whether there is one
	rotationStep    = 10 * time.Millisecond // between batches: others write too
	rotationBlocked = 50 * time.Millisecond // while records wait to be published
)

// A Rotator does the rotations that RotateTenantKey begins: batch after batch,
// no faster than the records are published, and then it destroys the old
// version. All that it has to know stands in the control database, so that it
// goes on wherever another one stopped. Several may run.
type Rotator struct {
	store  *Store
	logger *zap.Logger
	passes map[string]*pass // by tenant
}

// A pass goes once over a tenant's mailboxes.
type pass struct {
	behind     string // the mailbox that it has come to
	unreadable []string
	// published is the outbox row up to which must be published before the old
	// version goes; set when no password of it is left.
	published *int64
}

// NewRotator returns a rotator.
func NewRotator(store *Store, logger *zap.Logger) *Rotator {
	if logger == nil {
		logger = zap.NewNop()
	}
	return &Rotator{store, logger, map[string]*pass{}}
}

// Run does what rotations there are until ctx ends. It calls ready when it has
// looked for the first time. While the database is away it tries again.
func (r *Rotator) Run(ctx context.Context, ready func()) error {
	return repeat(ctx, r.logger, "rotating keys of tenants", ready, r.step)
}

// step takes each rotation one step further. It returns when there is more to do.
func (r *Rotator) step(ctx context.Context) (wait time.Duration, err error) {
	tenants, err := r.store.tenantsRotating(ctx)
	if err != nil {
		return 0, err
	}
	wait, passes := rotationPoll, r.passes
	r.passes = map[string]*pass{}
	for _, tenant := range tenants {
		p := passes[tenant]
		if p == nil {
			p = &pass{}
		}
		r.passes[tenant] = p
		w, stepErr := r.advance(ctx, tenant, p)
		if stepErr != nil {
			err = errors.Join(err, fmt.Errorf("rotating the key of tenant %s: %w", tenant, stepErr))
			continue
		}
		wait = min(wait, w)
	}
	return wait, err
}

func (r *Rotator) advance(ctx context.Context, tenant string, p *pass) (wait time.Duration, err error) {
	waiting, _, err := r.store.outboxState(ctx)
	if err != nil {
		return 0, err
	}
	if waiting >= reencryptBatch {
		return rotationBlocked, nil // changes of administrators wait behind a batch or two, not behind all
	}
	if p.published != nil {
		return r.end(ctx, tenant, p)
	}
	last, unreadable, err := r.store.reencrypt(ctx, tenant, p.behind)
	if err != nil {
		return 0, err
	}
	p.unreadable = append(p.unreadable, unreadable...)
	if last != "" {
		p.behind = last
		return rotationStep, nil
	}
	news, err := r.store.reportUnreadable(ctx, tenant, p.unreadable)
	if err != nil {
		return 0, err
	}
	if len(p.unreadable) > 0 {
		if news {
			r.logger.Warn("no version of the tenant's key opens these mailboxes' passwords; its rotation waits until they are set again",
				zap.String("tenant", tenant), zap.Strings("mailboxes", p.unreadable))
		}
		*p = pass{}
		return rotationPoll, nil
	}
	// Looked at after the last batch was committed, so that its rows are counted.
	_, newest, err := r.store.outboxState(ctx)
	if err != nil {
		return 0, err
	}
	p.published = &newest
	return rotationStep, nil
}

// end ends the rotation when everything is published.
func (r *Rotator) end(ctx context.Context, tenant string, p *pass) (wait time.Duration, err error) {
	ended, err := r.store.endRotation(ctx, tenant, *p.published)
	switch {
	case errors.Is(err, errOutdated):
		*p = pass{}
		return rotationStep, nil
	case err != nil:
		return 0, err
	case !ended:
		return rotationBlocked, nil
	}
	r.logger.Info("the rotation of a tenant's key has ended", zap.String("tenant", tenant))
	return rotationPoll, nil
}

// tenantsRotating returns the tenants whose key is being rotated.
func (s *Store) tenantsRotating(ctx context.Context) (list []string, err error) {
	err = s.read(ctx, func(q querier) error {
		return q.each(ctx, func(row scanner) error {
			var tenant string
			err := row.Scan(&tenant)
			list = append(list, tenant)
			return err
		}, `SELECT id FROM tenants WHERE rotation IS NOT NULL AND deleted_at IS NULL ORDER BY id`)
	})
	if err != nil {
		return nil, fmt.Errorf("listing rotations: %w", err)
	}
	return list, nil
}
