package bus

import (
	"context"
	"fmt"

	"go.uber.org/zap"

	"github.com/mailyard/mailyard/schemas"
)

// AwaitTopology returns when the provisioner has made what services bind to. It
// asks again until ctx ends, so that services may start in any order.
func (c *Conn) AwaitTopology(ctx context.Context) error {
	for attempt := 0; ; attempt++ {
		err := c.provisioned(ctx)
		if err == nil {
			return nil
		}
		if attempt == 0 && ctx.Err() == nil {
			c.logger.Info("waiting for the streams to be provisioned", zap.Error(err))
		}
		if pause(ctx, backoff(attempt)) != nil {
			return fmt.Errorf("waiting for the streams to be provisioned: %w", err)
		}
	}
}

func (c *Conn) provisioned(ctx context.Context) error {
	if _, err := c.Epoch(ctx); err != nil {
		return err
	}
	for _, bucket := range []string{schemas.BucketConfig, schemas.BucketControl} {
		if _, err := c.js.KeyValue(ctx, bucket); err != nil {
			return fmt.Errorf("opening bucket %s: %w", bucket, classify(err))
		}
	}
	if _, err := c.js.ObjectStore(ctx, schemas.BucketBlob); err != nil {
		return fmt.Errorf("opening bucket %s: %w", schemas.BucketBlob, classify(err))
	}
	return nil
}
