package pgstore

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/mailyard/mailyard/pkg/mailstore/internal/record"
)

const candidatesSQL = `
SELECT m.seq, m.uidvalidity, m.uid, m.sha256, m.size, m.fetched_at, ` + outcomeColumns + `
FROM mails m, ` + itemsOfMail + `
WHERE m.seq = ANY (ARRAY(SELECT u.mail_seq FROM undisposed u WHERE u.sha256 = ANY ($3) AND u.tenant = $1 AND u.mailbox = $2))
  AND m.disposed_at IS NULL
ORDER BY m.uidvalidity, m.uid
FOR UPDATE OF m`

// rekey gives stored rows the keys that their mails have now, and returns which
// mails are still missing. It runs only after a change of UIDVALIDITY. Rows that
// another transaction has locked are waited for, not skipped: one that got its
// key from there meanwhile is no candidate any more, nor is one that was disposed
// of, but one whose transaction was rolled back is. Whoever gives a key that
// was inserted meanwhile violates its uniqueness, and tries the batch again.
func rekey(ctx context.Context, tx pgx.Tx, b *record.Batch, missing, moved []int) ([]int, error) {
	done := map[int]bool{}
	for len(moved) > 0 {
		m := mailboxOf(b.Records[moved[0]])
		end := 1
		for end < len(moved) && mailboxOf(b.Records[moved[end]]) == m {
			end++
		}
		if err := rekeyMailbox(ctx, tx, b, m, moved[:end], done); err != nil {
			return nil, err
		}
		moved = moved[end:]
	}
	return slices.DeleteFunc(missing, func(n int) bool { return done[n] }), nil
}

type mailbox struct{ tenant, id string }

func mailboxOf(r *record.Record) mailbox { return mailbox{r.Key.Tenant, r.Key.Mailbox} }

func rekeyMailbox(ctx context.Context, tx pgx.Tx, b *record.Batch, m mailbox, which []int, done map[int]bool) error {
	sums := make([]string, len(which))
	for i, n := range which {
		sums[i] = b.Records[n].SHA256
	}
	candidates, err := candidatesOf(ctx, tx, m, sums)
	if err != nil {
		return fmt.Errorf("looking for mail of %s/%s under another UIDVALIDITY: %w", m.tenant, m.id, err)
	}
	changes := &pgx.Batch{}
	for _, n := range which {
		r := b.Records[n]
		row, fresh := candidates.Take(r)
		if row == nil {
			continue
		}
		done[n] = true
		b.Outcomes[n] = row.Outcome
		if fresh {
			changes.Queue(`UPDATE mails SET mail_key = $2, uidvalidity = $3, uid = $4 WHERE seq = $1`, row.Seq, r.Key.String(), int64(r.Key.UIDValidity), int64(r.Key.UID))
			origin, due := r.Due(time.Now().UTC())
			changes.Queue(`UPDATE undisposed SET uidvalidity = $2, origin = $3, due_at = $4 WHERE mail_seq = $1`, row.Seq, int64(r.Key.UIDValidity), origin, due)
		}
	}
	if err := tx.SendBatch(ctx, changes).Close(); err != nil {
		return fmt.Errorf("giving mail of %s/%s the keys of another UIDVALIDITY: %w", m.tenant, m.id, err)
	}
	return nil
}

func candidatesOf(ctx context.Context, tx pgx.Tx, m mailbox, sums []string) (*record.Candidates, error) {
	rows, err := tx.Query(ctx, candidatesSQL, m.tenant, m.id, sums)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var found []*record.Candidate
	for rows.Next() {
		c := &record.Candidate{}
		var row outcomeRow
		if err := rows.Scan(row.targets(&c.Seq, &c.UIDValidity, &c.UID, &c.SHA256, &c.Size, &c.FetchedAt)...); err != nil {
			return nil, err
		}
		c.Outcome = row.outcome()
		found = append(found, c)
	}
	return record.NewCandidates(found), rows.Err()
}
