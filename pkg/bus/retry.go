package bus

import (
	"context"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/mailyard/mailyard/pkg/fault"
	"github.com/mailyard/mailyard/schemas"
	"github.com/mailyard/mailyard/schemas/cloudevents"
)

// retry publishes the message as a schedule (NATS ADR-51), from which the
// server makes a message on the retry subject of stage and lane when it is
// due, and acks. A lane never holds a message that waits: a delayed NAK would
// occupy a place among the unacknowledged ones.
func (m *Message) retry(ctx context.Context, outcome error, failed int, delay time.Duration) error {
	l, err := m.letter(errorText(outcome))
	if err == nil {
		err = m.schedule(ctx, l, failed, delay)
	}
	if err != nil {
		return fmt.Errorf("scheduling the retry of message on %s: %w", m.Subject(), err)
	}
	return m.Ack()
}

func (m *Message) schedule(ctx context.Context, l letter, failed int, delay time.Duration) error {
	stageLane := string(m.source.Stage) + "." + m.source.lane()
	// The sequence tells a message that is delivered twice, whose retry must
	// be scheduled once, from another one about the same mail.
	id := fmt.Sprintf("r:%s:%s:%d:%s", l.id(), m.source.Stage, failed, l.position())
	header := carried(l.header)
	header.Set(HeaderRetryAttempt, strconv.Itoa(failed))
	header.Set(HeaderRetrySubject, l.subject)
	header.Set(HeaderRetryError, l.reason)
	header.Set(jetstream.ScheduleHeader, "@at "+time.Now().Add(delay).UTC().Format(time.RFC3339Nano))
	header.Set(jetstream.ScheduleTargetHeader, retryDue+stageLane)
	// A subject holds one schedule.
	msg, err := message(retryScheduled+stageLane+"."+token(id), header, l.payload, id)
	if err != nil {
		return err
	}
	if err := m.conn.roomForRetry(ctx, msg.Size()); err != nil {
		return err
	}
	_, err = m.conn.publish(ctx, msg)
	return err
}

// retryReserve is the share of RETRY that stays free: replicas look and then
// publish at the same time.
const retryReserve = 20 // one part in

// roomForRetry returns ErrFull rather than letting the stream, which cannot
// discard new messages, discard old ones.
func (c *Conn) roomForRetry(ctx context.Context, size int) error {
	stream, err := c.js.Stream(ctx, schemas.StreamRetry)
	if err != nil {
		return publishError(retryScheduled+">", err)
	}
	info := stream.CachedInfo()
	limit := info.Config.MaxBytes
	if limit > 0 && int64(info.State.Bytes)+int64(size) > limit-limit/retryReserve {
		return fault.Unavailable(fmt.Errorf("%w: %s holds %d of %d bytes", ErrFull, schemas.StreamRetry, info.State.Bytes, limit))
	}
	return nil
}

// carried returns the headers that go along when a message is published again:
// all but those that steer JetStream.
func carried(header map[string][]string) nats.Header {
	out := maps.Clone(nats.Header(header))
	if out == nil {
		out = nats.Header{}
	}
	maps.DeleteFunc(out, func(name string, _ []string) bool { return strings.HasPrefix(strings.ToLower(name), "nats-") })
	return out
}

// fresh returns the headers of a message as if it had never failed.
func fresh(header map[string][]string) nats.Header {
	out := carried(header)
	for _, name := range []string{HeaderRetryAttempt, HeaderRetrySubject, HeaderRetryError} {
		out.Del(name)
	}
	return out
}

func eventID(header map[string][]string) string {
	if id := cloudevents.Attribute(header, "id"); id != "" {
		return id
	}
	return "unknown"
}
