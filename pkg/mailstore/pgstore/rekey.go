package pgstore

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/mailyard/mailyard/pkg/mailstore"
	"github.com/mailyard/mailyard/pkg/mailstore/internal/record"
)

const candidatesSQL = `
SELECT m.seq, m.mail_id, m.uidvalidity, m.uid, m.sha256, m.size, m.fetched_at,
       (SELECT array_agg(i.item_id ORDER BY i.position) FROM items i WHERE i.tenant = m.tenant AND i.mail_seq = m.seq)
FROM mails m
WHERE m.tenant = $1 AND m.mailbox = $2 AND m.sha256 = ANY ($3) AND m.disposed_at IS NULL
ORDER BY m.uidvalidity, m.uid
FOR UPDATE`

// rekey gives stored rows the keys that their mails have now. It runs only
// after a change of UIDVALIDITY, for one process at a time per mailbox: another
// that holds the same mail would otherwise insert it while its row is moved.
// Having waited, it looks again at what is there. Rows that a disposal has
// locked are waited for, not skipped: a disposed row is no candidate, but one
// whose disposal was rolled back is.
func rekey(ctx context.Context, tx pgx.Tx, b *record.Batch, moved []int, known map[int]bool) (map[int]bool, error) {
	type mailbox struct{ tenant, id string }
	var mailboxes []mailbox // sorted, as the batch is
	for _, n := range moved {
		m := mailbox{b.Records[n].Key.Tenant, b.Records[n].Key.Mailbox}
		if len(mailboxes) > 0 && mailboxes[len(mailboxes)-1] == m {
			continue
		}
		mailboxes = append(mailboxes, m)
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock(hashtextextended('mailyard rekey ' || $1 || '/' || $2, 0))`, m.tenant, m.id); err != nil {
			return nil, fmt.Errorf("locking mailbox %s/%s: %w", m.tenant, m.id, err)
		}
	}
	again, moved, err := find(ctx, tx, b, moved)
	if err != nil {
		return nil, err
	}
	for n := range again {
		known[n] = true
	}
	for _, m := range mailboxes {
		var of []int
		var sums []string
		for _, n := range moved {
			if key := b.Records[n].Key; key.Tenant == m.tenant && key.Mailbox == m.id {
				of = append(of, n)
				sums = append(sums, b.Records[n].SHA256)
			}
		}
		candidates, items, err := candidatesOf(ctx, tx, m.tenant, m.id, sums)
		if err != nil {
			return nil, fmt.Errorf("looking for mail of %s/%s under another UIDVALIDITY: %w", m.tenant, m.id, err)
		}
		for _, n := range of {
			r := b.Records[n]
			row, fresh := candidates.Take(r)
			if row == nil {
				continue
			}
			known[n] = true
			b.Outcomes[n] = mailstore.Outcome{MailID: row.MailID, ItemIDs: items[row.Seq]}
			if !fresh {
				continue
			}
			if _, err := tx.Exec(ctx, `UPDATE mails SET uidvalidity = $3, uid = $4 WHERE tenant = $1 AND seq = $2`,
				m.tenant, row.Seq, int64(r.Key.UIDValidity), int64(r.Key.UID)); err != nil {
				return nil, fmt.Errorf("giving mail %s the key %s: %w", row.MailID, r.Key, err)
			}
		}
	}
	return known, nil
}

func candidatesOf(ctx context.Context, tx pgx.Tx, tenant, mailbox string, sums []string) (*record.Candidates, map[int64][]string, error) {
	rows, err := tx.Query(ctx, candidatesSQL, tenant, mailbox, sums)
	if err != nil {
		return nil, nil, err
	}
	defer rows.Close()
	var found []*record.Candidate
	items := map[int64][]string{}
	for rows.Next() {
		c := &record.Candidate{}
		var ids []string
		if err := rows.Scan(&c.Seq, &c.MailID, &c.UIDValidity, &c.UID, &c.SHA256, &c.Size, &c.FetchedAt, &ids); err != nil {
			return nil, nil, err
		}
		found = append(found, c)
		items[c.Seq] = ids
	}
	return record.NewCandidates(found), items, rows.Err()
}
