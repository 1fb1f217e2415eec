package reader

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"strings"

	"github.com/mailyard/mailyard/pkg/address"
	"github.com/mailyard/mailyard/pkg/mailstore"
)

const defaultLimit = 50

// Mails implements mailstore.Store.
func (r *Reader) Mails(ctx context.Context, q mailstore.Query) ([]mailstore.Summary, error) {
	w := r.conditions(q)
	query := `SELECT ` + summaryColumns + ` FROM mails m` + w.String() + ` ORDER BY m.seq DESC LIMIT ` + w.arg(pageSize(q.Limit))
	list := []mailstore.Summary{}
	err := r.query(ctx, func(rows *sql.Rows) error {
		var s mailstore.Summary
		if err := scanSummary(rows, &s); err != nil {
			return err
		}
		list = append(list, s)
		return nil
	}, query, w.args...)
	if err != nil {
		return nil, fmt.Errorf("listing mail of %q: %w", q.Tenant, err)
	}
	return list, nil
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

// where collects conditions and their arguments.
type where struct {
	conditions []string
	args       []any
}

// arg adds an argument and returns its placeholder.
func (w *where) arg(v any) string {
	w.args = append(w.args, v)
	return "$" + strconv.Itoa(len(w.args))
}

// String returns the WHERE clause.
func (w *where) String() string {
	if len(w.conditions) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(w.conditions, " AND ")
}

// add adds a condition, with ? in the place of its argument.
func (w *where) add(condition string, v any) {
	w.conditions = append(w.conditions, strings.Replace(condition, "?", w.arg(v), 1))
}

// of adds the conditions of mails of a tenant and a mailbox; "" is all of them.
func (w *where) of(tenant, mailbox string) {
	if tenant != "" {
		w.add("m.tenant = ?", tenant)
	}
	if mailbox != "" {
		w.add("m.mailbox = ?", mailbox)
	}
}

func (r *Reader) conditions(q mailstore.Query) *where {
	w := &where{}
	w.of(q.Tenant, q.Mailbox)
	if q.Verdict != "" {
		w.add("m.verdict = ?", string(q.Verdict))
	}
	if q.Reason != "" {
		w.add("m.reason = ?", string(q.Reason))
	}
	switch q.State {
	case mailstore.Undisposed:
		w.conditions = append(w.conditions, "EXISTS (SELECT 1 FROM undisposed u WHERE u.mail_seq = m.seq)")
	case mailstore.Disposed:
		w.conditions = append(w.conditions, "m.disposed_at IS NOT NULL")
	}
	if !q.Since.IsZero() {
		w.add("m.persisted_at >= ?", r.dialect.Time(q.Since.UTC()))
	}
	if !q.Until.IsZero() {
		w.add("m.persisted_at < ?", r.dialect.Time(q.Until.UTC()))
	}
	if q.Before > 0 {
		w.add("m.seq < ?", q.Before)
	}
	if id := strings.Trim(q.MessageID, " <>"); id != "" {
		w.add("m.message_id <> '' AND m.message_id = ?", id) // the first half is the condition of the index
	}
	if q.Folder != "" {
		w.add("EXISTS (SELECT 1 FROM items i WHERE i.tenant = m.tenant AND i.mail_seq = m.seq AND i.folder = ?)", q.Folder)
	}
	if q.Address != "" {
		w.add("EXISTS (SELECT 1 FROM addresses a WHERE a.tenant = m.tenant AND a.mail_seq = m.seq AND a.address_key = ?)", addressKey(q.Address))
	}
	if q.Subject != "" {
		w.add(r.dialect.Contains("m.subject")+` ? ESCAPE '\'`, "%"+likeEscaper().Replace(q.Subject)+"%")
	}
	if q.Text != "" {
		w.add(r.dialect.Matches(q.Text))
	}
	return w
}

// likeEscaper takes the meaning from the wildcards of LIKE.
func likeEscaper() *strings.Replacer {
	return strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)
}

// addressKey returns the comparable form of what somebody typed.
func addressKey(s string) string {
	if a, err := address.ParseOne(strings.TrimSpace(s)); err == nil {
		return string(a.Key())
	}
	return strings.ToLower(s)
}
