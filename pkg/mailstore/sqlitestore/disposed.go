package sqlitestore

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/mailyard/mailyard/schemas"
)

// RecordDisposed implements mailstore.Store.
func (s *Store) RecordDisposed(ctx context.Context, d schemas.Disposed) error {
	at := d.DisposedAt.UTC().Format(timeLayout)
	err := s.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		st := &statements{ctx: ctx, tx: tx, prepared: map[string]*sql.Stmt{}}
		defer st.close()
		for _, uid := range d.UIDs {
			if err := st.exec(`UPDATE mails SET disposed_at = ?5, disposed_method = ?6, disposed_to = ?7
				WHERE tenant = ?1 AND mailbox = ?2 AND uidvalidity = ?3 AND uid = ?4 AND disposed_at IS NULL`,
				d.Tenant, d.Mailbox, int64(d.UIDValidity), int64(uid), at, d.Method, d.Destination); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("recording the disposal of %d mails of %s/%s, uidvalidity %d: %w", len(d.UIDs), d.Tenant, d.Mailbox, d.UIDValidity, err)
	}
	return nil
}
