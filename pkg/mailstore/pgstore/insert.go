package pgstore

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/mailyard/mailyard/pkg/mailstore/internal/record"
)

const insertMailsSQL = `
INSERT INTO mails (mail_key, tenant, mailbox, uidvalidity, uid, mail_id, lane, size, sha256, verdict, reason, revision,
    message_id, in_reply_to, subject, from_name, from_address, bounce, auto_reply, auto_submitted,
    item_count, attachment_count, header_only, internal_at, sent_at, fetched_at, classified_at, persisted_at)
SELECT t.*, $28
FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::text[], $7::text[], $8::bigint[], $9::text[], $10::text[], $11::text[], $12::bigint[],
    $13::text[], $14::text[], $15::text[], $16::text[], $17::text[], $18::boolean[], $19::boolean[], $20::text[],
    $21::integer[], $22::integer[], $23::boolean[], $24::timestamptz[], $25::timestamptz[], $26::timestamptz[], $27::timestamptz[]) t
ON CONFLICT DO NOTHING
RETURNING mail_key, seq`

// insertMails inserts the rows of mails for some records, in the order of their
// keys, and notes the sequence numbers of those that were new.
func insertMails(ctx context.Context, tx pgx.Tx, b *record.Batch, which []int, persistedAt time.Time, seqs map[int]int64) error {
	at := make(map[string]int, len(which))
	var (
		keys, tenants, mailboxes, ids, lanes, sums, verdicts, reasons []string
		messageIDs, replies, subjects, names, from, automata          []string
		bounces, autoReplies, headerOnly                              []bool
		uidvalidities, uids, sizes, revisions                         []int64
		items, attachments                                            []int32
		internal, sent, fetched, classified                           []*time.Time
	)
	for _, n := range which {
		r := b.Records[n]
		key := r.Key.String()
		at[key] = n
		keys = append(keys, key)
		tenants = append(tenants, r.Key.Tenant)
		mailboxes = append(mailboxes, r.Key.Mailbox)
		uidvalidities = append(uidvalidities, int64(r.Key.UIDValidity))
		uids = append(uids, int64(r.Key.UID))
		ids = append(ids, r.MailID)
		lanes = append(lanes, r.Lane)
		sizes = append(sizes, r.Size)
		sums = append(sums, r.SHA256)
		verdicts = append(verdicts, r.Verdict)
		reasons = append(reasons, r.Reason)
		revisions = append(revisions, r.Revision)
		messageIDs = append(messageIDs, r.MessageID)
		replies = append(replies, r.InReplyTo)
		subjects = append(subjects, r.Subject)
		names = append(names, r.FromName)
		from = append(from, r.FromAddress)
		bounces = append(bounces, r.Bounce)
		autoReplies = append(autoReplies, r.AutoReply)
		automata = append(automata, r.AutoSubmitted)
		items = append(items, int32(len(r.Items)))
		attachments = append(attachments, int32(len(r.Attachments)))
		headerOnly = append(headerOnly, r.HeaderOnly)
		internal = append(internal, r.InternalAt)
		sent = append(sent, r.SentAt)
		fetched = append(fetched, r.FetchedAt)
		classified = append(classified, r.ClassifiedAt)
	}
	rows, err := tx.Query(ctx, insertMailsSQL, keys, tenants, mailboxes, uidvalidities, uids, ids, lanes, sizes, sums, verdicts, reasons, revisions,
		messageIDs, replies, subjects, names, from, bounces, autoReplies, automata,
		items, attachments, headerOnly, internal, sent, fetched, classified, persistedAt)
	if err != nil {
		return fmt.Errorf("inserting mails: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var key string
		var seq int64
		if err := rows.Scan(&key, &seq); err != nil {
			return fmt.Errorf("inserting mails: %w", err)
		}
		n := at[key]
		seqs[n] = seq
		b.Outcomes[n] = b.Records[n].Outcome()
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("inserting mails: %w", err)
	}
	return nil
}
