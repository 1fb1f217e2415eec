package control

import (
	"context"
	"time"

	"go.uber.org/zap"
)

// repeat calls step again and again until ctx ends, each time after the wait that
// it returned, or after a growing one when it failed. It calls ready after the
// first success. what names the work in the log.
func repeat(ctx context.Context, logger *zap.Logger, what string, ready func(), step func(context.Context) (time.Duration, error)) error {
	backoff := firstBackoff
	for {
		wait, err := step(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			logger.Warn("trying again later", zap.String("work", what), zap.Error(err), zap.Duration("again_after", backoff))
			wait, backoff = backoff, min(2*backoff, maxBackoff)
		default:
			backoff = firstBackoff
			if ready != nil {
				ready()
				ready = nil
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(wait):
		}
	}
}
