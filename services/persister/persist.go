package persister

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"time"

	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"github.com/mailyard/mailyard/pkg/bus"
	"github.com/mailyard/mailyard/pkg/fault"
	"github.com/mailyard/mailyard/pkg/mailstore"
)

// An outage is a messaging database that is away.
type outage struct {
	store mailstore.Store
	err   error
}

// persist brings a batch to its end: each of its messages is settled when it
// returns. It returns the outage that it met, if it met one.
func (l *lane) persist(ctx context.Context, batch []*bus.Message) *outage {
	defer bus.KeepAlive(batch...)()
	for store, works := range l.loadAll(ctx, batch) {
		committed, err := l.commit(ctx, store, works)
		if err := l.announce(ctx, committed); err != nil {
			// Committed but not announced: delivered again, the commit finds
			// the rows there and the announcement is made up for.
			l.logger.Warn("announcing committed mail", zap.Error(err), zap.Int("mails", len(committed)))
			nakAll(committed)
			continue
		}
		for _, w := range committed {
			l.settle(ctx, w.message, nil)
			l.dropBlob(ctx, w)
		}
		if err != nil {
			return &outage{store, err}
		}
	}
	return nil
}

// loadAll loads a batch on all cores and groups it by database. A mail that
// cannot be loaded is settled here.
func (l *lane) loadAll(ctx context.Context, batch []*bus.Message) map[mailstore.Store][]*work {
	var mu sync.Mutex
	groups := map[mailstore.Store][]*work{}
	var g errgroup.Group
	g.SetLimit(runtime.GOMAXPROCS(0))
	for _, m := range batch {
		g.Go(func() error {
			w, err := l.load(ctx, m)
			if errors.Is(err, errGone) {
				err = l.release(ctx, w)
				l.settle(ctx, m, err)
				return nil
			}
			var store mailstore.Store
			if err == nil {
				store, err = l.stores.of(w.event.Tenant)
			}
			if err != nil {
				l.settle(ctx, m, err)
				return nil
			}
			mu.Lock()
			defer mu.Unlock()
			groups[store] = append(groups[store], w)
			return nil
		})
	}
	_ = g.Wait() // its functions return no error
	return groups
}

// commit stores works in one transaction and returns those that are committed.
// When the database refuses the batch, each half is tried by itself, down to
// the mail at fault, which is settled with the error. An error returned means
// that the database is away; what was not committed by then is handed back.
func (l *lane) commit(ctx context.Context, store mailstore.Store, works []*work) ([]*work, error) {
	mails := make([]mailstore.Mail, len(works))
	for i, w := range works {
		mails[i] = w.mail
	}
	outcomes, err := store.Persist(ctx, mails)
	l.stores.activity.now()
	switch {
	case err == nil:
		for i, w := range works {
			w.outcome = outcomes[i]
		}
		return works, nil
	case fault.IsUnavailable(err), ctx.Err() != nil:
		nakAll(works)
		return nil, err
	case len(works) == 1:
		l.settle(ctx, works[0].message, fmt.Errorf("persisting %s: %w", works[0].mail.Key, err))
		return nil, nil
	}
	half := len(works) / 2
	first, err := l.commit(ctx, store, works[:half])
	if err != nil {
		nakAll(works[half:])
		return first, err
	}
	second, err := l.commit(ctx, store, works[half:])
	return append(first, second...), err
}

// awaitStore returns when the database answers again or ctx is done.
func (l *lane) awaitStore(ctx context.Context, o *outage) {
	l.logger.Warn("messaging database is away; mail waits in its stream", zap.Error(o.err))
	began := time.Now()
	for wait := time.Second; ctx.Err() == nil; wait = min(2*wait, 15*time.Second) {
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
		if err := o.store.Ping(ctx); err == nil {
			l.logger.Info("messaging database is back", zap.Duration("after", time.Since(began)))
			return
		}
	}
}

func (l *lane) settle(ctx context.Context, m *bus.Message, err error) {
	if err := m.Settle(ctx, err); err != nil {
		// Not settled means delivered again, which is harmless.
		l.logger.Warn("settling message", zap.Error(err), zap.String("subject", m.Subject()))
	}
}

func nakAll(works []*work) {
	for _, w := range works {
		_ = w.message.Nak() // if it does not arrive, AckWait does the same later
	}
}
