package console

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/mailyard/mailyard/pkg/mailstore"
	"github.com/mailyard/mailyard/schemas"
	"github.com/mailyard/mailyard/services/admin/operation"
)

// mailRoutes are the ledger and the page of one mail.
func (c *console) mailRoutes() []route {
	return []route{
		{pattern: "GET /t/{tenant}/mails", handle: c.mails},
		{pattern: "GET /t/{tenant}/mails/{mail}", handle: c.mail},
		{pattern: "GET /t/{tenant}/mails/{mail}/html", handle: c.mailHTML},
		{pattern: "GET /t/{tenant}/mails/{mail}/raw", handle: c.rawMail},
		{pattern: "GET /t/{tenant}/mails/{mail}/attachments/{position}", handle: c.attachment},
	}
}

// ledgerView is the ledger: every mail that was stored.
type ledgerView struct {
	Header header
	Path   string
	Search field
	Basic  []field
	More   []field
	Open   bool   // More is shown
	Any    bool   // something is filtered
	Bad    bool   // by something that makes no sense
	Detail string // what is wrong beyond single filters
	Now    ledgerNow
}

// ledgerNow is what refreshes itself of the ledger.
type ledgerNow struct {
	Live   string // path that it refreshes from; "": it does not
	Rows   []ledgerRow
	Newest string // path of the first page; "": this is it
	Older  string
	Empty  *empty
}

// A ledgerRow is a mail in the ledger.
type ledgerRow struct {
	mailstore.Summary
	Path    string
	Title   string // the subject
	From    string
	Address string  // of the sender, unless From is it
	Names   []named // of the folders
	Box     named
	Badge   badge // the verdict
	Where   badge
	Latency string
}

func (c *console) mails(r *request) error {
	query := r.URL.Query()
	in, problems := ledgerQuery(r, query)
	names, err := r.namesIn(r.tenant.Document.ID)
	if err != nil {
		return err
	}
	now, err := r.ledgerNow(query, in, names) // even with problems: it may find more of them
	if err != nil && problemOf(err).Status != http.StatusUnprocessableEntity {
		return err
	} else if err != nil {
		problems = append(problems, problemOf(err).Errors...)
	}
	if len(problems) > 0 {
		now = ledgerNow{}
	}
	if r.partial() && len(problems) == 0 {
		return r.part("mails-now", now)
	}
	v := ledgerView{
		Header: header{Title: "Mail", Text: "Every mail that was stored, with what became of it."},
		Path:   r.path("mails"), Now: now, Bad: len(problems) > 0,
	}
	f := form{Problems: problems}
	if f.Groups, err = r.ledgerFilters(query, names.folders); err != nil {
		return err
	}
	if f.distribute(); len(problems) > 0 {
		r.invalid()
	}
	v.Detail = f.Detail
	v.Search, v.Basic, v.More = f.Groups[0].Fields[0], f.Groups[0].Fields[1:], f.Groups[1].Fields
	given := func(f field) bool { return f.Value != "" || len(f.Problems) > 0 }
	v.Open = slices.ContainsFunc(v.More, given)
	v.Any = v.Open || given(v.Search) || slices.ContainsFunc(v.Basic, given)
	return r.page("mails", page{Title: "Mail", Section: sectionMail}, v)
}

// ledgerNow reads a page of the ledger.
func (r *request) ledgerNow(query url.Values, in operation.ListMails, names nameLists) (ledgerNow, error) {
	list, err := r.desk.ListMails(r.Context(), r.actor, &in)
	if err != nil {
		return ledgerNow{}, err
	}
	var v ledgerNow
	path := r.path("mails")
	for _, s := range list.Mails {
		v.Rows = append(v.Rows, r.ledgerRow(s, names))
	}
	if list.Next != "" {
		v.Older = withQuery(path, query, "before", list.Next)
	}
	if in.Before != "" {
		v.Newest = withQuery(path, query, "before", "")
	} else if in.Text == "" && in.Subject == "" && in.Until == "" { // those are slow, or do not change
		v.Live = withQuery(path, query)
	}
	switch filtered := withQuery(path, query, "before", "") != path; {
	case len(v.Rows) > 0:
	case filtered:
		v.Empty = &empty{Icon: "search", Title: "No mail matches", Text: "Look for a part of the address or subject, widen the time, or take a filter away.", Action: &action{Label: "Show all", Path: path}}
	case in.Before != "":
		v.Empty = &empty{Icon: "mail", Title: "There is no older mail", Action: &action{Label: "Newest", Path: path}}
	default:
		v.Empty = &empty{Icon: "mail", Title: "No mail yet", Text: "Mail appears here as soon as a mailbox is enabled and something arrives in it.", Action: &action{Label: "Mailboxes", Path: r.path("mailboxes")}}
	}
	return v, nil
}

func (r *request) ledgerRow(s mailstore.Summary, names nameLists) ledgerRow {
	row := ledgerRow{
		Summary: s, Path: r.path("mails", s.MailID), Title: cmp.Or(plainLine(s.Subject), "(no subject)"), From: cmp.Or(plainLine(s.FromName), plainLine(s.FromAddress), "(no sender)"),
		Box: names.mailbox(s.Tenant, s.Mailbox), Badge: verdictBadge(s.Verdict, s.Reason), Where: whereBadge(s), Latency: "–",
	}
	if s.FromName != "" {
		row.Address = plainLine(s.FromAddress)
	}
	for _, id := range s.Folders {
		row.Names = append(row.Names, names.folder(s.Tenant, id))
	}
	if s.FetchedAt != nil {
		row.Latency = durationText(max(s.PersistedAt.Sub(*s.FetchedAt), time.Millisecond))
	}
	return row
}

// verdictBadge says what a mail turned out to be.
func verdictBadge(v schemas.Verdict, reason schemas.Reason) badge {
	if v == schemas.Invalid {
		return badge{Tone: toneWarn, Text: reasonName(reason), Title: "Invalid: " + reasonText(reason)}
	}
	return badge{Tone: toneOK, Text: "Accepted", Title: "It is in every folder that it was meant for"}
}

// whereBadge says where a mail is now, as far as is known.
func whereBadge(s mailstore.Summary) badge {
	switch {
	case s.DisposedAt == nil:
		return badge{Tone: toneBusy, Text: "In the inbox", Title: "It is stored, and not known to have left the inbox on the mail server"}
	case s.DisposedMethod == methodDelete:
		return badge{Tone: toneOff, Text: "Deleted", Title: disposedText(s)}
	}
	return badge{Tone: toneOff, Text: "Moved", Title: disposedText(s)}
}
