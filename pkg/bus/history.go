package bus

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"

	"github.com/mailyard/mailyard/schemas"
	"github.com/mailyard/mailyard/schemas/cloudevents"
)

// MaxStates is the most that StateHistory returns.
const MaxStates = 1000

// historyTimeout bounds one StateHistory.
const historyTimeout = 5 * time.Second

// StateHistory returns the last states that a mailbox entered, newest first, as
// far as the stream EVENTS goes back (72 h): at most limit, or MaxStates when it
// is 0. A mailbox that is not known has none.
func (c *Conn) StateHistory(ctx context.Context, tenant, mailbox string, limit int) ([]schemas.MailboxState, error) {
	if !validID(tenant) || !validID(mailbox) { // a wildcard would be another's history
		return nil, nil
	}
	if limit <= 0 || limit > MaxStates {
		limit = MaxStates
	}
	ctx, cancel := context.WithTimeout(ctx, historyTimeout)
	defer cancel()
	states, err := c.lastStates(ctx, schemas.SubjectMailboxState("*", tenant, mailbox), limit)
	if err != nil {
		return nil, fmt.Errorf("reading the states of %s/%s: %w", tenant, mailbox, classify(err))
	}
	slices.Reverse(states)
	return states, nil
}

// lastStates returns the newest states on a subject, oldest first. JetStream
// reads forwards only, so it begins with a short time and goes back until it is
// long enough: how many messages a time has is known before they are read.
func (c *Conn) lastStates(ctx context.Context, subject string, limit int) ([]schemas.MailboxState, error) {
	stream, err := c.js.Stream(ctx, schemas.StreamEvents)
	if err != nil {
		return nil, err
	}
	for _, back := range []time.Duration{10 * time.Minute, 2 * time.Hour, 12 * time.Hour, 0} {
		config := jetstream.ConsumerConfig{DeliverPolicy: jetstream.DeliverAllPolicy, FilterSubject: subject}
		if back > 0 {
			since := time.Now().Add(-back)
			config.DeliverPolicy, config.OptStartTime = jetstream.DeliverByStartTimePolicy, &since
		}
		var states []schemas.MailboxState
		enough := func(pending uint64) bool { return back == 0 || pending >= uint64(limit) }
		err := c.scan(ctx, stream, config, enough, func(msg jetstream.Msg, _ *jetstream.MsgMetadata) bool {
			var e schemas.MailboxStateChanged
			if err := cloudevents.Decode(msg.Headers(), msg.Data(), &e); err != nil {
				c.logger.Warn("a state in the history cannot be read; it is left out", zap.String("subject", msg.Subject()), zap.Error(err))
				return true
			}
			states = append(lastOf(states, limit), e.Data)
			return true
		})
		if err != nil {
			return nil, err
		}
		if len(states) >= limit || back == 0 {
			return states[max(0, len(states)-limit):], nil
		}
	}
	return nil, nil
}
