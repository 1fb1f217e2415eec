package pgstore

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/mailyard/mailyard/pkg/mailstore/internal/record"
)

const knownSQL = `
SELECT m.mail_key, m.seq, m.sha256, m.message_id, ` + outcomeColumns + `
FROM mails m, ` + itemsOfMail + `
WHERE m.mail_key = ANY ($1)`

// Mail that is in the inbox under another UIDVALIDITY: two looks into the index
// of a small table, which find nothing unless the UIDVALIDITY changed, even
// among many identical mails.
const movedSQL = `
SELECT k.n
FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[]) WITH ORDINALITY AS k (sha256, tenant, mailbox, uidvalidity, n)
WHERE EXISTS (SELECT 1 FROM undisposed u WHERE u.sha256 = k.sha256 AND u.tenant = k.tenant AND u.mailbox = k.mailbox AND u.uidvalidity < k.uidvalidity)
   OR EXISTS (SELECT 1 FROM undisposed u WHERE u.sha256 = k.sha256 AND u.tenant = k.tenant AND u.mailbox = k.mailbox AND u.uidvalidity > k.uidvalidity)`

// lookup fills in the outcomes of those of some records that are there already,
// under their key or under one of another UIDVALIDITY, and returns the others.
func lookup(ctx context.Context, tx pgx.Tx, b *record.Batch, which []int) ([]int, error) {
	missing, err := find(ctx, tx, b, which)
	if err != nil || len(missing) == 0 {
		return missing, err
	}
	moved, err := findMoved(ctx, tx, b, missing)
	if err != nil || len(moved) == 0 {
		return missing, err
	}
	return rekey(ctx, tx, b, missing, moved)
}

// find fills in the outcomes of those of some records whose key is there, and
// returns the others.
func find(ctx context.Context, tx pgx.Tx, b *record.Batch, which []int) (missing []int, err error) {
	keys := make([]string, len(which))
	at := make(map[string]int, len(which))
	for i, n := range which {
		keys[i] = b.Records[n].Key.String()
		at[keys[i]] = n
	}
	rows, err := tx.Query(ctx, knownSQL, keys)
	if err != nil {
		return nil, fmt.Errorf("looking up mail keys: %w", err)
	}
	defer rows.Close()
	var displaced []int64
	for rows.Next() {
		var key, sum, messageID string
		var seq int64
		var row outcomeRow
		if err := rows.Scan(row.targets(&key, &seq, &sum, &messageID)...); err != nil {
			return nil, fmt.Errorf("looking up mail keys: %w", err)
		}
		n := at[key]
		if b.Records[n].IsAnother(sum, messageID) {
			displaced = append(displaced, seq)
			continue
		}
		b.Outcomes[n] = row.outcome()
		delete(at, key)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("looking up mail keys: %w", err)
	}
	if err := displace(ctx, tx, displaced); err != nil {
		return nil, err
	}
	for _, n := range which {
		if _, ok := at[b.Records[n].Key.String()]; ok {
			missing = append(missing, n)
		}
	}
	return missing, nil
}

// displace takes the keys from rows of mails that had them once: see
// record.IsAnother. Nothing will be disposed of under these keys any more.
func displace(ctx context.Context, tx pgx.Tx, seqs []int64) error {
	if len(seqs) == 0 {
		return nil
	}
	if _, err := tx.Exec(ctx, `UPDATE mails SET mail_key = mail_key || '#' || seq WHERE seq = ANY ($1)`, seqs); err != nil {
		return fmt.Errorf("taking mail keys from mails of the past: %w", err)
	}
	if _, err := tx.Exec(ctx, `DELETE FROM undisposed WHERE mail_seq = ANY ($1)`, seqs); err != nil {
		return fmt.Errorf("taking mail keys from mails of the past: %w", err)
	}
	return nil
}

// findMoved returns those of some records whose mail may be there under another
// UIDVALIDITY.
func findMoved(ctx context.Context, tx pgx.Tx, b *record.Batch, which []int) ([]int, error) {
	var sums, tenants, mailboxes []string
	var uidvalidities []int64
	for _, n := range which {
		r := b.Records[n]
		sums = append(sums, r.SHA256)
		tenants = append(tenants, r.Key.Tenant)
		mailboxes = append(mailboxes, r.Key.Mailbox)
		uidvalidities = append(uidvalidities, int64(r.Key.UIDValidity))
	}
	rows, err := tx.Query(ctx, movedSQL, sums, tenants, mailboxes, uidvalidities)
	if err != nil {
		return nil, fmt.Errorf("looking for mail under another UIDVALIDITY: %w", err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil {
		return nil, fmt.Errorf("looking for mail under another UIDVALIDITY: %w", err)
	}
	moved := make([]int, len(found))
	for i, n := range found {
		moved[i] = which[n-1]
	}
	slices.Sort(moved)
	return moved, nil
}
