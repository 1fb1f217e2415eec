package persister

import (
	"context"
	"math/rand/v2"
	"time"

	"go.uber.org/zap"

	"github.com/mailyard/mailyard/pkg/bus"
	"github.com/mailyard/mailyard/pkg/configwatch"
	"github.com/mailyard/mailyard/pkg/fault"
	"github.com/mailyard/mailyard/pkg/mailstore"
	"github.com/mailyard/mailyard/pkg/process"
)

const (
	// sweepPause is between two looks for mail whose disposal is overdue.
	sweepPause = time.Minute
	// sweepBatch is how many mails are asked for at once.
	sweepBatch = 1000
)

// A sweeper asks again for the disposal of mail of which none was recorded for
// long: the order or the answer was lost with the store of NATS. A mail that left
// the inbox meanwhile is a success to the disposer, which tells of it again. The
// database decides which replica asks for a mail, and how often.
type sweeper struct {
	conn    *bus.Conn
	name    string // of the database
	store   *database
	watcher *configwatch.Watcher
	parked  *bus.Parked
	logger  *zap.Logger
}

// run looks at bounded intervals until ctx is done.
func (s *sweeper) run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(sweepPause*3/4 + rand.N(sweepPause/2)):
		}
		err := s.sweep(ctx, time.Now())
		if err != nil && !fault.IsUnavailable(err) && ctx.Err() == nil {
			s.logger.Warn("asking again for overdue disposals", zap.Error(err), zap.String("database", s.name))
		}
	}
}

// sweep asks for all mail whose disposal is overdue as of now.
func (s *sweeper) sweep(ctx context.Context, now time.Time) error {
	for ctx.Err() == nil {
		claimed, err := s.store.ClaimOverdue(process.Hard(ctx), now, sweepBatch)
		if err != nil {
			return err
		}
		var mails []mailstore.Overdue
		for _, m := range claimed {
			if s.disposable(m) {
				mails = append(mails, m)
			}
		}
		if len(mails) > 0 {
			s.logger.Info("asking again for the disposal of mail; none was recorded", zap.Int("mails", len(mails)), zap.String("database", s.name))
			if err := s.conn.PublishUntil(ctx, process.Hard(ctx), ordersOf(mails, now)); err != nil {
				return err
			}
		}
		if len(claimed) < sweepBatch {
			return nil
		}
	}
	return nil
}

// disposable reports whether a mail can be disposed of as its mailbox is now: it
// is served, by this database, and still is the account that the mail came from.
// A mail that is parked waits for a person.
func (s *sweeper) disposable(m mailstore.Overdue) bool {
	view, ok := s.watcher.Mailbox(m.Key.Tenant, m.Key.Mailbox)
	return ok && view.Mailbox.DeletedAt == nil && view.Mailbox.Document.Enabled &&
		view.Tenant.Document.MessagingDatabase == s.name && view.Mailbox.Document.Origin() == m.Origin && !s.parked.Has(m.Key)
}
