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
			key := schemas.MailKey{Tenant: d.Tenant, Mailbox: d.Mailbox, UIDValidity: d.UIDValidity, UID: uid}.String()
			if err := st.exec(`DELETE FROM undisposed WHERE mail_seq = (SELECT seq FROM mails WHERE mail_key = ?1)`, key); err != nil {
				return err
			}
			if err := st.exec(`UPDATE mails SET disposed_at = ?2, disposed_method = ?3, disposed_to = ?4 WHERE mail_key = ?1 AND disposed_at IS NULL`,
				key, at, d.Method, d.Destination); err != nil {
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
