package pgstore

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/mailyard/mailyard/pkg/mailstore/internal/record"
)

// large is the size in bytes above which bytes are stored uncompressed.
const large = 1 << 20

// insertParts inserts all that belongs to the new ones of some records. The mails
// were inserted by this transaction, so none of these rows can be there. The
// tallies come last: their rows are the only ones that other batches wait for.
func insertParts(ctx context.Context, tx pgx.Tx, b *record.Batch, which []int, seqs map[int]int64, persistedAt time.Time) error {
	if err := copyContents(ctx, tx, b, seqs); err != nil {
		return err
	}
	if err := copyAttachments(ctx, tx, b, seqs); err != nil {
		return err
	}
	batch := &pgx.Batch{}
	queueItems(batch, b, seqs)
	queueAddresses(batch, b, seqs)
	queueQueues(batch, b, seqs)
	queueTallies(batch, b.Tallies(which), persistedAt)
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return fmt.Errorf("inserting items and addresses: %w", err)
	}
	return nil
}

func copyContents(ctx context.Context, tx pgx.Tx, b *record.Batch, seqs map[int]int64) error {
	rows := newCopyRows()
	for n, r := range b.Records {
		seq, ok := seqs[n]
		if !ok {
			continue
		}
		rows.row(11)
		rows.text(r.Key.Tenant)
		rows.bigint(seq)
		rows.jsonb(r.References)
		rows.jsonb(r.Recipients)
		rows.jsonb(r.DSN)
		rows.jsonb(r.AuthResults)
		rows.jsonb(r.Defects)
		rows.text(r.Text)
		rows.text(r.HTML)
		rows.smallOrLarge(r.Raw)
	}
	return rows.send(ctx, tx, "contents", "tenant, mail_seq, reference_ids, recipients, dsn, auth_results, defects, text, html, raw, raw_large")
}

func copyAttachments(ctx context.Context, tx pgx.Tx, b *record.Batch, seqs map[int]int64) error {
	rows, some := newCopyRows(), false
	for n, r := range b.Records {
		seq, ok := seqs[n]
		if !ok {
			continue
		}
		for _, a := range r.Attachments {
			some = true
			rows.row(13)
			rows.text(r.Key.Tenant)
			rows.bigint(seq)
			rows.integer(a.Position)
			rows.text(a.Part)
			rows.text(a.Filename)
			rows.text(a.ContentType)
			rows.text(a.ContentID)
			rows.boolean(a.Inline)
			rows.boolean(a.IsMessage)
			rows.bigint(a.Size)
			rows.text(a.SHA256)
			rows.smallOrLarge(a.Content)
		}
	}
	if !some {
		return nil
	}
	return rows.send(ctx, tx, "attachments", "tenant, mail_seq, position, part, filename, content_type, content_id, inline, is_message, size, sha256, content, content_large")
}

// smallOrLarge writes the two columns that bytes are stored in.
func (c *copyRows) smallOrLarge(b []byte) {
	if len(b) <= large {
		c.bytea(b)
		c.null()
		return
	}
	c.null()
	c.bytea(b)
}

func queueItems(batch *pgx.Batch, b *record.Batch, seqs map[int]int64) {
	var tenants, ids, folders, names, addresses, headers, rules []string
	var mails []int64
	var positions []int32
	for n, r := range b.Records {
		seq, ok := seqs[n]
		if !ok {
			continue
		}
		for i := range r.Items {
			it := &r.Items[i]
			tenants = append(tenants, r.Key.Tenant)
			mails = append(mails, seq)
			positions = append(positions, int32(i+1))
			ids = append(ids, it.ID)
			folders = append(folders, it.Folder)
			names = append(names, it.FolderName)
			addresses = append(addresses, it.MatchedAddress)
			headers = append(headers, it.MatchedHeader)
			rules = append(rules, it.Rule)
		}
	}
	if len(ids) > 0 {
		batch.Queue(`INSERT INTO items (tenant, mail_seq, position, item_id, folder, folder_name, matched_address, matched_header, matched_rule)
			SELECT * FROM unnest($1::text[], $2::bigint[], $3::integer[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[])`,
			tenants, mails, positions, ids, folders, names, addresses, headers, rules)
	}
}

