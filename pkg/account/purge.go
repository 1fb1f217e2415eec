package account

import (
	"context"
	"fmt"
	"time"

	"github.com/mailyard/mailyard/pkg/control"
)

// tokenRetention is how long an expired API token is listed, so that whoever
// wonders why something stopped finds it.
const tokenRetention = 30 * 24 * time.Hour

// Purge deletes what is over: sessions, links, API tokens, and failed attempts
// that no longer count. An hour is a good interval; nothing depends on it. It
// returns how many rows are gone.
func (s *Store) Purge(ctx context.Context) (gone int64, err error) {
	err = s.db.Update(ctx, control.Actor{Name: "retention"}, func(tx *control.Tx) error {
		now := tx.Now()
		for query, before := range map[string]time.Time{
			`DELETE FROM account_sessions WHERE expires_at <= ?`: now,
			`DELETE FROM account_sessions WHERE seen_at <= ?`:    now.Add(-SessionIdle),
			`DELETE FROM account_links WHERE expires_at <= ?`:    now,
			`DELETE FROM account_tokens WHERE expires_at <= ?`:   now.Add(-tokenRetention),
			`DELETE FROM account_failures WHERE forget_at <= ?`:  now,
		} {
			n, err := tx.Exec(ctx, query, control.FormatTime(before))
			if err != nil {
				return err
			}
			gone += n
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("purging sessions and API tokens: %w", err)
	}
	return gone, nil
}
