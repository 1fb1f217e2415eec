package reader

import (
	"context"
	"database/sql"
	"strings"

	"github.com/mailyard/mailyard/pkg/address"
	"github.com/mailyard/mailyard/pkg/mailstore"
	"github.com/mailyard/mailyard/schemas"
)

// conditions returns the conditions of a query, except for the page.
func (r *Reader) conditions(ctx context.Context, q mailstore.Query) (*where, error) {
	w := &where{}
	w.of(q.Tenant, q.Mailbox)
	if q.Verdict != "" || q.Reason != "" {
		w.verdict(q)
	}
	if q.State == mailstore.Disposed {
		w.conditions = append(w.conditions, "m.disposed_at IS NOT NULL")
	}
	if !q.Since.IsZero() {
		w.add("m.persisted_at >= ?", r.dialect.Time(q.Since))
	}
	if !q.Until.IsZero() {
		w.add("m.persisted_at < ?", r.dialect.Time(q.Until))
	}
	if q.Subject != "" {
		w.add(r.dialect.Contains("m.subject")+` ? ESCAPE '\'`, "%"+likeEscaper().Replace(q.Subject)+"%")
	}
	for _, p := range r.parts(q) {
		if err := r.narrow(ctx, w, q.Tenant, p); err != nil {
			return nil, err
		}
	}
	return w, nil
}

// verdict says of invalid mail in so many words that it is invalid: this is the
// condition of its index.
func (w *where) verdict(q mailstore.Query) {
	if q.Verdict == schemas.Invalid || q.Reason != "" && q.Verdict == "" {
		w.conditions = append(w.conditions, "m.verdict = 'invalid'")
	} else if q.Verdict != "" {
		w.add("m.verdict = ?", string(q.Verdict))
	}
	if q.Reason != "" {
		w.add("m.reason = ?", string(q.Reason))
	}
}

// A Part is a condition on what belongs to a mail, in a table of its own.
type Part struct {
	Table     string // with its alias: "items i"
	Seq       string // its column with the seq of the mail: "i.mail_seq"
	Tenant    string // its column with the tenant; empty if it has none
	Condition string // with ? for the argument; empty: every row
	Arg       any
	Uncounted bool // whether it would take too long to count the mails that it selects
}

func (r *Reader) parts(q mailstore.Query) []Part {
	var parts []Part
	if q.State == mailstore.Undisposed {
		parts = append(parts, Part{Table: "undisposed u", Seq: "u.mail_seq", Tenant: "u.tenant"})
	}
	if id := strings.Trim(q.MessageID, " <>"); id != "" { // the first half of the condition is that of the index
		parts = append(parts, Part{Table: "mails x", Seq: "x.seq", Tenant: "x.tenant", Condition: "x.message_id <> '' AND x.message_id = ?", Arg: id})
	}
	if q.Folder != "" {
		parts = append(parts, Part{Table: "items i", Seq: "i.mail_seq", Tenant: "i.tenant", Condition: "i.folder = ?", Arg: q.Folder})
	}
	if q.Address != "" {
		parts = append(parts, Part{Table: "addresses a", Seq: "a.mail_seq", Tenant: "a.tenant", Condition: "a.address_key = ?", Arg: addressKey(q.Address)})
	}
	if q.Text != "" {
		parts = append(parts, r.dialect.Search(q.Text))
	}
	return parts
}

// rare is how many mails a part may select to begin with them: they are read
// and sorted, however few are asked for. Of more, it takes not long to come
// across some by going through all mail from the newest on.
const rare = 1000

// narrow adds the condition of a part. Which way is quick depends on how many
// mails it selects, and a planner that guesses wrong reads all mail of the
// tenant: so they are counted first, up to a bound.
func (r *Reader) narrow(ctx context.Context, w *where, tenant string, p Part) error {
	few := false
	if tenant != "" && !p.Uncounted { // without a tenant, the tables have no index to count by
		counting := &where{}
		source := p.source(counting, tenant)
		err := r.one(ctx, func(rows *sql.Rows) error {
			var n int
			err := rows.Scan(&n)
			few = n <= rare
			return err
		}, `SELECT count(*) FROM (`+source+` LIMIT `+counting.arg(rare+1)+`) x`, counting.args...)
		if err != nil {
			return err
		}
	}
	if few {
		w.few = true
		w.conditions = append(w.conditions, r.dialect.AmongFew(p.source(w, tenant)))
		return nil
	}
	each := &where{conditions: []string{p.Seq + " = m.seq"}, args: w.args}
	p.where(each)
	w.args = each.args
	w.conditions = append(w.conditions, "EXISTS (SELECT 1 FROM "+p.Table+each.String()+")")
	return nil
}

// source returns the query for the mails of a tenant that a part selects.
func (p Part) source(w *where, tenant string) string {
	own := &where{args: w.args}
	if p.Tenant != "" {
		own.add(p.Tenant+" = ?", tenant)
	}
	p.where(own)
	w.args = own.args
	return "SELECT " + p.Seq + " FROM " + p.Table + own.String()
}

func (p Part) where(w *where) {
	if p.Condition != "" {
		w.add(p.Condition, p.Arg)
	}
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
