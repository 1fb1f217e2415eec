package bus

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/mailyard/mailyard/pkg/fault"
)

// A Part is what failed of the work that a message asks for: an event that asks
// for just this, and why it failed.
type Part struct {
	Event   any // with an id of its own
	Outcome error
}

// SettleParts is Settle for a message whose work was done but for some parts:
// each goes on by itself, as Settle says for its outcome, with the attempts that
// the message had, and the message is acknowledged. When it fails, the message
// comes again as it is, and parts may be doubled.
func (m *Message) SettleParts(ctx context.Context, parts []Part) error {
	for _, p := range parts {
		if ctx.Err() != nil || errors.Is(p.Outcome, context.Canceled) {
			return m.Nak()
		}
	}
	for _, p := range parts {
		if err := m.settlePart(ctx, p); err != nil {
			return fmt.Errorf("settling a part of message on %s: %w", m.Subject(), err)
		}
	}
	return m.Ack()
}

func (m *Message) settlePart(ctx context.Context, p Part) error {
	l, err := m.letter(errorText(p.Outcome))
	if err != nil {
		return err
	}
	msg, err := encode(l.subject, p.Event, "")
	if err != nil {
		return err
	}
	l.header, l.payload = msg.Header, msg.Data
	failed, delay, dead := m.verdict(p.Outcome)
	if dead {
		return m.conn.bury(ctx, l)
	}
	return m.schedule(ctx, l, failed, delay)
}

// verdict says what becomes of work that failed: it is dead, or it is tried
// again after the delay, with that many attempts counted.
func (m *Message) verdict(outcome error) (failed int, delay time.Duration, dead bool) {
	switch {
	case fault.IsPermanent(outcome):
		return 0, 0, true
	case fault.IsUnavailable(outcome):
		return m.Attempt(), notBefore(m.conn.delays[0], outcome), false
	}
	failed = m.Attempt() + 1
	if failed > len(m.conn.delays) {
		return 0, 0, true
	}
	return failed, notBefore(m.conn.delays[failed-1], outcome), false
}
