package pgstore

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/mailyard/mailyard/schemas"
)

// RecordDisposed implements mailstore.Store. Rows are locked in the order of
// their keys, as by Persist.
func (s *Store) RecordDisposed(ctx context.Context, d schemas.Disposed) error {
	uids := make([]int64, len(d.UIDs))
	for i, uid := range d.UIDs {
		uids[i] = int64(uid)
	}
	err := s.write(ctx, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `
			UPDATE mails m SET disposed_at = $5, disposed_method = $6, disposed_to = $7
			FROM (SELECT tenant, seq FROM mails
			      WHERE tenant = $1 AND mailbox = $2 AND uidvalidity = $3 AND uid = ANY ($4) AND disposed_at IS NULL
			      ORDER BY uid FOR UPDATE) gone
			WHERE m.tenant = gone.tenant AND m.seq = gone.seq`,
			d.Tenant, d.Mailbox, int64(d.UIDValidity), uids, d.DisposedAt.UTC(), d.Method, d.Destination)
		return err
	})
	if err != nil {
		return fmt.Errorf("recording the disposal of %d mails of %s/%s, uidvalidity %d: %w", len(uids), d.Tenant, d.Mailbox, d.UIDValidity, err)
	}
	return nil
}
