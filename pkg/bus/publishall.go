package bus

import (
	"context"
	"fmt"

	"go.uber.org/zap"

	"github.com/mailyard/mailyard/pkg/fault"
)

// A Publication is an event and where it goes.
type Publication struct {
	Subject string
	Event   any
	MsgID   string
}

// PublishAll publishes events and returns when every one of them has its
// PubAck. While a stream is full or NATS is away it tries again, with back-off,
// until ctx ends: that is how a full stream pushes back. Other errors end it.
func (c *Conn) PublishAll(ctx context.Context, publications []Publication) error {
	return c.PublishUntil(ctx, ctx, publications)
}

// PublishUntil is PublishAll for a service that may be stopped: once stop has
// ended it does not try again. An attempt that is under way goes on until it has
// its answers or hard ends, too; there is always one. The error then is
// fault.Unavailable and that of stop.
func (c *Conn) PublishUntil(stop, hard context.Context, publications []Publication) error {
	for attempt := 0; ; attempt++ {
		failed, err := c.publishOnce(hard, publications)
		if err == nil || !fault.IsUnavailable(err) {
			return err
		}
		if attempt == 0 {
			c.logger.Warn("publishing waits", zap.Error(err), zap.Int("messages", len(failed)))
		}
		if serr := pause(stop, backoff(attempt)); serr != nil {
			return fmt.Errorf("%w: %w", serr, err)
		}
		publications = failed
	}
}

// publishOnce publishes all and returns those that a server which is away or
// full did not take, with one of the errors.
func (c *Conn) publishOnce(ctx context.Context, publications []Publication) (failed []Publication, err error) {
	pending := make([]*Pending, len(publications))
	for i, p := range publications {
		q, perr := c.PublishAsync(ctx, p.Subject, p.Event, p.MsgID)
		if perr != nil && !fault.IsUnavailable(perr) {
			return nil, perr
		}
		if perr != nil {
			failed, err = append(failed, p), perr
		}
		pending[i] = q
	}
	for i, q := range pending {
		if q == nil {
			continue
		}
		perr := q.Wait(ctx)
		if perr != nil && !fault.IsUnavailable(perr) {
			return nil, perr
		}
		if perr != nil {
			failed, err = append(failed, publications[i]), perr
		}
	}
	return failed, err
}
