package reader

import (
	"context"
	"fmt"
	"time"
)

// Ping reports whether the database answers, within 5 s.
func (r *Reader) Ping(ctx context.Context) error {
	limited, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	if err := r.db.PingContext(limited); err != nil {
		return fmt.Errorf("asking whether the messaging database answers: %w", r.dialect.Classify(ctx, err))
	}
	return nil
}
