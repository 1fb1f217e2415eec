package bus

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/mailyard/mailyard/pkg/fault"
)

// A schedule has the waits before the second and every further attempt.
type schedule [5]time.Duration

func retryDelays() schedule {
	return schedule{10 * time.Second, time.Minute, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour}
}

// Settle ends the message as the outcome of the work demands, and acks last:
//
//   - nil: Ack.
//   - context.Canceled, or any error after ctx has ended: Nak. The work was
//     interrupted, not refused.
//   - fault.Permanent: dead letter, then Term.
//   - fault.Unavailable: redelivered after about 10 s, or as much later as
//     fault.RetryAfter says, without counting an attempt. Better not to settle at all but to wait and try again.
//   - anything else: redelivered after 10 s, 1 m, 5 m, 30 m and 2 h, ±20 %, or
//     as much later as fault.RetryAfter says. When the sixth attempt fails:
//     dead letter, then Term.
//
// A dead letter is a MailDead on DEAD, the keys of the mails it is about in
// the bucket CONTROL, so that they are not fetched again, and a MailParked on
// EVENTS. When Settle itself fails the message is not ended and comes again
// after its ack wait.
func (m *Message) Settle(ctx context.Context, outcome error) error {
	switch {
	case outcome == nil:
		return m.Ack()
	case ctx.Err() != nil, errors.Is(outcome, context.Canceled):
		return m.Nak()
	}
	failed, delay, dead := m.verdict(outcome)
	if dead {
		return m.bury(ctx, outcome)
	}
	return m.retry(ctx, outcome, failed, delay)
}

func (m *Message) bury(ctx context.Context, outcome error) error {
	l, err := m.letter(errorText(outcome))
	if err == nil {
		err = m.conn.bury(ctx, l)
	}
	if err != nil {
		return fmt.Errorf("dead-lettering message on %s: %w", m.Subject(), err)
	}
	if err := m.msg.TermWithReason(l.reason); err != nil {
		return fmt.Errorf("terminating message on %s: %w", m.Subject(), err)
	}
	return nil
}

func (m *Message) letter(reason string) (letter, error) {
	meta, err := m.msg.Metadata()
	if err != nil {
		return letter{}, err
	}
	return letter{
		stage:    m.source.Stage,
		subject:  m.Subject(),
		header:   m.msg.Headers(),
		payload:  m.msg.Data(),
		stream:   meta.Stream,
		sequence: meta.Sequence.Stream,
		attempts: m.Attempt() + 1,
		reason:   reason,
	}, nil
}

// notBefore is the scheduled delay, or the longer one that the other side asked for.
func notBefore(scheduled time.Duration, outcome error) time.Duration {
	delay := jittered(scheduled)
	if after, ok := fault.RetryAfter(outcome); ok && after > 0 {
		delay = max(delay, after+time.Duration(rand.Int64N(int64(after/5)+1)))
	}
	return delay
}

// jittered varies a delay by a fifth, so that what failed together does not
// come back together.
func jittered(d time.Duration) time.Duration {
	return d - d/5 + time.Duration(rand.Int64N(int64(d/5*2)+1))
}
