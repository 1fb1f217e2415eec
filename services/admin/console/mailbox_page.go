package console

import (
	"cmp"
	"fmt"
	"html/template"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/mailyard/mailyard/pkg/config"
	schema "github.com/mailyard/mailyard/schemas/config"
	"github.com/mailyard/mailyard/services/admin/operation"
)

// mailboxHead is the top of every page of a mailbox. It refreshes itself.
type mailboxHead struct {
	Path    string // it refreshes from
	Header  header
	Notices []notice
	Cards   []factCard // on the overview only
	Tabs    []tab
}

// A factCard is a card of facts with a state.
type factCard struct {
	Title string
	Badge *badge
	Text  string // what happened, and how to mend it
	Facts []fact
	More  *link
}

// A mailboxPage is a page of a mailbox: its head, and what the tab shows.
type mailboxPage struct {
	Head mailboxHead
	Tab  any
}

// showMailbox answers with a tab of a mailbox; to the head that refreshes itself
// with the head alone, to a tab that does so with what is in it. content is asked only for what the actor may see.
func (r *request) showMailbox(current, name string, content func(operation.Mailbox, operation.MailboxRow) (any, error)) error {
	id := r.PathValue("mailbox")
	m, err := r.mailbox(id)
	if err != nil {
		return err
	}
	row, err := r.desk.MailboxFacts(r.Context(), r.actor, &operation.MailboxFacts{InMailbox: r.inMailbox(id)})
	if err != nil {
		return err
	}
	head := r.mailboxHead(current, m, row)
	if r.partial() && r.Header.Get("HX-Target") == "mailbox-head" {
		return r.part("mailbox-head", head)
	}
	tab, err := content(m, row)
	if err != nil {
		return err
	}
	if r.partial() {
		return r.part(name+"-now", tab)
	}
	return r.page(name, page{Title: "Mailbox: " + m.Document.Name, Section: sectionRouting}, mailboxPage{head, tab})
}

func (r *request) mailboxHead(current string, m operation.Mailbox, row operation.MailboxRow) mailboxHead {
	doc := m.Document
	at := func(parts ...string) string { return r.path(append([]string{"mailboxes", doc.ID}, parts...)...) }
	state := incomingBadge(row.In)
	h := mailboxHead{Path: at(), Header: header{Title: doc.Name, Back: &link{"Mailboxes", r.path("mailboxes")}, Badge: &state, Text: doc.Description}}
	if current != "" {
		h.Path = at(current)
	}
	if r.mayWrite() {
		h.Header.Actions = mailboxActions(m, at)
	}
	if !doc.Enabled && len(m.Missing) > 0 {
		n := notice{Tone: toneInfo, Title: "It cannot be enabled yet.", Text: missingText(m.Missing)}
		if r.mayWrite() {
			n.Action = &action{Label: "Edit", Icon: "edit", Path: at("edit")}
		}
		h.Notices = append(h.Notices, n)
	}
	parked := ""
	if row.Parked > 0 {
		parked = countText(row.Parked)
	}
	for _, t := range []tab{{Label: "Overview"}, {Label: "Mail", Path: "mail"}, {Label: "Dead letters", Path: "dead-letters", Count: parked}, {Label: "Protocol log", Path: "protocol"}, {Label: "Audit", Path: "audit"}, {Label: "Settings", Path: "settings"}} {
		t.Current = t.Path == current
		if t.Path == "" {
			t.Path = at()
		} else {
			t.Path = at(t.Path)
		}
		h.Tabs = append(h.Tabs, t)
	}
	if current == "" {
		h.Cards = r.mailboxCards(doc, row)
	}
	return h
}

