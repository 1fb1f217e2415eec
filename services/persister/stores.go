package persister

import (
	"context"
	"fmt"
	"time"

	"github.com/mailyard/mailyard/pkg/configwatch"
	"github.com/mailyard/mailyard/pkg/mailstore"
	"github.com/mailyard/mailyard/schemas"
)

// stores finds the messaging database of a tenant.
type stores struct {
	watcher  *configwatch.Watcher
	byName   map[string]*database
	activity *activity // of all databases together
}

// A database is a messaging database. The installation's only one may be waited
// for, since nothing else could be done for any mail; of several, the one that
// is away is left alone, so that the others' mails pass.
type database struct {
	mailstore.Store
	breaker *breaker // nil: it is the only one
}

func newStores(w *configwatch.Watcher, byName map[string]mailstore.Store) *stores {
	s := &stores{watcher: w, byName: map[string]*database{}, activity: &activity{}}
	for name, store := range byName {
		d := &database{Store: store}
		if len(byName) > 1 {
			d.breaker = &breaker{}
		}
		s.byName[name] = d
	}
	return s
}

func (s *stores) of(tenant string) (*database, error) {
	record, ok := s.watcher.Tenant(tenant)
	if !ok {
		return nil, fmt.Errorf("finding the messaging database of tenant %s: no such tenant in the configuration", tenant)
	}
	name := record.Document.MessagingDatabase
	d, ok := s.byName[name]
	if !ok {
		return nil, fmt.Errorf("finding the messaging database of tenant %s: the installation has none named %q; add messaging.%s to its settings", tenant, name, name)
	}
	return d, nil
}

// only tells whether the installation has no other database.
func (d *database) only() bool { return d.breaker == nil }

// Persist is mailstore.Store's.
func (d *database) Persist(ctx context.Context, mails []mailstore.Mail) (outcomes []mailstore.Outcome, err error) {
	err = d.call(func() error {
		outcomes, err = d.Store.Persist(ctx, mails)
		return err
	})
	return outcomes, err
}

// RecordDisposed is mailstore.Store's.
func (d *database) RecordDisposed(ctx context.Context, e schemas.Disposed) error {
	return d.call(func() error { return d.Store.RecordDisposed(ctx, e) })
}

// ClaimOverdue is mailstore.Store's.
func (d *database) ClaimOverdue(ctx context.Context, now time.Time, limit int) (mails []mailstore.Overdue, err error) {
	err = d.call(func() error {
		mails, err = d.Store.ClaimOverdue(ctx, now, limit)
		return err
	})
	return mails, err
}

func (d *database) call(f func() error) error {
	if d.only() {
		return f()
	}
	return d.breaker.do(f)
}
