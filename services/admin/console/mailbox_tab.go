package console

import (
	"fmt"
	"net/http"

	"github.com/mailyard/mailyard/pkg/mailstore"
	"github.com/mailyard/mailyard/schemas"
	"github.com/mailyard/mailyard/services/admin/operation"
)

// newestMails is how many mails the page of a mailbox shows.
const newestMails = 20

// mailTab is the ledger of a mailbox.
type mailTab struct {
	Path  string // it refreshes from
	All   string
	Mails []mailLine
	Empty empty
}

type mailLine struct {
	mailstore.Summary
	Path  string
	State badge
	From  string
	Names []named // of the folders
}

func (c *console) mailboxMail(r *request) error {
	return r.showMailbox("mail", "mailbox-mail", func(m operation.Mailbox, _ operation.MailboxRow) (any, error) {
		list, err := r.desk.ListMails(r.Context(), r.actor, &operation.ListMails{InTenant: r.inTenant(), Mailbox: m.Document.ID, Limit: newestMails})
		if err != nil {
			return nil, err
		}
		names, err := r.namesIn(r.tenant.Document.ID)
		if err != nil {
			return nil, err
		}
		v := mailTab{Path: r.path("mailboxes", m.Document.ID, "mail"), All: withQuery(r.path("mails"), nil, "mailbox", m.Document.ID), Empty: empty{Icon: "mail", Title: "No mail yet", Text: "What is taken from this mailbox is listed here."}}
		if !m.Document.Enabled {
			v.Empty.Text = "The mailbox is not enabled: no mail is taken from it."
		}
		for _, s := range list.Mails {
			v.Mails = append(v.Mails, r.mailLine(s, names))
		}
		return v, nil
	})
}

func (r *request) mailLine(s mailstore.Summary, names nameLists) mailLine {
	l := mailLine{Summary: s, Path: r.path("mails", s.MailID), From: s.FromName, State: badge{Tone: toneBusy, Text: "Stored", Title: "It is still in the inbox"}}
	if l.From == "" {
		l.From = s.FromAddress
	}
	for _, id := range s.Folders {
		l.Names = append(l.Names, names.folder(s.Tenant, id))
	}
	switch {
	case s.Verdict == schemas.Invalid:
		l.State = badge{Tone: toneWarn, Text: "Invalid", Title: string(s.Reason)}
	case s.DisposedAt != nil:
		l.State = badge{Tone: toneOK, Text: "Done", Title: "It has left the inbox"}
	}
	return l
}

// deadTab is the dead letters of a mailbox.
type deadTab struct {
	Now     string // it refreshes from
	Letters []deadLine
	Post    string
	All     string
	Write   bool
	Empty   empty
}

type deadLine struct {
	operation.DeadLetter
	Path string
	Drop string // path of the dialog
}

func (c *console) mailboxDead(r *request) error {
	return r.showMailbox("dead-letters", "mailbox-dead", func(m operation.Mailbox, _ operation.MailboxRow) (any, error) {
		list, err := r.desk.ListDeadLetters(r.Context(), r.actor, &operation.ListDeadLetters{InTenant: r.inTenant(), Mailbox: m.Document.ID})
		if err != nil {
			return nil, err
		}
		v := deadTab{
			Now: r.path("mailboxes", m.Document.ID, "dead-letters"), Post: r.path("mailboxes", m.Document.ID, "dead-letters"), Write: r.mayWrite(), All: withQuery(r.path("dead-letters"), nil, "mailbox", m.Document.ID),
			Empty: empty{Icon: "check-circle", Title: "No dead letters", Text: "Mail that a stage gave up after several attempts would wait here, to be replayed."},
		}
		for _, l := range list.Letters {
			v.Letters = append(v.Letters, deadLine{DeadLetter: l, Path: r.path("dead-letters", l.ID), Drop: withQuery(v.Post+"/drop", nil, "letter", l.ID)})
		}
		return v, nil
	})
}

// confirmDrop says what it means to drop a dead letter.
func (c *console) confirmDrop(r *request) error {
	if err := r.actor.MayWrite(r.tenant.Document.ID); err != nil {
		return err
	}
	m, err := r.mailbox(r.PathValue("mailbox"))
	if err != nil {
		return err
	}
	return r.part("confirm", confirm{
		Open: true, Title: "Drop this dead letter?", Danger: true, Submit: "Drop dead letter",
		Effect: []string{"Its mail stays in the inbox and is left alone: it is not fetched again.", "The dead letter cannot be replayed any more."},
		Post:   r.path("mailboxes", m.Document.ID, "dead-letters"), Hidden: []pair{{"letter", r.FormValue("letter")}, {"do", "drop"}},
	})
}

// settleDead replays or drops a dead letter.
func (c *console) settleDead(r *request) error {
	m, err := r.mailbox(r.PathValue("mailbox"))
	if err != nil {
		return err
	}
	in := operation.InDeadLetter{InTenant: r.inTenant(), ID: r.FormValue("letter")}
	var done operation.Done
	switch r.PostFormValue("do") {
	case "replay":
		done, err = r.desk.ReplayDeadLetter(r.Context(), r.actor, &operation.ReplayDeadLetter{InDeadLetter: in})
	case "drop":
		done, err = r.desk.DropDeadLetter(r.Context(), r.actor, &operation.DropDeadLetter{InDeadLetter: in})
	default:
		return &operation.Problem{Title: "Bad request", Status: http.StatusBadRequest, Detail: fmt.Sprintf("%q is neither replay nor drop", clip(r.PostFormValue("do"), 20))}
	}
	if err != nil {
		return err
	}
	r.tell(toneOK, "%s", done.Message)
	return r.redirect(r.path("mailboxes", m.Document.ID, "dead-letters"))
}

// auditTab is the audit of a mailbox.
type auditTab struct {
	Entries []auditRow
	All     string
	Empty   empty
}

func (c *console) mailboxAudit(r *request) error {
	return r.showMailbox("audit", "mailbox-audit", func(m operation.Mailbox, _ operation.MailboxRow) (any, error) {
		list, err := r.desk.ListAudit(r.Context(), r.actor, &operation.ListAudit{Tenant: r.tenant.Document.ID, Kind: schemas.KindMailbox, ID: m.Document.ID})
		if err != nil {
			return nil, err
		}
		v := auditTab{All: withQuery(r.path("audit"), nil, "kind", string(schemas.KindMailbox), "id", m.Document.ID), Empty: empty{Icon: "history", Title: "Nothing here", Text: "No change of this mailbox is recorded."}}
		names, err := r.namesIn(r.tenant.Document.ID)
		if err != nil {
			return nil, err
		}
		for _, e := range list.Entries {
			row := auditRowOf(e, names)
			row.Link = "" // it leads here
			v.Entries = append(v.Entries, row)
		}
		return v, nil
	})
}
