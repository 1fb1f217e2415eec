package sqlitestore

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/mailyard/mailyard/pkg/mailstore"
)

// ClaimOverdue implements mailstore.Store.
func (s *Store) ClaimOverdue(ctx context.Context, now time.Time, limit int) ([]mailstore.Overdue, error) {
	var overdue []mailstore.Overdue
	err := s.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		st := &statements{ctx: ctx, tx: tx, prepared: map[string]*sql.Stmt{}}
		defer st.close()
		overdue = nil
		next := map[int64]string{} // when each is due again
		err := st.each(func(rows *sql.Rows) error {
			var o mailstore.Overdue
			var seq int64
			var persisted string
			if err := rows.Scan(&seq, &persisted, &o.Origin, &o.Key.Tenant, &o.Key.Mailbox, &o.Key.UIDValidity, &o.Key.UID, &o.Verdict); err != nil {
				return err
			}
			at, err := time.Parse(timeLayout, persisted)
			if err != nil {
				return err
			}
			wait := min(max(now.Sub(at), mailstore.DisposalTime), mailstore.LongestDisposalTime)
			next[seq] = now.Add(wait).UTC().Format(timeLayout)
			overdue = append(overdue, o)
			return nil
		}, `SELECT u.mail_seq, u.persisted_at, u.origin, m.tenant, m.mailbox, m.uidvalidity, m.uid, m.verdict
			FROM undisposed u CROSS JOIN mails m ON m.seq = u.mail_seq
			WHERE u.due_at <= ?1 ORDER BY u.due_at LIMIT ?2`, now.UTC().Format(timeLayout), limit)
		if err != nil {
			return err
		}
		for seq, due := range next {
			if err := st.exec(`UPDATE undisposed SET due_at = ?2 WHERE mail_seq = ?1`, seq, due); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("looking for mail whose disposal is overdue: %w", err)
	}
	return overdue, nil
}
