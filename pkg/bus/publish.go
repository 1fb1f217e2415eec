package bus

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/mailyard/mailyard/pkg/fault"
	"github.com/mailyard/mailyard/schemas/cloudevents"
)

// MaxPayload is the largest payload in bytes that is published: what is left of
// the server's max_payload (1 MiB) when every header has its room. A larger
// mail travels as a claim check, see Blobs.
const MaxPayload = 900 << 10

// stallSlice bounds how long the library waits for one of the maxPending
// places without looking at the caller's context.
const stallSlice = 250 * time.Millisecond

// Publish encodes an event in CloudEvents binary mode, publishes it and waits
// for the PubAck, at most until ctx ends or for 10 s when it has no deadline.
// A message whose msgID the stream has seen within its duplicate window is
// acknowledged and dropped; an empty msgID switches that off.
//
// Errors: ErrFull (fault.Unavailable); fault.Unavailable when the server or the
// stream cannot be reached; ErrTooLarge (fault.Permanent).
func (c *Conn) Publish(ctx context.Context, subject string, event any, msgID string) error {
	msg, err := encode(subject, event, msgID)
	if err != nil {
		return err
	}
	_, err = c.publish(ctx, msg)
	return err
}

func (c *Conn) publish(ctx context.Context, msg *nats.Msg) (*jetstream.PubAck, error) {
	ack, err := c.js.PublishMsg(ctx, msg)
	if err != nil {
		return nil, publishError(msg.Subject, err)
	}
	return ack, nil
}

// PublishAsync is Publish without waiting for the PubAck, which the Pending
// yields. While 256 publishes of the connection are unacknowledged it waits,
// until ctx ends. The event's bytes must not change before the PubAck.
func (c *Conn) PublishAsync(ctx context.Context, subject string, event any, msgID string) (*Pending, error) {
	msg, err := encode(subject, event, msgID)
	if err != nil {
		return nil, err
	}
	return c.publishAsync(ctx, msg)
}

func (c *Conn) publishAsync(ctx context.Context, msg *nats.Msg) (*Pending, error) {
	for {
		if err := ctx.Err(); err != nil {
			return nil, publishError(msg.Subject, err)
		}
		future, err := c.js.PublishMsgAsync(msg, jetstream.WithStallWait(stallSlice))
		if errors.Is(err, jetstream.ErrTooManyStalledMsgs) {
			continue
		}
		if err != nil {
			return nil, publishError(msg.Subject, err)
		}
		return &Pending{subject: msg.Subject, future: future}, nil
	}
}

// Pending is a publish that awaits its PubAck. It is for one goroutine.
type Pending struct {
	subject string
	future  jetstream.PubAckFuture
	done    bool
	err     error
}

// Wait returns nil when the PubAck has come, else an error as of Publish. It
// may be called again after ctx ended.
func (p *Pending) Wait(ctx context.Context) error {
	if p.done {
		return p.err
	}
	select {
	case <-p.future.Ok():
	case err := <-p.future.Err():
		p.err = publishError(p.subject, err)
	case <-ctx.Done():
		return publishError(p.subject, ctx.Err())
	}
	p.done = true
	return p.err
}

func encode(subject string, event any, msgID string) (*nats.Msg, error) {
	header, payload, err := cloudevents.Encode(event)
	if err != nil {
		return nil, fault.Permanent(fmt.Errorf("publishing on %s: %w", subject, err))
	}
	return message(subject, header, payload, msgID)
}

func message(subject string, header map[string][]string, payload []byte, msgID string) (*nats.Msg, error) {
	if len(payload) > MaxPayload {
		return nil, fault.Permanent(fmt.Errorf("publishing on %s: %w: its payload has %d bytes, %d are allowed", subject, ErrTooLarge, len(payload), MaxPayload))
	}
	msg := &nats.Msg{Subject: subject, Header: header, Data: payload}
	if msgID != "" {
		msg.Header.Set(jetstream.MsgIDHeader, msgID)
	}
	return msg, nil
}
