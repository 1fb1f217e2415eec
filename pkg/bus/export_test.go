package bus

import (
	"context"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// AllowPerStep sets how long the store may take for one step of a Put.
func (b *Blobs) AllowPerStep(d time.Duration) { b.step = d }

// RetrySoon makes the retries of the connection's messages due at once.
func (c *Conn) RetrySoon() {
	for i := range c.delays {
		c.delays[i] = time.Millisecond
	}
}

// Scan reads what a stream has, as listings do; asked is told how many messages
// there are before they are asked for.
func (c *Conn) Scan(ctx context.Context, stream jetstream.Stream, asked func(), each func(jetstream.Msg)) error {
	wanted := func(uint64) bool { asked(); return true }
	return c.scan(ctx, stream, jetstream.ConsumerConfig{DeliverPolicy: jetstream.DeliverAllPolicy}, wanted, func(m jetstream.Msg, _ *jetstream.MsgMetadata) bool {
		each(m)
		return true
	})
}
