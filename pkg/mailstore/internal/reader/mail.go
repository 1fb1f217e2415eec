package reader

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"

	"github.com/mailyard/mailyard/pkg/mailstore"
)

// Mail implements mailstore.Store.
func (r *Reader) Mail(ctx context.Context, tenant, mailID string) (mailstore.Detail, error) {
	d, err := r.detail(ctx, tenant, mailID)
	if err != nil {
		return mailstore.Detail{}, fmt.Errorf("reading mail %s of %s: %w", mailID, tenant, err)
	}
	return d, nil
}

func (r *Reader) detail(ctx context.Context, tenant, mailID string) (mailstore.Detail, error) {
	var d mailstore.Detail
	var references, recipients, dsn, authResults, defects []byte
	err := r.one(ctx, func(rows *sql.Rows) error {
		return scanSummary(rows, &d.Summary, &d.SHA256, &d.HeaderOnly, &d.InReplyTo, &d.AutoSubmitted, &d.Revision,
			&references, &recipients, &dsn, &authResults, &defects, &d.Text, &d.HTML)
	}, `SELECT `+summaryColumns+`, m.sha256, m.header_only, m.in_reply_to, m.auto_submitted, m.revision,
		c.reference_ids, c.recipients, c.dsn, c.auth_results, c.defects, c.text, c.html
		FROM mails m JOIN contents c ON c.mail_seq = m.seq
		WHERE m.mail_id = $2 AND (m.tenant = $1 OR $1 = '')`, cleanText(tenant), cleanText(mailID))
	if err != nil {
		return d, err
	}
	for _, f := range []struct {
		json []byte
		into any
	}{{references, &d.References}, {recipients, &d.Recipients}, {dsn, &d.DSN}, {authResults, &d.AuthResults}, {defects, &d.Defects}} {
		if f.json == nil {
			continue
		}
		if err := json.Unmarshal(f.json, f.into); err != nil {
			return d, fmt.Errorf("decoding %T: %w", f.into, err)
		}
	}
	if err := r.items(ctx, &d); err != nil {
		return d, err
	}
	if err := r.addresses(ctx, &d); err != nil {
		return d, err
	}
	return d, r.attachments(ctx, &d)
}

func (r *Reader) items(ctx context.Context, d *mailstore.Detail) error {
	d.Items = []mailstore.Item{}
	return r.query(ctx, func(rows *sql.Rows) error {
		var i mailstore.Item
		defer func() { d.Items = append(d.Items, i) }()
		return rows.Scan(&i.ID, &i.Seq, &i.Folder, &i.FolderName, &i.MatchedAddress, &i.MatchedHeader, &i.MatchedRule)
	}, `SELECT item_id, seq, folder, folder_name, matched_address, matched_header, matched_rule
		FROM items WHERE mail_seq = $1 ORDER BY position`, d.Seq)
}

func (r *Reader) addresses(ctx context.Context, d *mailstore.Detail) error {
	d.Addresses = []mailstore.Address{}
	return r.query(ctx, func(rows *sql.Rows) error {
		var a mailstore.Address
		defer func() { d.Addresses = append(d.Addresses, a) }()
		return rows.Scan(&a.Role, &a.Position, &a.Name, &a.Address, &a.Key)
	}, `SELECT role, position, name, address, address_key FROM addresses WHERE mail_seq = $1
		ORDER BY CASE role WHEN 'from' THEN 1 WHEN 'sender' THEN 2 WHEN 'reply-to' THEN 3 WHEN 'to' THEN 4 WHEN 'cc' THEN 5 ELSE 6 END, position`, d.Seq)
}

const attachmentColumns = `a.position, a.part, a.filename, a.content_type, a.content_id, a.inline, a.is_message, a.size, a.sha256`

func attachmentDest(a *mailstore.Attachment) []any {
	return []any{&a.Position, &a.Part, &a.Filename, &a.ContentType, &a.ContentID, &a.Inline, &a.IsMessage, &a.Size, &a.SHA256}
}

func (r *Reader) attachments(ctx context.Context, d *mailstore.Detail) error {
	d.Attached = []mailstore.Attachment{}
	return r.query(ctx, func(rows *sql.Rows) error {
		var a mailstore.Attachment
		defer func() { d.Attached = append(d.Attached, a) }()
		return rows.Scan(attachmentDest(&a)...)
	}, `SELECT `+attachmentColumns+` FROM attachments a WHERE mail_seq = $1 ORDER BY position`, d.Seq)
}

// Raw implements mailstore.Store.
func (r *Reader) Raw(ctx context.Context, tenant, mailID string) ([]byte, error) {
	var raw []byte
	err := r.one(ctx, func(rows *sql.Rows) error { return rows.Scan(&raw) },
		`SELECT raw FROM v1_raw WHERE tenant = $1 AND mail_id = $2`, cleanText(tenant), cleanText(mailID))
	if err != nil {
		return nil, fmt.Errorf("reading the bytes of mail %s of %s: %w", mailID, tenant, err)
	}
	return raw, nil
}

// Attachment implements mailstore.Store.
func (r *Reader) Attachment(ctx context.Context, tenant, mailID string, position int) (mailstore.Attachment, error) {
	var a mailstore.Attachment
	err := r.one(ctx, func(rows *sql.Rows) error { return rows.Scan(append(attachmentDest(&a), &a.Content)...) },
		`SELECT `+attachmentColumns+`, a.content FROM v1_attachments a WHERE a.tenant = $1 AND a.mail_id = $2 AND a.position = CAST($3 AS bigint)`, cleanText(tenant), cleanText(mailID), position)
	if err != nil {
		return a, fmt.Errorf("reading attachment %d of mail %s of %s: %w", position, mailID, tenant, err)
	}
	return a, nil
}
