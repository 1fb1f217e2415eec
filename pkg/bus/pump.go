package bus

import (
	"context"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"go.uber.org/zap"

	"github.com/mailyard/mailyard/pkg/fault"
	"github.com/mailyard/mailyard/schemas"
)

// redoDelay is the pause before a message is tried again that failed for want
// of a server or of room.
const redoDelay = 5 * time.Second

// RunRetryPump moves dispose messages whose retry is due from RETRY back to
// DISPOSE, where their partition's owner takes them. The admin service runs it;
// several that do share the work. It returns nil when ctx ends.
func (c *Conn) RunRetryPump(ctx context.Context) error {
	return c.each(ctx, Source{
		Stage:       schemas.StageDisposer,
		Stream:      schemas.StreamRetry,
		Durable:     string(schemas.StageDisposer) + "-" + laneDispose,
		MaxMessages: 64,
	}, c.republish)
}

func (c *Conn) republish(ctx context.Context, m *Message) error {
	l, err := m.letter("")
	if err != nil {
		return err
	}
	// The header keeps the number of the attempt, so that the count goes on.
	msg, err := message(l.subject, carried(l.header), l.payload, "u:"+l.id()+":"+l.position())
	if err != nil {
		return err
	}
	_, err = c.publish(ctx, msg)
	return err
}

// each handles the messages of a source one after the other until ctx ends:
// acked when handled, dead when that is impossible for ever, else tried again.
func (c *Conn) each(ctx context.Context, source Source, handle func(context.Context, *Message) error) error {
	sub, err := c.subscribe(ctx, source)
	if ctx.Err() != nil {
		return nil
	}
	if err != nil {
		return err
	}
	defer sub.Stop()
	failing := false
	for {
		select {
		case <-ctx.Done():
			return nil
		case m, ok := <-sub.Messages():
			if !ok {
				return fmt.Errorf("handling messages of %s: %w", source.Durable, nats.ErrConnectionClosed)
			}
			err := handle(ctx, m)
			if err != nil && !fault.IsPermanent(err) {
				if !failing {
					c.logger.Warn("a message cannot be handled now; trying again", zap.String("consumer", source.Durable), zap.Error(err))
				}
				failing = true
				err = m.msg.NakWithDelay(redoDelay)
			} else {
				failing = false
				err = m.Settle(ctx, err)
			}
			if err != nil {
				c.logger.Warn("a message could not be ended; it comes again", zap.String("consumer", source.Durable), zap.Error(err))
			}
		}
	}
}
