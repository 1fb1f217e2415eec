package persister

import (
	"context"
	"time"

	"go.uber.org/zap"

	"github.com/mailyard/mailyard/pkg/mailstore"
)

// indexSearch keeps the search index of a messaging database up to date, beside
// the mail path: within the transaction it would cost ten times the insert.
func indexSearch(ctx context.Context, name string, store mailstore.Store, logger *zap.Logger) error {
	const batch = 500
	for {
		n, err := store.IndexPending(ctx, batch)
		if err != nil && ctx.Err() == nil {
			logger.Warn("indexing mail for search", zap.Error(err), zap.String("database", name))
		}
		pause := 2 * time.Second
		if err == nil && n == batch {
			pause = 50 * time.Millisecond // more waits; still leave the database to the mail
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause):
		}
	}
}
