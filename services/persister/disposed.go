package persister

import (
	"context"
	"errors"
	"time"

	"go.uber.org/zap"

	"github.com/mailyard/mailyard/pkg/bus"
	"github.com/mailyard/mailyard/pkg/fault"
	"github.com/mailyard/mailyard/pkg/process"
	"github.com/mailyard/mailyard/schemas"
)

// recordDisposals writes into the messaging database which mails left the
// inbox, as the stream tells (EVENTS, or RETRY for another attempt), until ctx
// is done.
func recordDisposals(ctx context.Context, conn *bus.Conn, stream string, stores *stores, logger *zap.Logger) error {
	hard := process.Hard(ctx)
	s, err := conn.Subscribe(ctx, bus.Source{Stage: schemas.StagePersister, Stream: stream, Durable: bus.DurablePersisterDisposed, MaxMessages: 50})
	if err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return err
	}
	defer s.Stop()
	defer context.AfterFunc(ctx, s.Stop)()
	for m := range s.Messages() {
		err := recordDisposal(ctx, m, stores, logger)
		if err := m.Settle(hard, err); err != nil {
			logger.Warn("settling message", zap.Error(err), zap.String("subject", m.Subject()))
		}
	}
	return nil
}

// recordDisposal waits for the installation's only database, when that is away,
// until ctx is done, which is its error then: the message goes back. Where there
// are several, the events of the one that is away wait on RETRY.
func recordDisposal(ctx context.Context, m *bus.Message, stores *stores, logger *zap.Logger) error {
	var event schemas.MailDisposed
	if err := m.Decode(&event); err != nil {
		return fault.Permanent(err)
	}
	store, err := stores.of(event.Data.Tenant)
	if err != nil {
		return err
	}
	for wait := time.Second; ; wait = min(2*wait, 15*time.Second) {
		err := store.RecordDisposed(process.Hard(ctx), event.Data)
		if !fault.IsUnavailable(err) || !store.only() {
			return err
		}
		logger.Warn("recording a disposal waits for the messaging database", zap.Error(err))
		if perr := m.InProgress(); perr != nil {
			return errors.Join(err, perr)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
		}
	}
}
