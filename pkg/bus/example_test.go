package bus_test

import (
	"context"

	"go.uber.org/zap"

	"github.com/mailyard/mailyard/pkg/bus"
	"github.com/mailyard/mailyard/schemas"
)

// A stage receives, has its effect, publishes what follows from it, and settles
// last. When ctx ends it stops to receive and finishes what it has.
func Example() {
	stage := func(ctx context.Context, c *bus.Conn, logger *zap.Logger, decide func(schemas.MailFetched) schemas.MailClassified) error {
		sub, err := c.Subscribe(ctx, bus.Source{
			Stage:   schemas.StageClassifier,
			Stream:  schemas.FetchedStream(schemas.Light),
			Durable: bus.Durable(schemas.StageClassifier, schemas.Light),
		})
		if err != nil {
			return err
		}
		defer context.AfterFunc(ctx, sub.Stop)()
		work := context.WithoutCancel(ctx)
		for m := range sub.Messages() {
			var mail schemas.MailFetched
			err := m.Decode(&mail)
			if err == nil {
				out := decide(mail)
				err = c.Publish(work, schemas.SubjectClassified(mail.Lane, mail.Tenant, mail.Mailbox), out, "c:"+out.ID)
			}
			if err := m.Settle(work, err); err != nil {
				logger.Warn("a message could not be settled; it comes again", zap.Error(err))
			}
		}
		return nil
	}
	_ = stage
}
