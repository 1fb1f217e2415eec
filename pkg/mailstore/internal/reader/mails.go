package reader

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"strings"

	"github.com/mailyard/mailyard/pkg/mailstore"
)

const defaultLimit = 50

// Mails implements mailstore.Store. Of one tenant mails are sorted by the time
// that they were persisted, which has an index; of all tenants by seq.
func (r *Reader) Mails(ctx context.Context, q mailstore.Query) ([]mailstore.Summary, error) {
	list, err := r.mails(ctx, q)
	if err != nil {
		return nil, fmt.Errorf("listing mail of %q: %w", q.Tenant, err)
	}
	return list, nil
}

func (r *Reader) mails(ctx context.Context, q mailstore.Query) ([]mailstore.Summary, error) {
	q, err := clean(q)
	if err != nil {
		return nil, err
	}
	w, err := r.conditions(ctx, q)
	if err != nil {
		return nil, err
	}
	order := "m.seq DESC"
	if q.Tenant != "" {
		order = "m.persisted_at DESC, m.seq DESC"
	}
	r.after(w, q)
	table := "mails m"
	if w.few {
		table += r.dialect.BySeq()
	}
	query := `SELECT ` + summaryColumns + ` FROM ` + table + w.String() + ` ORDER BY ` + order + ` LIMIT ` + w.arg(pageSize(q.Limit))
	list := []mailstore.Summary{}
	err = r.query(ctx, func(rows *sql.Rows) error {
		var s mailstore.Summary
		if err := scanSummary(rows, &s); err != nil {
			return err
		}
		list = append(list, s)
		return nil
	}, query, w.args...)
	return list, err
}

// after adds the condition of the pages after the first. It asks for nothing but
// what the index of the order has: what was asked of a single mail would tell
// how much mail others have, by the time that it takes.
func (r *Reader) after(w *where, q mailstore.Query) {
	switch {
	case q.Before.IsZero():
	case q.Tenant == "":
		w.add("m.seq < ?", q.Before.Seq)
	default:
		w.conditions = append(w.conditions, "(m.persisted_at, m.seq) < ("+w.arg(r.dialect.Time(bounded(q.Before.At)))+", "+w.arg(q.Before.Seq)+")")
	}
}

// pageSize returns the limit that is in force.
func pageSize(limit int) int {
	return min(cmp.Or(max(limit, 0), defaultLimit), mailstore.MaxLimit)
}

const summaryColumns = `m.seq, m.mail_id, m.tenant, m.mailbox, m.uidvalidity, m.uid, m.lane, m.size, m.verdict, m.reason,
	(SELECT string_agg(i.folder, ',' ORDER BY i.position) FROM items i WHERE i.mail_seq = m.seq),
	m.subject, m.from_name, m.from_address, m.message_id, m.bounce, m.auto_reply, m.attachment_count,
	m.internal_at, m.sent_at, m.fetched_at, m.classified_at, m.persisted_at, m.disposed_at, m.disposed_method, m.disposed_to`

// scanSummary scans summaryColumns, and whatever else follows them.
func scanSummary(rows *sql.Rows, s *mailstore.Summary, more ...any) error {
	var folders *string
	dest := []any{&s.Seq, &s.MailID, &s.Tenant, &s.Mailbox, &s.UIDValidity, &s.UID, &s.Lane, &s.Size, &s.Verdict, &s.Reason,
		&folders, &s.Subject, &s.FromName, &s.FromAddress, &s.MessageID, &s.Bounce, &s.AutoReply, &s.Attachments,
		instant{&s.InternalAt}, instant{&s.SentAt}, instant{&s.FetchedAt}, instant{&s.ClassifiedAt}, present{&s.PersistedAt}, instant{&s.DisposedAt},
		&s.DisposedMethod, &s.DisposedTo}
	if err := rows.Scan(append(dest, more...)...); err != nil {
		return err
	}
	s.Folders = []string{}
	if folders != nil {
		s.Folders = strings.Split(*folders, ",") // ids are slugs
	}
	return nil
}
