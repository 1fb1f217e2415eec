package console

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/mailyard/mailyard/pkg/config"
	"github.com/mailyard/mailyard/pkg/doctor"
	"github.com/mailyard/mailyard/schemas"
	schema "github.com/mailyard/mailyard/schemas/config"
	"github.com/mailyard/mailyard/services/admin/operation"
)

// dryRunPageView is the page of the dry run of a saved mailbox.
type dryRunPageView struct {
	Header header
	Post   string
	Scope  []field
	Limit  string
}

// dryRunView is what a dry run found.
type dryRunView struct {
	Problem *doctorEnd // it could not be made
	Total   int        // mails in the inbox
	Looked  int        // of them, the newest
	Inbox   string
	Left    bool // none of those that are shown would be imported
	Counts  []dryRunCount
	Scopes  []scopeView
	Server  string // what happens to imported mail there
	Mails   []dryRunMail
	Enable  *enableView
}

// A dryRunCount is how many mails would go the same way.
type dryRunCount struct {
	Count int
	Text  string
	Tone  tone
}

// A scopeView is a choice of what is imported, and what it means.
type scopeView struct {
	Label, Text string
	Chosen      bool
	Fill        string // JSON of the form values that choose it; "": it cannot be chosen here
}

// A dryRunMail is a line of the table.
type dryRunMail struct {
	Subject, From string
	At            time.Time
	Folders       []string
	Invalid       string
	Why           string
	Lane          schemas.Lane
	Size          string
	Server        string
}

// An enableView is the button that enables the mailbox with the chosen scope.
type enableView struct {
	Form     string // id of the form that is sent; "": one of its own
	Post     string
	Revision string
	Scope    string // import_since
	Label    string
	Missing  []string
}

// dryRunPage offers the dry run of a saved mailbox.
func (c *console) dryRunPage(r *request) error {
	if err := r.actor.MayWrite(r.tenant.Document.ID); err != nil {
		return err
	}
	m, err := r.mailbox(r.PathValue("mailbox"))
	if err != nil {
		return err
	}
	v := dryRunPageView{
		Header: header{
			Title: "Dry run: " + m.Document.Name, Back: &link{m.Document.Name, r.path("mailboxes", m.Document.ID)},
			Text: "Reads the newest 50 mails in the inbox and says where each would go, and why. Nothing is touched: no mail is moved, marked or downloaded whole.",
		},
		Post: r.path("mailboxes", m.Document.ID, "dry-run"), Limit: r.doctorLimit(),
	}
	for _, g := range mailboxFields(valuesOf(m.Document), m.Document.ID) {
		for _, f := range g.Fields {
			if f.Name == "import_since" || f.Name == dateField {
				v.Scope = append(v.Scope, f)
			}
		}
	}
	return r.page("dry-run", page{Title: v.Header.Title, Section: sectionRouting}, v)
}

// runDryRun makes the dry run of a saved mailbox, with the scope that is chosen.
func (c *console) runDryRun(r *request) error {
	if err := r.actor.MayWrite(r.tenant.Document.ID); err != nil {
		return err
	}
	m, err := r.mailbox(r.PathValue("mailbox"))
	if err != nil {
		return err
	}
	values := valuesOf(m.Document)
	values["import_since"], values[dateField] = r.PostForm["import_since"], r.PostForm[dateField]
	d := readDraft(r.tenant.Document.ID, m.Document.ID, values, m.Document)
	enabled := d.doc.Enabled
	d.doc.Enabled = false
	found, err := r.check(d, m.Document.ID)
	if err != nil {
		return err
	}
	d.merge(found.Problems)
	body, err := d.json()
	if err != nil {
		return err
	}
	in := operation.MailboxDraft{InTenant: r.inTenant(), Body: operation.Draft{ID: m.Document.ID, Document: body}}
	return r.dryRun(d, in, m.EnabledAt, func(v *dryRunView) {
		if enabled {
			return
		}
		v.Enable = &enableView{Post: r.path("mailboxes", m.Document.ID, "dry-run", "enable"), Revision: m.Revision, Scope: d.doc.ImportSince, Label: "Enable mailbox"}
		for _, p := range found.Missing {
			v.Enable.Missing = append(v.Enable.Missing, labelOf(p.Path)+": "+sentence(p.Message))
		}
	})
}

// draftDryRun makes the dry run of the values in a form.
func (c *console) draftDryRun(r *request) error {
	if err := r.actor.MayWrite(r.tenant.Document.ID); err != nil {
		return err
	}
	enabled := r.PostFormValue("enabled") != ""
	d, in, _, err := r.draft()
	if err != nil {
		return err
	}
	_, saved, err := r.draftOf()
	if err != nil {
		return err
	}
	return r.dryRun(d, in, saved.EnabledAt, func(v *dryRunView) {
		for i := range v.Scopes {
			v.Scopes[i].Fill = scopeFill(i, d.doc.ImportSince)
		}
		if !enabled {
			v.Enable = &enableView{Form: "mailbox-form", Label: "Save and enable"}
		}
	})
}

// scopeFill returns the form values that choose a scope.
func scopeFill(i int, since string) string {
	switch i {
	case 0:
		return `{"import_since":["all"]}`
	case 1:
		return `{"import_since":["new"]}`
	}
	if _, err := time.Parse(time.DateOnly, since); err != nil {
		since = ""
	}
	return fmt.Sprintf(`{"import_since":["date"],"import_since_date":[%q]}`, since)
}

