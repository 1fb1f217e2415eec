package console

import (
	"net/http"
	"net/url"
	"strconv"

	"github.com/mailyard/mailyard/services/admin/operation"
)

// mailboxRoutes are the list of mailboxes and the page of one. Those of the form
// are in mailbox_form.go.
func (c *console) mailboxRoutes() []route {
	return []route{
		{pattern: "GET /t/{tenant}/mailboxes", handle: c.mailboxes},
		{pattern: "GET /t/{tenant}/bulk", handle: c.confirmBulk, limit: bulkLimit},
		{pattern: "POST /t/{tenant}/bulk", handle: c.bulk, limit: bulkLimit, long: true},
		{pattern: "POST /t/{tenant}/bulk/test", handle: c.bulkTest, limit: bulkLimit, long: true},
		{pattern: "GET /t/{tenant}/mailboxes/{mailbox}", handle: c.mailboxOverview},
		{pattern: "GET /t/{tenant}/mailboxes/{mailbox}/history", handle: c.mailboxHistory},
		{pattern: "GET /t/{tenant}/mailboxes/{mailbox}/mail", handle: c.mailboxMail},
		{pattern: "GET /t/{tenant}/mailboxes/{mailbox}/dead-letters", handle: c.mailboxDead},
		{pattern: "GET /t/{tenant}/mailboxes/{mailbox}/dead-letters/drop", handle: c.confirmDrop},
		{pattern: "POST /t/{tenant}/mailboxes/{mailbox}/dead-letters", handle: c.settleDead, long: true},
		{pattern: "GET /t/{tenant}/mailboxes/{mailbox}/protocol", handle: c.mailboxProtocol},
		{pattern: "POST /t/{tenant}/mailboxes/{mailbox}/protocol", handle: c.switchProtocol},
		{pattern: "GET /t/{tenant}/mailboxes/{mailbox}/protocol/lines", handle: c.protocolLines},
		{pattern: "GET /t/{tenant}/mailboxes/{mailbox}/audit", handle: c.mailboxAudit},
		{pattern: "GET /t/{tenant}/mailboxes/{mailbox}/settings", handle: c.mailboxSettings},
		{pattern: "POST /t/{tenant}/mailboxes/{mailbox}/enable", handle: c.enableMailbox},
		{pattern: "POST /t/{tenant}/mailboxes/{mailbox}/disable", handle: c.disableMailbox},
		{pattern: "GET /t/{tenant}/mailboxes/{mailbox}/delete", handle: c.confirmDelete},
		{pattern: "POST /t/{tenant}/mailboxes/{mailbox}/delete", handle: c.deleteMailbox},
	}
}

// mailboxesView is the list of mailboxes with what stays while it refreshes.
type mailboxesView struct {
	Header  header
	Path    string
	Search  string
	Filters []field
	Show    bool // search and filters
	Now     mailboxesNow
}

// mailboxes answers with the page, or with what refreshes on it.
func (c *console) mailboxes(r *request) error {
	now, err := r.mailboxesNow(r.URL.Query())
	if err != nil {
		return err
	}
	if r.partial() {
		if r.Header.Get("HX-Boosted") != "" || r.Header.Get("HX-Trigger") == "mailbox-filters" {
			r.w.Header().Set("HX-Push-Url", now.Path)
		}
		return r.part("mailboxes-now", now)
	}
	return r.mailboxesPage(now)
}

func (r *request) mailboxesPage(now mailboxesNow) error {
	v := mailboxesView{Header: header{Title: "Mailboxes"}, Path: r.path("mailboxes"), Search: now.query.Get("q"), Show: now.total > 0, Now: now}
	if r.mayWrite() && v.Show {
		v.Header.Actions = []action{{Label: "New mailbox", Icon: "plus", Path: r.path("new-mailbox"), Primary: true}}
	}
	if v.Show {
		var err error
		if v.Filters, err = r.mailboxFilters(now.query); err != nil {
			return err
		}
	}
	return r.page("mailboxes", page{Title: "Mailboxes", Section: sectionRouting, Tabs: r.routingTabs("mailboxes")}, v)
}

// listKeys are the parameters of the list; others are left out of its links.
var listKeys = [...]string{"q", "status", "outgoing", "folder", "enabled", "attention", "sort", "cursor", "limit"}

// listQuery is the query of the list that holds what is in q and not empty.
func listQuery(q url.Values) url.Values {
	out := url.Values{}
	for _, k := range listKeys {
		for _, v := range q[k] {
			if v != "" {
				out.Add(k, v)
			}
		}
	}
	return out
}

// shownList is the query of the list that the browser shows now, for what is
// done from its menus.
func (r *request) shownList() url.Values {
	u, err := url.Parse(r.Header.Get("HX-Current-URL"))
	if err != nil || u.Path != r.path("mailboxes") {
		return url.Values{}
	}
	return listQuery(u.Query())
}

// setMailbox changes whether mailyard works on a mailbox: from the list, which
// then shows itself anew, or from the mailbox's page.
func (r *request) setMailbox(set func(operation.InMailbox) (operation.Mailbox, error), what string) error {
	m, err := set(r.inMailbox(r.PathValue("mailbox")))
	if err != nil {
		return err
	}
	r.tell(toneOK, "Mailbox %s is %s.", m.Document.Name, what)
	if !r.partial() {
		return r.redirect(r.path("mailboxes", m.Document.ID))
	}
	now, err := r.mailboxesNow(r.shownList())
	if err != nil {
		return err
	}
	return r.part("mailboxes-now", now)
}

func (c *console) enableMailbox(r *request) error {
	return r.setMailbox(func(in operation.InMailbox) (operation.Mailbox, error) {
		return r.desk.EnableMailbox(r.Context(), r.actor, &operation.EnableMailbox{InMailbox: in})
	}, "enabled")
}

func (c *console) disableMailbox(r *request) error {
	return r.setMailbox(func(in operation.InMailbox) (operation.Mailbox, error) {
		return r.desk.DisableMailbox(r.Context(), r.actor, &operation.DisableMailbox{InMailbox: in})
	}, "disabled")
}

// listInput reads the list's query for the operation.
func (r *request) listInput(q url.Values) (*operation.ListMailboxes, error) {
	in := &operation.ListMailboxes{InTenant: r.inTenant(), MailboxFilter: mailboxFilter(q), Sort: q.Get("sort"), Cursor: q.Get("cursor")}
	if text := q.Get("limit"); text != "" {
		n, problems := formNumber("limit", text)
		if len(problems) > 0 || n <= 0 {
			return nil, &operation.Problem{Title: "Bad request", Status: http.StatusBadRequest, Detail: "limit must be a number of rows, such as " + strconv.Itoa(pageRows)}
		}
		in.Limit = n
	}
	return in, nil
}
