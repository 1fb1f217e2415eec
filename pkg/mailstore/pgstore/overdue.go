package pgstore

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/mailyard/mailyard/pkg/mailstore"
)

const overdueSQL = `
WITH due AS (
    SELECT mail_seq FROM undisposed WHERE due_at <= $1 ORDER BY due_at LIMIT $2 FOR UPDATE SKIP LOCKED),
claimed AS (
    UPDATE undisposed u
    SET due_at = $1::timestamptz + least(greatest($1::timestamptz - u.persisted_at, make_interval(secs => $3)), make_interval(secs => $4))
    FROM due WHERE u.mail_seq = due.mail_seq
    RETURNING u.mail_seq, u.origin)
SELECT m.tenant, m.mailbox, m.uidvalidity, m.uid, m.verdict, c.origin
FROM claimed c JOIN mails m ON m.seq = c.mail_seq
ORDER BY m.seq`

// ClaimOverdue implements mailstore.Store.
func (s *Store) ClaimOverdue(ctx context.Context, now time.Time, limit int) ([]mailstore.Overdue, error) {
	var overdue []mailstore.Overdue
	err := s.write(ctx, func(ctx context.Context, tx pgx.Tx) error {
		rows, err := tx.Query(ctx, overdueSQL, now.UTC(), limit, mailstore.DisposalTime.Seconds(), mailstore.LongestDisposalTime.Seconds())
		if err != nil {
			return err
		}
		overdue, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (o mailstore.Overdue, err error) {
			return o, row.Scan(&o.Key.Tenant, &o.Key.Mailbox, &o.Key.UIDValidity, &o.Key.UID, &o.Verdict, &o.Origin)
		})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("looking for mail whose disposal is overdue: %w", err)
	}
	return overdue, nil
}