// dryRun streams what a dry run finds.
func (r *request) dryRun(d draft, in operation.MailboxDraft, enabledAt *time.Time, finish func(*dryRunView)) error {
	s := r.stream()
	if len(d.problems) > 0 {
		end := mend(d.problems)
		return s.send("dry-run-result", dryRunView{Problem: &end})
	}
	if err := s.send("dry-run-busy", r.doctorLimit()); err != nil {
		return nil // the browser is gone
	}
	// Of a mailbox that was never enabled nothing that is there is new: it is shown
	// as if all of it were imported.
	look := d
	left := d.doc.ImportSince == schema.ImportNew && enabledAt == nil
	if left {
		look.doc.ImportSince = schema.ImportAll
	}
	body, err := look.json()
	if err != nil {
		return err
	}
	in.Body.Document = body
	run := operation.DryRunMailbox(in)
	out, err := r.desk.DryRunMailbox(r.Context(), r.actor, &run)
	if err != nil {
		p := problemOf(err)
		if p.Status != http.StatusUnprocessableEntity {
			return s.fail(err)
		}
		end := mend(p.Errors)
		if text := r.unreached(err); !strings.HasPrefix(text, "Mend first") {
			end = doctorEnd{Tone: toneBad, Title: "The mail server could not be asked.", Text: text}
		}
		return s.send("dry-run-result", dryRunView{Problem: &end})
	}
	v := dryRunOf(out, d.doc, left)
	finish(&v)
	return s.send("dry-run-result", v)
}

// dryRunOf shows what a dry run found; left says that nothing of what is there
// would be imported.
func dryRunOf(out doctor.DryRun, doc config.Mailbox, left bool) dryRunView {
	v := dryRunView{Total: out.Total, Looked: len(out.Mails), Inbox: doc.Inbox, Left: left && out.Total > 0, Server: disposal(doc), Scopes: scopes(out, doc, left)}
	for _, s := range out.Summary {
		t := toneOK
		text := strings.Join(s.Folders, " + ")
		if len(s.Folders) == 0 {
			t = toneWarn
			_, text, _ = strings.Cut(s.Text, " ")
		}
		v.Counts = append(v.Counts, dryRunCount{Count: s.Count, Text: text, Tone: t})
	}
	for _, m := range out.Mails {
		at := m.InternalDate
		if at.IsZero() {
			at = m.Date
		}
		line := dryRunMail{Subject: m.Subject, From: m.From, At: at, Why: sentence(m.Reason), Lane: m.Lane, Size: shortSize(m.Size), Server: sentence(m.Server)}
		for _, c := range m.Decision.Clones {
			line.Folders = append(line.Folders, c.FolderName)
		}
		if len(line.Folders) == 0 {
			line.Invalid = reasonName(m.Decision.Reason)
		}
		if v.Left {
			line.Server = "Stays untouched."
		}
		v.Mails = append(v.Mails, line)
	}
	return v
}

// scopes says what each choice of import_since means for the mails that are there.
func scopes(out doctor.DryRun, doc config.Mailbox, left bool) []scopeView {
	counted := plural(out.WouldImport, "mail is", "mails are") + " imported, " + plural(out.LeftAlone, "older one stays", "older ones stay") + " untouched."
	all := scopeView{Label: "All mail", Text: plural(out.Total, "mail that is there is imported.", "mails that are there are imported."), Chosen: doc.ImportSince == schema.ImportAll}
	fresh := scopeView{Label: "New mail only", Chosen: doc.ImportSince == schema.ImportNew}
	if fresh.Text = counted; !fresh.Chosen || left {
		fresh.Text = plural(out.Total, "mail that is there stays untouched.", "mails that are there stay untouched.") + " Only what arrives after enabling is imported."
	}
	since := scopeView{Label: "Mail since a day", Text: "Choose a day to count."}
	if isDate(doc.ImportSince) {
		since = scopeView{Label: "Mail since " + doc.ImportSince, Text: counted, Chosen: true}
	}
	return []scopeView{all, fresh, since}
}

func isDate(s string) bool {
	_, err := time.Parse(time.DateOnly, s)
	return err == nil
}

// disposal says what happens on the server to mail that is imported.
func disposal(doc config.Mailbox) string {
	words := func(m schema.Method, folder string) string {
		if m == schema.MethodDelete {
			return "is deleted, by way of " + doc.DeletedFolder
		}
		return "moves to " + folder
	}
	return "Imported mail " + words(doc.PersistedMethod, doc.PersistedFolder) + "; invalid mail " + words(doc.InvalidMethod, doc.InvalidFolder) + "."
}

// enableScope enables a saved mailbox with the scope of its dry run.
func (c *console) enableScope(r *request) error {
	if err := r.actor.MayWrite(r.tenant.Document.ID); err != nil {
		return err
	}
	m, err := r.mailbox(r.PathValue("mailbox"))
	if err != nil {
		return err
	}
	doc := m.Document
	doc.Enabled, doc.ImportSince = true, r.PostFormValue("import_since")
	body, err := draft{doc: doc}.json()
	if err != nil {
		return err
	}
	m, err = r.desk.PutMailbox(r.Context(), r.actor, &operation.PutMailbox{InMailbox: r.inMailbox(doc.ID), Condition: r.based(), Body: body})
	if err != nil {
		return err
	}
	r.tell(toneOK, "Mailbox %s is enabled.", m.Document.Name)
	return r.redirect(r.path("mailboxes", doc.ID))
}
