package bus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"

	"github.com/mailyard/mailyard/pkg/fault"
	"github.com/mailyard/mailyard/schemas"
)

// exhausted is what the server tells about a message that it delivered as often
// as its consumer allows (io.nats.jetstream.advisory.v1.max_deliver).
type exhausted struct {
	Stream     string `json:"stream"`
	Consumer   string `json:"consumer"`
	Sequence   uint64 `json:"stream_seq"`
	Deliveries int    `json:"deliveries"`
}

// RunAdvisories is the back-stop of Settle: it dead-letters the messages that
// were delivered as often as allowed without ever being settled, because the
// process that had them died each time. JetStream would keep them in the
// stream for ever. Run it in the provisioner; several share the work. It
// returns nil when ctx ends.
func (c *Conn) RunAdvisories(ctx context.Context) error {
	return c.each(ctx, Source{Stream: schemas.StreamAdvisory, Durable: durableAdvisories, MaxMessages: 16}, c.abandon)
}

func (c *Conn) abandon(ctx context.Context, m *Message) error {
	var e exhausted
	if err := json.Unmarshal(m.Payload(), &e); err != nil {
		c.logger.Warn("an advisory is not understood", zap.String("subject", m.Subject()), zap.Error(err))
		return nil
	}
	stage, ok := stageOf(e.Consumer)
	if !ok {
		return nil // a consumer of someone else
	}
	stream, err := c.js.Stream(ctx, e.Stream)
	if err != nil {
		return unless(jetstream.ErrStreamNotFound, err)
	}
	raw, err := stream.GetMsg(ctx, e.Sequence)
	if err != nil {
		return unless(jetstream.ErrMsgNotFound, err) // settled after all, or expired
	}
	err = c.bury(ctx, letter{
		stage:    stage,
		subject:  publishedOn(raw.Header, raw.Subject),
		header:   raw.Header,
		payload:  raw.Data,
		stream:   e.Stream,
		sequence: e.Sequence,
		attempts: attemptOf(raw.Header) + 1,
		reason:   fmt.Sprintf("given up after %d deliveries without an outcome: whatever handled it died or hung each time", e.Deliveries),
	})
	if fault.IsPermanent(err) {
		c.logger.Error("a message can neither be handled nor dead-lettered; it stays in its stream",
			zap.String("stream", e.Stream), zap.Uint64("sequence", e.Sequence), zap.Error(err))
		return nil
	}
	if err != nil {
		return err
	}
	c.logger.Error("a message was delivered again and again without an outcome; it is a dead letter now",
		zap.String("stream", e.Stream), zap.String("consumer", e.Consumer), zap.Uint64("sequence", e.Sequence))
	if stream.CachedInfo().Config.Retention != jetstream.WorkQueuePolicy {
		return nil // others read it, too
	}
	return unless(jetstream.ErrMsgNotFound, deleteMessage(ctx, stream, e.Sequence))
}

// stageOf returns the stage that a durable belongs to.
func stageOf(durable string) (schemas.Stage, bool) {
	name, _, _ := strings.Cut(durable, "-")
	stage := schemas.Stage(name)
	return stage, slices.Contains([]schemas.Stage{schemas.StageClassifier, schemas.StagePersister, schemas.StageDisposer}, stage)
}

// unless classifies an error, except the expected one, which is none.
func unless(expected, err error) error {
	if err == nil || errors.Is(err, expected) {
		return nil
	}
	return classify(err)
}
