package pgstore

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/mailyard/mailyard/schemas"
)

const disposedSQL = `
WITH gone AS (
    SELECT seq FROM mails WHERE mail_key = ANY ($1) AND disposed_at IS NULL ORDER BY seq FOR UPDATE),
recorded AS (
    UPDATE mails m SET disposed_at = $2, disposed_method = $3, disposed_to = $4 FROM gone WHERE m.seq = gone.seq)
DELETE FROM undisposed u USING gone WHERE u.mail_seq = gone.seq`

// RecordDisposed implements mailstore.Store.
func (s *Store) RecordDisposed(ctx context.Context, d schemas.Disposed) error {
	keys := make([]string, len(d.UIDs))
	for i, uid := range d.UIDs {
		keys[i] = schemas.MailKey{Tenant: d.Tenant, Mailbox: d.Mailbox, UIDValidity: d.UIDValidity, UID: uid}.String()
	}
	err := s.write(ctx, func(ctx context.Context, tx pgx.Tx) error {
		_, err := tx.Exec(ctx, disposedSQL, keys, d.DisposedAt.UTC(), d.Method, d.Destination)
		return err
	})
	if err != nil {
		return fmt.Errorf("recording the disposal of %d mails of %s/%s, uidvalidity %d: %w", len(keys), d.Tenant, d.Mailbox, d.UIDValidity, err)
	}
	return nil
}
