package bus

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/mailyard/mailyard/pkg/fault"
	"github.com/mailyard/mailyard/schemas/cloudevents"
)

// Headers that a retried message carries besides those of the original.
const (
	HeaderRetryAttempt = "x-retry-attempt" // how many attempts have failed
	HeaderRetrySubject = "x-retry-subject" // where the message was published first
	HeaderRetryError   = "x-retry-error"   // what the last attempt failed with
)

// A Message is one delivery of a message. Exactly one of Ack, Nak and Settle
// ends it; without any, the message is delivered again after the ack wait of
// its consumer, which InProgress extends. Its methods are safe for concurrent use.
type Message struct {
	conn   *Conn
	source Source
	msg    jetstream.Msg
}

func newMessage(c *Conn, source Source, msg jetstream.Msg) *Message {
	return &Message{conn: c, source: source, msg: msg}
}

// Header returns the NATS headers; it must not be changed.
func (m *Message) Header() map[string][]string { return m.msg.Headers() }

// Payload returns the payload; it must not be changed.
func (m *Message) Payload() []byte { return m.msg.Data() }

// Subject returns the subject that the event was published on: of a retry the
// original one, of a dispose message the one without the partition.
func (m *Message) Subject() string { return publishedOn(m.msg.Headers(), m.msg.Subject()) }

// Decode fills the event, a pointer to a struct of package schemas. Its bytes
// may alias the payload. What cannot be decoded never can: the error is
// fault.Permanent.
func (m *Message) Decode(event any) error {
	if err := cloudevents.Decode(m.msg.Headers(), m.msg.Data(), event); err != nil {
		return fault.Permanent(fmt.Errorf("decoding message on %s: %w", m.Subject(), err))
	}
	return nil
}

// Deliveries tells how often the server has delivered this very message, from
// 1. More than once without a failed attempt means that a process that had it
// died, hung, or gave it back.
func (m *Message) Deliveries() int {
	meta, err := m.msg.Metadata()
	if err != nil {
		return 1
	}
	return int(min(meta.NumDelivered, 1<<31-1))
}

// Attempt tells how many attempts have failed, from 0: the retries so far.
func (m *Message) Attempt() int { return attemptOf(m.msg.Headers()) }

// Ack ends the message: its effect is durable and what follows from it is
// published. It does not wait for the server; a lost ack means redelivery.
func (m *Message) Ack() error {
	if err := m.msg.Ack(); err != nil {
		return fmt.Errorf("acknowledging message on %s: %w", m.Subject(), err)
	}
	return nil
}

// Nak gives the message back, to be delivered again at once: when the process
// stops. It is not for failures: see Settle.
func (m *Message) Nak() error {
	if err := m.msg.Nak(); err != nil {
		return fmt.Errorf("giving back message on %s: %w", m.Subject(), err)
	}
	return nil
}

// InProgress restarts the ack wait. Call it at a third of that time while the
// message is worked on or waits in the process.
func (m *Message) InProgress() error {
	if err := m.msg.InProgress(); err != nil {
		return fmt.Errorf("extending message on %s: %w", m.Subject(), err)
	}
	return nil
}

func attemptOf(header map[string][]string) int {
	if v := header[HeaderRetryAttempt]; len(v) > 0 {
		if n, err := strconv.Atoi(v[0]); err == nil && n > 0 {
			return n
		}
	}
	return 0
}

// publishedOn undoes what JetStream did to a subject.
func publishedOn(header map[string][]string, subject string) string {
	if v := header[HeaderRetrySubject]; len(v) > 0 && v[0] != "" {
		return v[0]
	}
	// mail.v1.dispose.<partition>.<tenant>.<mailbox>
	if rest, ok := strings.CutPrefix(subject, disposePrefix); ok && strings.Count(rest, ".") == 2 {
		_, rest, _ = strings.Cut(rest, ".")
		return disposePrefix + rest
	}
	return subject
}

const disposePrefix = "mail.v1.dispose."
