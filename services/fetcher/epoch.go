package fetcher

import (
	"context"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/mailyard/mailyard/pkg/bus"
)

// epochTime is how often it is asked whether the streams are still the same.
const epochTime = 5 * time.Second

// An epoch is the life of the streams: when they were wiped, what was in
// flight is lost, and every in-flight mark of before is void.
type epoch struct {
	conn    *bus.Conn
	logger  *zap.Logger
	current atomic.Pointer[string]
}

func (e *epoch) read(ctx context.Context) error {
	now, err := e.conn.Epoch(ctx)
	if err != nil {
		return err
	}
	if before := e.current.Swap(&now); before != nil && *before != now {
		e.logger.Warn("the streams were made anew; what was in flight is fetched again")
	}
	return nil
}

func (e *epoch) get() string { return *e.current.Load() }

// follow reads the epoch until ctx is done. While NATS is away the last one holds.
func (e *epoch) follow(ctx context.Context) {
	t := time.NewTicker(epochTime)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			if err := e.read(ctx); err != nil && ctx.Err() == nil {
				e.logger.Debug("reading the epoch of the streams", zap.Error(err))
			}
		}
	}
}

func randomShare() float64 { return rand.Float64() }
