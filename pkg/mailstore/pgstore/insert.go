package pgstore

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/mailyard/mailyard/pkg/mailstore/internal/record"
)

const insertMailsSQL = `
INSERT INTO mails (tenant, mailbox, uidvalidity, uid, mail_id, lane, size, sha256, verdict, reason, revision,
    message_id, in_reply_to, subject, from_name, from_address, bounce, auto_reply, auto_submitted,
    item_count, attachment_count, header_only, internal_at, sent_at, fetched_at, classified_at, persisted_at)
SELECT t.*, $27
FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::text[], $6::text[], $7::bigint[], $8::text[], $9::text[], $10::text[], $11::bigint[],
    $12::text[], $13::text[], $14::text[], $15::text[], $16::text[], $17::boolean[], $18::boolean[], $19::text[],
    $20::integer[], $21::integer[], $22::boolean[], $23::timestamptz[], $24::timestamptz[], $25::timestamptz[], $26::timestamptz[]) t
ON CONFLICT DO NOTHING
RETURNING tenant, mail_id, seq`

// insertMails inserts the rows of mails for some records, in the order of their
// keys, and notes the sequence numbers of those that were new.
func insertMails(ctx context.Context, tx pgx.Tx, b *record.Batch, which []int, persistedAt time.Time, seqs map[int]int64) error {
	type id struct{ tenant, mail string }
	at := make(map[id]int, len(which))
	var (
		k                                                    = keysOf(b, which)
		ids, lanes, verdicts, reasons                        []string
		messageIDs, replies, subjects, names, from, automata []string
		bounces, autoReplies, headerOnly                     []bool
		revisions                                            []int64
		items, attachments                                   []int32
		internal, sent, fetched, classified                  []*time.Time
	)
	for _, n := range which {
		r := b.Records[n]
		at[id{r.Key.Tenant, r.MailID}] = n
		ids = append(ids, r.MailID)
		lanes = append(lanes, r.Lane)
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
	rows, err := tx.Query(ctx, insertMailsSQL, k.tenants, k.mailboxes, k.uidvalidities, k.uids, ids, lanes, k.sizes, k.sums, verdicts, reasons, revisions,
		messageIDs, replies, subjects, names, from, bounces, autoReplies, automata,
		items, attachments, headerOnly, internal, sent, fetched, classified, persistedAt)
	if err != nil {
		return fmt.Errorf("inserting mails: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var i id
		var seq int64
		if err := rows.Scan(&i.tenant, &i.mail, &seq); err != nil {
			return fmt.Errorf("inserting mails: %w", err)
		}
		n := at[i]
		seqs[n] = seq
		b.Outcomes[n].New = true
		b.Outcomes[n].MailID = i.mail
		b.Outcomes[n].ItemIDs = b.Records[n].ItemIDs()
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("inserting mails: %w", err)
	}
	return nil
}