func queueAddresses(batch *pgx.Batch, b *record.Batch, seqs map[int]int64) {
	var tenants, roles, names, addresses, keys []string
	var mails []int64
	var positions []int32
	for n, r := range b.Records {
		seq, ok := seqs[n]
		if !ok {
			continue
		}
		for i := range r.Addresses {
			a := &r.Addresses[i]
			tenants = append(tenants, r.Key.Tenant)
			mails = append(mails, seq)
			roles = append(roles, a.Role)
			positions = append(positions, int32(a.Position))
			names = append(names, a.Name)
			addresses = append(addresses, a.Address)
			keys = append(keys, a.Key)
		}
	}
	if len(roles) > 0 {
		batch.Queue(`INSERT INTO addresses (tenant, mail_seq, role, position, name, address, address_key)
			SELECT * FROM unnest($1::text[], $2::bigint[], $3::text[], $4::integer[], $5::text[], $6::text[], $7::text[])`,
			tenants, mails, roles, positions, names, addresses, keys)
	}
}

func queueQueues(batch *pgx.Batch, b *record.Batch, seqs map[int]int64) {
	mails := make([]int64, 0, len(seqs))
	origins, dues := make([]*string, 0, len(seqs)), make([]*time.Time, 0, len(seqs))
	now := time.Now().UTC()
	for n, r := range b.Records {
		if seq, ok := seqs[n]; ok {
			origin, due := r.Due(now)
			mails, origins, dues = append(mails, seq), append(origins, origin), append(dues, due)
		}
	}
	batch.Queue(`INSERT INTO search_queue (mail_seq) SELECT unnest($1::bigint[])`, mails)
	batch.Queue(`INSERT INTO undisposed (mail_seq, tenant, mailbox, uidvalidity, sha256, persisted_at, origin, due_at)
		SELECT m.seq, m.tenant, m.mailbox, m.uidvalidity, m.sha256, m.persisted_at, k.origin, k.due_at
		FROM unnest($1::bigint[], $2::text[], $3::timestamptz[]) AS k (seq, origin, due_at) JOIN mails m ON m.seq = k.seq`, mails, origins, dues)
}

// queueTallies counts in one statement, however many mailboxes there are. Rows
// are locked in the order of the tallies.
func queueTallies(batch *pgx.Batch, tallies []record.Tally, persistedAt time.Time) {
	var tenants, mailboxes, verdicts, reasons []string
	var mails, bytes []int64
	for _, t := range tallies {
		tenants = append(tenants, t.Tenant)
		mailboxes = append(mailboxes, t.Mailbox)
		verdicts = append(verdicts, t.Verdict)
		reasons = append(reasons, t.Reason)
		mails = append(mails, t.Mails)
		bytes = append(bytes, t.Bytes)
	}
	batch.Queue(`INSERT INTO tallies AS t (tenant, mailbox, day, verdict, reason, mails, bytes, last_persisted_at)
		SELECT u.tenant, u.mailbox, ($7::timestamptz AT TIME ZONE 'UTC')::date, u.verdict, u.reason, u.mails, u.bytes, $7
		FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::bigint[]) WITH ORDINALITY AS u (tenant, mailbox, verdict, reason, mails, bytes, n)
		ORDER BY u.n
		ON CONFLICT (tenant, mailbox, day, verdict, reason) DO UPDATE SET mails = t.mails + excluded.mails,
			bytes = t.bytes + excluded.bytes, last_persisted_at = greatest(t.last_persisted_at, excluded.last_persisted_at)`,
		tenants, mailboxes, verdicts, reasons, mails, bytes, persistedAt)
}
