package persister

import (
	"context"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/mailyard/mailyard/pkg/fault"
	"github.com/mailyard/mailyard/pkg/mailstore"
)

const (
	// indexBatch is how many mails are indexed in one transaction.
	indexBatch = 200
	// indexPause is between two looks for mails that are not indexed yet.
	indexPause = 2 * time.Second
	// quietTime is how long no mail must have been committed for the indexing to
	// go on without pauses: at full speed it would take the database's time from
	// the mails that wait. patience is how long the index may fall behind.
	quietTime = 500 * time.Millisecond
	patience  = time.Minute
)

// activity is when mail was last committed.
type activity struct{ last atomic.Int64 }

func (a *activity) now() { a.last.Store(time.Now().UnixNano()) }

func (a *activity) quiet() bool { return time.Since(time.Unix(0, a.last.Load())) > quietTime }

// indexSearch keeps the search index of a messaging database up to date, beside
// the mail path: within the transaction it would cost ten times the insert.
func indexSearch(ctx context.Context, name string, store mailstore.Store, busy *activity, logger *zap.Logger) error {
	current := time.Now() // when the index was last known to be up to date
	for {
		pause := indexPause
		if busy.quiet() || time.Since(current) > patience {
			n, err := store.IndexPending(ctx, indexBatch)
			switch {
			case fault.IsUnavailable(err):
				pause = longestPause // whoever opened the database tells that it is away
			case err != nil && ctx.Err() == nil:
				logger.Warn("indexing mail for search", zap.Error(err), zap.String("database", name))
			case n < indexBatch:
				current = time.Now()
			default:
				pause = indexPause / 40
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause):
		}
	}
}
