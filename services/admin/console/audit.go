package console

import (
	"cmp"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/mailyard/mailyard/pkg/account"
	"github.com/mailyard/mailyard/pkg/config"
	"github.com/mailyard/mailyard/pkg/control"
	"github.com/mailyard/mailyard/schemas"
	"github.com/mailyard/mailyard/services/admin/operation"
)

func (c *console) auditRoutes() []route {
	return []route{
		{pattern: "GET /t/{tenant}/audit", handle: c.audit},
		{pattern: "GET /audit", access: landlord, handle: c.audit},
	}
}

// auditView is the audit of a tenant, or of all.
type auditView struct {
	Header  header
	Path    string
	Filters []field
	Any     bool // something is filtered
	Entries []auditRow
	Next    string
	First   string // "" on the first page
	Empty   empty
	Detail  string
}

type auditRow struct {
	operation.AuditEntry
	Change badge
	What   named // it is about
	Of     named // its tenant, on the page of all; zero: it is of none, or one itself
	Link   string
	Fields []difference
	Open   bool
}

func (c *console) audit(r *request) error {
	path, title, current := "/audit", "Audit of all", sectionAllAudit
	if r.tenant.Document.ID != "" {
		path, title, current = r.path("audit"), "Audit", sectionAudit
	}
	query := r.URL.Query()
	in, problems := auditQuery(r, query)
	v := auditView{
		Header: header{Title: title, Text: "Who did what, when, and from where. Secrets stand here only as changed."},
		Path:   path, Filters: auditFilters(query), Detail: problems.Error(),
		Empty: empty{Icon: "history", Title: "Nothing here", Text: "No entry matches. Widen the time, or show all.", Action: &action{Label: "Show all", Path: path}},
	}
	v.Any = slices.ContainsFunc(v.Filters, func(f field) bool { return f.Value != "" })
	if len(problems) > 0 {
		r.status = http.StatusUnprocessableEntity
		return r.page("audit", page{Title: title, Section: current}, v)
	}
	list, err := r.desk.ListAudit(r.Context(), r.actor, &in)
	if err != nil {
		return err
	}
	lists := map[string]nameLists{}
	tenants := map[string]string{}
	if path == "/audit" {
		all, err := r.tenants()
		if err != nil {
			return err
		}
		for _, t := range all {
			tenants[t.ID] = t.Name
		}
	} else {
		tenants[r.tenant.Document.ID] = r.tenant.Document.Name
	}
	for _, e := range list.Entries {
		names, known := lists[e.Tenant]
		if !known && tenants[e.Tenant] != "" {
			if names, err = r.namesIn(e.Tenant); err != nil {
				return err
			}
			lists[e.Tenant] = names
		}
		row := auditRowOf(e, names)
		if e.Kind == schemas.KindTenant {
			row.What.Name = tenants[e.Document]
		} else if path == "/audit" && e.Tenant != "" {
			row.Of = named{ID: e.Tenant, Name: tenants[e.Tenant]}
		}
		v.Entries = append(v.Entries, row)
	}
	if list.Next != "" {
		v.Next = withQuery(path, query, "before", list.Next)
	}
	if query.Get("before") != "" {
		v.First = withQuery(path, query, "before", "")
	}
	return r.page("audit", page{Title: title, Section: current}, v)
}

// auditKinds are what audit entries are about.
func auditKinds() []option {
	return []option{
		{Value: "", Label: "Everything"}, {Value: string(schemas.KindMailbox), Label: "Mailboxes"}, {Value: string(schemas.KindFolder), Label: "Folders"},
		{Value: string(schemas.KindTenant), Label: "Tenants"}, {Value: "dead-letter", Label: "Dead letters"}, {Value: string(account.KindAccount), Label: "Accounts"},
		{Value: string(account.KindSession), Label: "Sign-ins"}, {Value: string(account.KindToken), Label: "API tokens"},
	}
}

func auditFilters(q url.Values) []field {
	return []field{
		{Name: "kind", Label: "About", Widget: widgetSelect, Options: auditKinds(), Value: q.Get("kind"), Attributes: []pair{{"data-submit", ""}}},
		{Name: "id", Label: "Id", Value: q.Get("id"), Placeholder: "any", Attributes: []pair{{"data-search", ""}}},
		{Name: "actor", Label: "Who", Value: q.Get("actor"), Placeholder: "anybody"},
		{Name: "since", Label: "From day", Widget: widgetDate, Value: q.Get("since")},
		{Name: "until", Label: "To day", Widget: widgetDate, Value: q.Get("until")},
	}
}

func auditQuery(r *request, q url.Values) (operation.ListAudit, config.Problems) {
	var problems config.Problems
	day := func(name string) time.Time {
		text := q.Get(name)
		if text == "" {
			return time.Time{}
		}
		t, err := time.Parse(time.DateOnly, text)
		if err != nil {
			problems = append(problems, config.Problem{Path: name, Message: "is not a day such as 2026-01-31"})
		}
		return t
	}
	in := operation.ListAudit{Tenant: r.tenant.Document.ID, Before: q.Get("before"), Kind: schemas.Kind(q.Get("kind")), ID: strings.TrimSpace(q.Get("id")), Actor: strings.TrimSpace(q.Get("actor"))}
	in.Since, in.Until = day("since"), day("until")
	if !in.Until.IsZero() {
		in.Until = in.Until.AddDate(0, 0, 1) // the day is meant to the end
	}
	return in, problems
}

func auditRowOf(e operation.AuditEntry, names nameLists) auditRow {
	row := auditRow{AuditEntry: e, Change: changeBadge(e.Change), Fields: differences(e.Fields), What: names.of(e.Kind, e.Tenant, e.Document)}
	row.Open = e.Change == schemas.ChangeUpdated && len(row.Fields) <= 3
	for _, f := range row.Fields {
		if f.Field == "name" && (e.Kind == account.KindToken || row.What.Name == "") { // of what is gone since
			row.What.Name = cmp.Or(f.After, f.Before)
		}
	}
	if e.Change == schemas.ChangeDeleted {
		return row
	}
	switch e.Kind {
	case schemas.KindMailbox:
		row.Link = tenantPath(e.Tenant, "mailboxes", e.Document)
	case schemas.KindTenant:
		row.Link = tenantPath(e.Tenant, "mailboxes")
	}
	return row
}

// changeBadge says what was done.
func changeBadge(change string) badge {
	text := strings.ReplaceAll(change, "-", " ")
	switch change {
	case schemas.ChangeCreated:
		return badge{Tone: toneOK, Text: text}
	case schemas.ChangeDeleted, account.ChangeRevoked:
		return badge{Tone: toneWarn, Text: text}
	case account.ChangeFailed, account.ChangeThrottled, account.ChangeRefused:
		return badge{Tone: toneBad, Text: text}
	case schemas.ChangeUpdated, account.ChangePassword, account.ChangeLink:
		return badge{Tone: toneInfo, Text: text}
	}
	return badge{Tone: toneOff, Text: text}
}

// differences are the fields of an audit entry, as people read them.
func differences(fields []control.FieldChange) []difference {
	var list []difference
	for _, f := range fields {
		list = append(list, difference{Field: f.Path, Before: valueText(f.Before), After: valueText(f.After), Added: len(f.Before) == 0, Removed: len(f.After) == 0})
	}
	return list
}

// valueText writes a JSON value: texts without their quotes, unless they would
// look like nothing.
func valueText(raw json.RawMessage) string {
	var text string
	if json.Unmarshal(raw, &text) == nil && strings.TrimSpace(text) != "" {
		return text
	}
	return string(raw)
}
