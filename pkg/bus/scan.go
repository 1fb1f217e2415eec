package bus

import (
	"context"
	"errors"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

const (
	scanBatch   = 500              // messages that are asked for at once
	scanTimeout = 30 * time.Second // of one scan, when the context has no deadline
)

// errScanLost says that messages were sent and did not come: what was read has gaps.
var errScanLost = errors.New("the server is too slow or too far away: messages were lost on the way")

// scan reads the messages that a stream has for a consumer that lives for this
// once, in their order: those that are there when it begins, and possibly some
// that come meanwhile. wanted is asked first whether so many messages are worth
// reading; nil is yes. each returns false to end it. Without an error, each was
// called for all of them.
func (c *Conn) scan(ctx context.Context, stream jetstream.Stream, config jetstream.ConsumerConfig, wanted func(pending uint64) bool, each func(jetstream.Msg, *jetstream.MsgMetadata) bool) (err error) {
	ctx, cancel := withTimeout(ctx, scanTimeout)
	defer cancel()
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
	received := uint64(0)
	for left > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		asked := min(left, scanBatch)
		batch, err := consumer.FetchNoWait(int(asked))
		if err != nil {
			return err
		}
		read := uint64(0)
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
		if received += read; read == asked {
			continue
		}
		// Some expired meanwhile, or nothing came for a second: the library ends
		// the batch in both cases, and says so in neither.
		if left, err = unread(ctx, consumer, received); err != nil {
			return err
		}
	}
	return nil
}

// unread asks how many messages a consumer that acknowledges nothing has left,
// after so many were received.
func unread(ctx context.Context, consumer jetstream.Consumer, received uint64) (uint64, error) {
	info, err := consumer.Info(ctx)
	if err != nil {
		return 0, err
	}
	if info.Delivered.Consumer != received {
		return 0, errScanLost
	}
	return info.NumPending, nil
}

// lastOf drops the oldest of what was read when it is twice the limit: of a
// stream of any length no more is kept, and little is copied.
func lastOf[T any](list []T, limit int) []T {
	if len(list) < 2*limit {
		return list
	}
	return append(list[:0], list[len(list)-limit:]...)
}
