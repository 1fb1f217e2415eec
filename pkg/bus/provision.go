package bus

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"

	"github.com/mailyard/mailyard/pkg/fault"
)

// Provision makes the server's streams and consumers what the topology says:
// it creates what is missing and updates what differs. What does not differ is
// not touched, because a repeated update is not harmless in a cluster
// (nats-server#5526). What the server refuses to change is an error. Streams
// and consumers that the topology does not know are left alone.
//
// Only the provisioner may call it: services bind to what is there. Several
// may run at once.
func (c *Conn) Provision(ctx context.Context, t Topology) error {
	for _, want := range t.Streams {
		if err := c.createOrUpdate(ctx, want); err != nil {
			return fmt.Errorf("provisioning stream %s: %w", want.Name, explain(err))
		}
	}
	for _, want := range t.Consumers {
		if err := c.provisionConsumer(ctx, want); err != nil {
			return fmt.Errorf("provisioning consumer %s of %s: %w", want.Config.Durable, want.Stream, explain(err))
		}
	}
	return nil
}

// createAttempts lets the reservation lapse that the server holds while another
// provisioner creates the same stream.
const createAttempts = 4

func (c *Conn) createOrUpdate(ctx context.Context, want jetstream.StreamConfig) error {
	for attempt := 1; ; attempt++ {
		err := c.provisionStream(ctx, want)
		var api *jetstream.APIError
		if attempt == createAttempts || !errors.As(err, &api) || api.ErrorCode != codeStorageExceeded {
			return err
		}
		if waitErr := pause(ctx, backoff(attempt)); waitErr != nil {
			return err
		}
	}
}

func (c *Conn) provisionStream(ctx context.Context, want jetstream.StreamConfig) error {
	stream, err := c.js.Stream(ctx, want.Name)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		if _, err = c.js.CreateStream(ctx, want); err == nil {
			c.logger.Info("stream created", zap.String("stream", want.Name))
			return nil
		}
		if !errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) {
			return err
		}
		stream, err = c.js.Stream(ctx, want.Name) // someone else was quicker
	}
	if err != nil {
		return err
	}
	have := stream.CachedInfo().Config
	changed := differs(streamSettings(have), streamSettings(want))
	if len(changed) == 0 {
		return nil
	}
	if _, err := c.js.UpdateStream(ctx, overlayStream(have, want)); err != nil {
		return fmt.Errorf("changing %s: %w", strings.Join(changed, ", "), err)
	}
	c.logger.Info("stream updated", zap.String("stream", want.Name), zap.Strings("settings", changed))
	return nil
}

func (c *Conn) provisionConsumer(ctx context.Context, want Consumer) error {
	consumer, err := c.js.Consumer(ctx, want.Stream, want.Config.Durable)
	if errors.Is(err, jetstream.ErrConsumerNotFound) {
		if _, err = c.js.CreateConsumer(ctx, want.Stream, want.Config); err == nil {
			c.logger.Info("consumer created", zap.String("stream", want.Stream), zap.String("consumer", want.Config.Durable))
			return nil
		}
		if !errors.Is(err, jetstream.ErrConsumerExists) {
			return err
		}
		consumer, err = c.js.Consumer(ctx, want.Stream, want.Config.Durable)
	}
	if err != nil {
		return err
	}
	have := consumer.CachedInfo().Config
	changed := differs(consumerSettings(have), consumerSettings(want.Config))
	if len(changed) == 0 {
		return nil
	}
	if _, err := c.js.UpdateConsumer(ctx, want.Stream, overlayConsumer(have, want.Config)); err != nil {
		return fmt.Errorf("changing %s: %w", strings.Join(changed, ", "), err)
	}
	c.logger.Info("consumer updated", zap.String("stream", want.Stream), zap.String("consumer", want.Config.Durable), zap.Strings("settings", changed))
	return nil
}

// differs returns the sorted names of the settings that are not the same.
func differs(have, want map[string]string) []string {
	var names []string
	for name, value := range want {
		if have[name] != value {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// explain says what to do about the refusals that an operator meets.
func explain(err error) error {
	var api *jetstream.APIError
	if !errors.As(err, &api) {
		return classify(err)
	}
	switch api.ErrorCode {
	case codeStorageExceeded:
		return fmt.Errorf("the streams' byte limits exceed the server's max_file_store: raise it, or lower the limits: %w", err)
	case jetstream.JSErrCodeJetStreamNotEnabled, jetstream.JSErrCodeJetStreamNotEnabledForAccount:
		return fault.Unavailable(fmt.Errorf("JetStream is not enabled, or not ready, on the server: %w", err))
	}
	return err
}
