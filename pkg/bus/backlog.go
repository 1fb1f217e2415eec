package bus

import (
	"context"
	"fmt"
	"time"

	"github.com/mailyard/mailyard/schemas"
)

// A Backlog is what waits in a stream of the mail path.
type Backlog struct {
	Stream   string       `json:"stream"`
	Lane     schemas.Lane `json:"lane,omitempty"` // empty for streams that both lanes share
	Messages uint64       `json:"messages"`
	Bytes    uint64       `json:"bytes"`
	Oldest   *time.Time   `json:"oldest,omitempty"` // when the oldest message came; nil when empty
}

// OldestWaiting returns since when the mail of a lane waits that waits longest
// for its next stage; nil when none waits.
func OldestWaiting(backlogs []Backlog, lane schemas.Lane) *time.Time {
	var oldest *time.Time
	for _, b := range backlogs {
		if b.Lane == lane && b.Oldest != nil && (oldest == nil || b.Oldest.Before(*oldest)) {
			oldest = b.Oldest
		}
	}
	return oldest
}

// Backlogs returns what waits in each stream between the inbox and the
// disposal, in the order in which mail passes them.
func (c *Conn) Backlogs(ctx context.Context) ([]Backlog, error) {
	streams := []string{
		schemas.StreamFetchedLight, schemas.StreamFetchedLarge, schemas.StreamClassifiedLight,
		schemas.StreamClassifiedLarge, schemas.StreamDispose, schemas.StreamRetry,
	}
	backlogs := make([]Backlog, 0, len(streams))
	for _, name := range streams {
		stream, err := c.js.Stream(ctx, name)
		if err != nil {
			return nil, fmt.Errorf("reading the backlog of stream %s: %w", name, classify(err))
		}
		state := stream.CachedInfo().State
		b := Backlog{Stream: name, Lane: laneOf(name), Messages: state.Msgs, Bytes: state.Bytes}
		if state.Msgs > 0 {
			b.Oldest = &state.FirstTime
		}
		backlogs = append(backlogs, b)
	}
	return backlogs, nil
}

// laneOf returns the lane that a stream belongs to.
func laneOf(stream string) schemas.Lane {
	for _, lane := range schemas.Lanes {
		if stream == schemas.FetchedStream(lane) || stream == schemas.ClassifiedStream(lane) {
			return lane
		}
	}
	return ""
}

// CountDead returns how many dead letters there are, without reading them.
func (c *Conn) CountDead(ctx context.Context) (uint64, error) {
	stream, err := c.js.Stream(ctx, schemas.StreamDead)
	if err != nil {
		return 0, fmt.Errorf("counting dead letters: %w", classify(err))
	}
	return stream.CachedInfo().State.Msgs, nil
}
