package sqlitestore

import (
	"time"

	"github.com/mailyard/mailyard/pkg/mailstore/internal/record"
)

// insert stores a mail that is new, with all that belongs to it.
func insert(st *statements, r *record.Record, persistedAt string) error {
	tenant := r.Key.Tenant
	seq, err := st.insert(`INSERT INTO mails (mail_key, tenant, mailbox, uidvalidity, uid, mail_id, lane, size, sha256, verdict, reason, revision,
		message_id, in_reply_to, subject, from_name, from_address, bounce, auto_reply, auto_submitted,
		item_count, attachment_count, header_only, internal_at, sent_at, fetched_at, classified_at, persisted_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		r.Key.String(), tenant, r.Key.Mailbox, int64(r.Key.UIDValidity), int64(r.Key.UID), r.MailID, r.Lane, r.Size, r.SHA256, r.Verdict, r.Reason, r.Revision,
		r.MessageID, r.InReplyTo, r.Subject, r.FromName, r.FromAddress, r.Bounce, r.AutoReply, r.AutoSubmitted,
		len(r.Items), len(r.Attachments), r.HeaderOnly, stamp(r.InternalAt), stamp(r.SentAt), stamp(r.FetchedAt), stamp(r.ClassifiedAt), persistedAt)
	if err != nil {
		return err
	}
	var dsn any
	if r.DSN != "" {
		dsn = r.DSN
	}
	if err := st.exec(`INSERT INTO contents (mail_seq, tenant, reference_ids, recipients, dsn, auth_results, defects, text, html, raw)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		seq, tenant, r.References, r.Recipients, dsn, r.AuthResults, r.Defects, r.Text, r.HTML, r.Raw); err != nil {
		return err
	}
	for i := range r.Items {
		it := &r.Items[i]
		if err := st.exec(`INSERT INTO items (tenant, item_id, mail_seq, position, folder, folder_name, matched_address, matched_header, matched_rule)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			tenant, it.ID, seq, i+1, it.Folder, it.FolderName, it.MatchedAddress, it.MatchedHeader, it.Rule); err != nil {
			return err
		}
	}
	for i := range r.Addresses {
		a := &r.Addresses[i]
		if err := st.exec(`INSERT INTO addresses (tenant, mail_seq, role, position, name, address, address_key) VALUES (?, ?, ?, ?, ?, ?, ?)`,
			tenant, seq, a.Role, a.Position, a.Name, a.Address, a.Key); err != nil {
			return err
		}
	}
	for i := range r.Attachments {
		a := &r.Attachments[i]
		if err := st.exec(`INSERT INTO attachments (tenant, mail_seq, position, part, filename, content_type, content_id, inline, is_message, size, sha256, content)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			tenant, seq, a.Position, a.Part, a.Filename, a.ContentType, a.ContentID, a.Inline, a.IsMessage, a.Size, a.SHA256, a.Content); err != nil {
			return err
		}
	}
	origin, due := r.Due(time.Now().UTC())
	if err := st.exec(`INSERT INTO undisposed (mail_seq, tenant, mailbox, uidvalidity, sha256, persisted_at, origin, due_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
		seq, tenant, r.Key.Mailbox, int64(r.Key.UIDValidity), r.SHA256, persistedAt, origin, stamp(due)); err != nil {
		return err
	}
	return st.exec(`INSERT INTO search_queue (mail_seq) VALUES (?)`, seq)
}
