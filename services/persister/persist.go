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
	"github.com/mailyard/mailyard/pkg/process"
)

// persist brings a batch to its end: each of its messages is settled when it
// returns. It calls away when it has to wait for a database, which it does until
// ctx is done; what can be done is finished under its hard context.
func (l *lane) persist(ctx context.Context, batch []*bus.Message, away func()) {
	defer bus.KeepAlive(batch...)()
	var g sync.WaitGroup
	for store, works := range l.loadAll(ctx, batch) {
		g.Go(func() { l.persistIn(ctx, store, works, away) }) // no database waits for another one
	}
	g.Wait()
}

// persistIn brings those mails of a batch to their end that belong in one database.
func (l *lane) persistIn(ctx context.Context, store *database, works []*work, away func()) {
	hard := process.Hard(ctx)
	committed := l.commit(ctx, store, works, away)
	if err := l.announce(ctx, committed); err != nil {
		// Committed but not announced: delivered again, the commit finds
		// the rows there and the announcement is made up for.
		l.logger.Warn("announcing committed mail", zap.Error(err), zap.Int("mails", len(committed)))
		nakAll(committed)
		return
	}
	for _, w := range committed {
		l.committed.WithLabelValues(string(l.name), string(w.outcome.Verdict)).Inc()
		l.settle(hard, w.message, nil)
		l.dropBlob(hard, w)
	}
}

// loadAll loads a batch on all cores and groups it by database. A mail that
// cannot be loaded is settled here.
func (l *lane) loadAll(ctx context.Context, batch []*bus.Message) map[*database][]*work {
	hard := process.Hard(ctx)
	var mu sync.Mutex
	groups := map[*database][]*work{}
	var g errgroup.Group
	g.SetLimit(runtime.GOMAXPROCS(0))
	for _, m := range batch {
		g.Go(func() error {
			w, err := l.load(hard, m)
			if errors.Is(err, errGone) {
				err = l.release(ctx, w)
				l.settle(hard, m, err)
				return nil
			}
			var store *database
			if err == nil {
				store, err = l.stores.of(w.event.Tenant)
			}
			if err != nil {
				l.settle(hard, m, err)
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

// commit stores works in one transaction and returns those that are committed;
// the others are settled. When the database refuses the batch, each half is
// tried by itself, down to the mail at fault.
func (l *lane) commit(ctx context.Context, store *database, works []*work, away func()) []*work {
	hard := process.Hard(ctx)
	outcomes, err := l.store(ctx, store, works, away)
	switch {
	case err == nil:
		for i, w := range works {
			w.outcome = outcomes[i]
		}
		return works
	case hard.Err() != nil, ctx.Err() != nil && fault.IsUnavailable(err):
		nakAll(works)
		return nil
	case len(works) == 1 || fault.IsUnavailable(err):
		for _, w := range works {
			l.settle(hard, w.message, fmt.Errorf("persisting %s: %w", w.mail.Key, err))
		}
		return nil
	}
	half := len(works) / 2
	return append(l.commit(ctx, store, works[:half], away), l.commit(ctx, store, works[half:], away)...)
}

// The pauses between two attempts of a transaction while the database is away.
const (
	firstPause   = 500 * time.Millisecond
	longestPause = 15 * time.Second
)

// store runs the transaction. While the installation's only database is away it
// tries again until ctx is done, with the mails in hand: nothing else could be
// done for any mail. Where there are several databases, the mails of the one
// that is away go to RETRY instead, so that the others' mails pass.
func (l *lane) store(ctx context.Context, store *database, works []*work, away func()) ([]mailstore.Outcome, error) {
	mails := make([]mailstore.Mail, len(works))
	for i, w := range works {
		mails[i] = w.mail
	}
	for pause := firstPause; ; pause = min(2*pause, longestPause) {
		outcomes, err := store.Persist(process.Hard(ctx), mails)
		l.stores.activity.now()
		if !fault.IsUnavailable(err) || !store.only() || ctx.Err() != nil {
			return outcomes, err
		}
		away()
		select {
		case <-ctx.Done():
			return nil, err
		case <-time.After(pause):
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
