package pgstore

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/mailyard/mailyard/pkg/mailstore"
	"github.com/mailyard/mailyard/pkg/mailstore/internal/record"
)

// Each key asks two indexes. LATERAL with LIMIT keeps the planner from a scan
// of the whole table, which it may prefer while its statistics are old. The
// second question is cheap because few rows are undisposed: is this mail here
// under another UIDVALIDITY?
const lookupSQL = `
SELECT k.n, m.mail_id, m.disposed_at IS NOT NULL, m.items, u.found
FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::text[], $6::bigint[])
     WITH ORDINALITY AS k (tenant, mailbox, uidvalidity, uid, sha256, size, n)
LEFT JOIN LATERAL (
    SELECT m.mail_id, m.disposed_at,
           (SELECT array_agg(i.item_id ORDER BY i.position) FROM items i WHERE i.tenant = m.tenant AND i.mail_seq = m.seq) AS items
    FROM mails m
    WHERE m.tenant = k.tenant AND m.mailbox = k.mailbox AND m.uidvalidity = k.uidvalidity AND m.uid = k.uid
    LIMIT 1) m ON true
LEFT JOIN LATERAL (
    SELECT true AS found
    FROM mails u
    WHERE u.tenant = k.tenant AND u.mailbox = k.mailbox AND u.sha256 = k.sha256 AND u.disposed_at IS NULL
      AND u.uidvalidity <> k.uidvalidity AND u.size = k.size
    LIMIT 1) u ON true
WHERE m.mail_id IS NOT NULL OR u.found`

// lookup fills in the outcomes of the mails that are there already, under their
// key or under one of an earlier UIDVALIDITY, and returns the others.
func lookup(ctx context.Context, tx pgx.Tx, b *record.Batch) ([]int, error) {
	known, moved, err := find(ctx, tx, b, all(b))
	if err != nil {
		return nil, err
	}
	if len(moved) > 0 {
		if known, err = rekey(ctx, tx, b, moved, known); err != nil {
			return nil, err
		}
	}
	missing := make([]int, 0, len(b.Records))
	for n := range b.Records {
		if !known[n] {
			missing = append(missing, n)
		}
	}
	return missing, nil
}

// find looks up some records by key, fills in the outcomes of those that are
// there, and returns them and those of the rest that may be there under
// another UIDVALIDITY.
func find(ctx context.Context, tx pgx.Tx, b *record.Batch, which []int) (known map[int]bool, moved []int, err error) {
	known = map[int]bool{}
	k := keysOf(b, which)
	rows, err := tx.Query(ctx, lookupSQL, k.tenants, k.mailboxes, k.uidvalidities, k.uids, k.sums, k.sizes)
	if err != nil {
		return nil, nil, fmt.Errorf("looking up mail keys: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var n int64
		var mailID *string
		var disposed, other *bool
		var items []string
		if err := rows.Scan(&n, &mailID, &disposed, &items, &other); err != nil {
			return nil, nil, fmt.Errorf("looking up mail keys: %w", err)
		}
		at := which[n-1]
		if mailID == nil {
			moved = append(moved, at)
			continue
		}
		known[at] = true
		b.Outcomes[at] = mailstore.Outcome{MailID: *mailID, ItemIDs: items, Disposed: *disposed}
	}
	if err := rows.Err(); err != nil {
		return nil, nil, fmt.Errorf("looking up mail keys: %w", err)
	}
	slices.Sort(moved)
	return known, moved, nil
}

// keys are the columns of a lookup.
type keys struct {
	tenants, mailboxes, sums   []string
	uidvalidities, uids, sizes []int64
}

func keysOf(b *record.Batch, which []int) keys {
	var k keys
	for _, n := range which {
		r := b.Records[n]
		k.tenants = append(k.tenants, r.Key.Tenant)
		k.mailboxes = append(k.mailboxes, r.Key.Mailbox)
		k.sums = append(k.sums, r.SHA256)
		k.uidvalidities = append(k.uidvalidities, int64(r.Key.UIDValidity))
		k.uids = append(k.uids, int64(r.Key.UID))
		k.sizes = append(k.sizes, r.Size)
	}
	return k
}

func all(b *record.Batch) []int {
	which := make([]int, len(b.Records))
	for n := range which {
		which[n] = n
	}
	return which
}