func mailboxActions(m operation.Mailbox, at func(...string) string) []action {
	turn := action{Label: "Enable", Icon: "play", Post: at("enable")}
	switch {
	case m.Document.Enabled:
		turn = action{Label: "Disable", Icon: "pause", Post: at("disable")}
	case len(m.Missing) > 0:
		turn.Disabled = missingText(m.Missing)
	}
	return []action{
		{Label: "Edit", Icon: "edit", Path: at("edit")},
		{Label: "Test", Icon: "stethoscope", Path: at("doctor")},
		{Label: "Dry run", Icon: "flask", Path: at("dry-run")},
		turn,
		{Label: "Delete", Icon: "trash", Danger: true, Load: at("delete")},
	}
}

func missingText(problems config.Problems) string {
	var lines []string
	for _, p := range problems {
		lines = append(lines, sentence(p.Message))
	}
	return strings.Join(lines, " ")
}

// mailboxCards say how the mailbox is.
func (r *request) mailboxCards(doc config.Mailbox, row operation.MailboxRow) []factCard {
	in, out := incomingBadge(row.In), outgoingBadge(row.Out)
	incoming := factCard{Title: "Incoming", Badge: &in, Text: cause(row.In.Detail, doc.Tenant, doc.ID), Facts: []fact{{Name: "Server", Text: serverText(doc.IMAP), Code: true}, {Name: "Username", Text: doc.Username, Code: doc.Username != ""}}}
	if row.Enabled {
		incoming.Facts = append(incoming.Facts, fact{Name: "Since", Time: timeOf(row.In.Since)}, fact{Name: "Last success", HTML: ago(time.Now(), timeOf(row.In.LastSuccess))})
		if row.In.NextAttempt != nil {
			incoming.Facts = append(incoming.Facts, fact{Name: "Next attempt", Time: *row.In.NextAttempt})
		}
		incoming.Facts = append(incoming.Facts, replicaFact(row.In))
	}
	outgoing := factCard{Title: "Outgoing", Badge: &out, Text: row.Out.Detail, Facts: []fact{{Name: "Server", Text: serverText(doc.SMTP), Code: doc.SMTP.Host != ""}}}
	if row.Out.Status != operation.OutgoingOff {
		outgoing.Facts = append(outgoing.Facts, fact{Name: "Last test", HTML: ago(time.Now(), timeOf(row.Out.At))})
	}
	today := factCard{Title: "Today", Facts: []fact{{Name: "Accepted", Text: countText(row.Today)}, {Name: "Invalid", Text: countText(row.FailedToday)}, {Name: "Folders", HTML: folderList(row.Folders)}}, More: &link{"Its mail", r.path("mailboxes", doc.ID, "mail")}}
	flight := factCard{Title: "Backlog", Facts: []fact{{Name: "Waiting", Text: countText(row.Waiting)}, {Name: "In flight", Text: countText(row.InFlight)}, {Name: "Dead letters", Text: countText(row.Parked)}}}
	if row.Parked > 0 {
		flight.More = &link{"Its dead letters", r.path("mailboxes", doc.ID, "dead-letters")}
	}
	return []factCard{incoming, outgoing, today, flight}
}

// replicaFact names the process that serves the mailbox.
func replicaFact(in operation.Incoming) fact {
	switch {
	case in.Replica == "":
		return fact{Name: "Replica", Text: "none yet"}
	case in.Stale:
		return fact{Name: "Replica", HTML: template.HTML(fmt.Sprintf("<code>%s</code>, last seen %s", template.HTMLEscapeString(in.Replica), ago(time.Now(), *in.ObservedAt)))}
	}
	return fact{Name: "Replica", Text: in.Replica, Code: true}
}

func folderList(list []operation.FolderRef) template.HTML {
	if len(list) == 0 {
		return `<span class="muted">none</span>`
	}
	var names []string
	for _, f := range list {
		names = append(names, template.HTMLEscapeString(f.Name))
	}
	return template.HTML(strings.Join(names, ", "))
}

func serverText(s schema.Server) string {
	if s.Host == "" {
		return ""
	}
	return net.JoinHostPort(s.Host, strconv.Itoa(s.Port)) + " " + string(s.Security)
}

// timeOf returns the time, the zero time for none.
func timeOf(t *time.Time) time.Time { return *cmp.Or(t, &time.Time{}) }
