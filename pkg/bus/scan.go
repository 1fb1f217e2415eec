package bus

import (
	"context"
	"errors"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// scanBatch is how many messages are asked for at once.
const scanBatch = 500

// scan reads the messages that a stream has for a consumer that lives for this
// once, in their order: those that are there when it begins, and possibly some
// that come meanwhile. wanted is asked first whether so many messages are worth
// reading; nil is yes. each returns false to end it.
func (c *Conn) scan(ctx context.Context, stream jetstream.Stream, config jetstream.ConsumerConfig, wanted func(pending uint64) bool, each func(jetstream.Msg, *jetstream.MsgMetadata) bool) (err error) {
	config.AckPolicy, config.MemoryStorage, config.Replicas, config.InactiveThreshold = jetstream.AckNonePolicy, true, 1, time.Minute
	consumer, err := stream.CreateConsumer(ctx, config)
	if err != nil {
		return err
	}
	defer func() {
		err = errors.Join(err, unless(jetstream.ErrConsumerNotFound, stream.DeleteConsumer(ctx, consumer.CachedInfo().Name)))
	}()
	left := consumer.CachedInfo().NumPending
	if wanted != nil && !wanted(left) {
		return nil
	}
	for left > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		batch, err := consumer.FetchNoWait(int(min(left, scanBatch)))
		if err != nil {
			return err
		}
		read := 0
		for msg := range batch.Messages() {
			read++
			meta, err := msg.Metadata()
			if err != nil {
				return err
			}
			left = meta.NumPending
			if !each(msg, meta) {
				return nil
			}
		}
		if err := batch.Error(); err != nil {
			return err
		}
		if read == 0 {
			return nil // what was there expired meanwhile
		}
	}
	return nil
}
