package lease

import (
	"context"
	"fmt"
	"time"
)

// A Window counts what happened in the last while, over all replicas. When Redis
// is flushed it begins anew.
type Window struct {
	Key  string // what is counted
	Most int    // times in the span; at least 1
}

func (c *Client) windowKeys(windows []Window) []string {
	keys := make([]string, len(windows))
	for i, w := range windows {
		keys[i] = c.prefix + "window:{" + w.Key + "}"
	}
	return keys
}

// Lately returns how long it is until less than Most happened in the span before,
// in every one of the windows; 0: it is so.
func (c *Client) Lately(ctx context.Context, span time.Duration, windows ...Window) (time.Duration, error) {
	args := []any{span.Milliseconds()}
	for _, w := range windows {
		args = append(args, w.Most)
	}
	cmd, err := c.eval(ctx, latelyScript, c.windowKeys(windows), args...)
	var ms int64
	if err == nil {
		ms, err = cmd.Int64()
	}
	if err != nil {
		return 0, fmt.Errorf("reading what happened in the last %v: %w", span, err)
	}
	return time.Duration(ms) * time.Millisecond, nil
}

// Happened notes in every one of the windows that it happened once more. What
// happened is forgotten after the span.
func (c *Client) Happened(ctx context.Context, span time.Duration, windows ...Window) error {
	if _, err := c.eval(ctx, happenedScript, c.windowKeys(windows), span.Milliseconds(), newID()); err != nil {
		return fmt.Errorf("noting what happened: %w", err)
	}
	return nil
}
