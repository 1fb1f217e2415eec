package console

import (
	"cmp"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"

	"github.com/mailyard/mailyard/pkg/config"
	"github.com/mailyard/mailyard/pkg/control"
	"github.com/mailyard/mailyard/services/admin/operation"
)

// mailboxLimit is the most octets of the form of a mailbox: two lists of
// certificates, as they are and as they were loaded.
const mailboxLimit = 4 << 20

// mailboxFormRoutes are the form of a mailbox, and what it asks while one fills
// it in. What is below draft is of values that are not saved.
func (c *console) mailboxFormRoutes() []route {
	return []route{
		{pattern: "GET /t/{tenant}/new-mailbox", handle: c.newMailbox},
		{pattern: "POST /t/{tenant}/new-mailbox", handle: c.createMailbox, limit: mailboxLimit},
		{pattern: "GET /t/{tenant}/mailboxes/{mailbox}/edit", handle: c.editMailbox},
		{pattern: "POST /t/{tenant}/mailboxes/{mailbox}/edit", handle: c.updateMailbox, limit: mailboxLimit},
		{pattern: "POST /t/{tenant}/draft/check", handle: c.checkDraft, limit: mailboxLimit},
		{pattern: "POST /t/{tenant}/draft/server-folders", handle: c.draftFolders, limit: mailboxLimit, long: true},
		{pattern: "POST /t/{tenant}/draft/provider", handle: c.draftProvider, long: true},
		{pattern: "POST /t/{tenant}/draft/doctor", handle: c.draftDoctor, limit: mailboxLimit, long: true},
		{pattern: "POST /t/{tenant}/draft/dry-run", handle: c.draftDryRun, limit: mailboxLimit, long: true},
		{pattern: "GET /t/{tenant}/mailboxes/{mailbox}/doctor", handle: c.doctorPage},
		{pattern: "POST /t/{tenant}/mailboxes/{mailbox}/doctor", handle: c.runDoctor, long: true},
		{pattern: "GET /t/{tenant}/mailboxes/{mailbox}/dry-run", handle: c.dryRunPage},
		{pattern: "POST /t/{tenant}/mailboxes/{mailbox}/dry-run", handle: c.runDryRun, long: true},
		{pattern: "POST /t/{tenant}/mailboxes/{mailbox}/dry-run/enable", handle: c.enableScope},
	}
}

// A mailboxEditor makes the page of the form.
type mailboxEditor struct {
	r        *request
	saved    operation.Mailbox // zero: it is new
	loaded   config.Mailbox    // what the shown values began as
	revision string            // that they are based on
	values   url.Values
	conflict *conflictView
}

// newMailbox shows an empty form, or one with the settings of another mailbox.
func (c *console) newMailbox(r *request) error {
	if err := r.actor.MayWrite(r.tenant.Document.ID); err != nil {
		return err
	}
	e := mailboxEditor{r: r, values: valuesOf(config.DefaultMailbox())}
	if id := r.FormValue("copy"); id != "" {
		m, err := r.mailbox(id)
		if err != nil {
			return err
		}
		doc := m.Document
		doc.Name, doc.Username, doc.Enabled = clip("Copy of "+doc.Name, 200), "", false
		e.values = valuesOf(doc)
		e.values.Del("id")
	}
	return e.page(nil)
}

func (c *console) createMailbox(r *request) error {
	e := mailboxEditor{r: r, values: r.PostForm}
	if e.values.Get("id") == "" {
		e.values.Set("id", slug(e.values.Get("name")))
	}
	return e.save(e.values.Get("id"), operation.Condition{IfNoneMatch: "*"})
}

// editMailbox shows the form of a mailbox, to those who may not change it what
// is set.
func (c *console) editMailbox(r *request) error {
	m, err := r.mailbox(r.PathValue("mailbox"))
	if err != nil {
		return err
	}
	e := mailboxEditor{r: r, saved: m, loaded: m.Document, revision: m.Revision, values: valuesOf(m.Document)}
	if !r.mayWrite() {
		return e.readOnly()
	}
	return e.page(nil)
}

func (c *console) updateMailbox(r *request) error {
	m, err := r.mailbox(r.PathValue("mailbox"))
	if err != nil {
		return err
	}
	e := mailboxEditor{r: r, saved: m, loaded: m.Document, revision: m.Revision, values: r.PostForm}
	// What the form began as travels with it, to be compared if it is stale.
	if raw := r.PostFormValue("loaded"); raw != "" {
		loaded := config.DefaultMailbox()
		if json.Unmarshal([]byte(raw), &loaded) == nil {
			e.loaded = loaded
		}
	}
	return e.save(m.Document.ID, r.based())
}

// mailbox reads a mailbox of the page's tenant.
func (r *request) mailbox(id string) (operation.Mailbox, error) {
	return r.desk.GetMailbox(r.Context(), r.actor, &operation.GetMailbox{InMailbox: r.inMailbox(id)})
}

func (r *request) inMailbox(id string) operation.InMailbox {
	return operation.InMailbox{InTenant: r.inTenant(), ID: id}
}

// save stores what was typed, or shows the form again with everything that is
// wrong with it.
func (e mailboxEditor) save(id string, based operation.Condition) error {
	r := e.r
	if err := r.actor.MayWrite(r.tenant.Document.ID); err != nil {
		return err
	}
	d := readDraft(r.tenant.Document.ID, id, e.values, e.saved.Document)
	body, err := d.json()
	if err != nil {
		return err
	}
	if len(d.problems) == 0 {
		var m operation.Mailbox
		m, err = r.desk.PutMailbox(r.Context(), r.actor, &operation.PutMailbox{InMailbox: r.inMailbox(id), Condition: based, Body: body})
		switch {
		case err == nil:
			return e.done(m)
		case errors.Is(err, control.ErrStale):
			return e.stale(d)
		case errors.Is(err, control.ErrExists):
			err = operation.Invalid(taken(id))
		}
		p := problemOf(err)
		if p.Status != http.StatusUnprocessableEntity {
			return err
		}
		d.merge(p.Errors)
	}
	if err := e.check(&d, id); err != nil {
		return err
	}
	return e.page(d.problems)
}

// check adds everything else that is wrong, so that all of it is said at once.
func (e mailboxEditor) check(d *draft, id string) error {
	found, err := e.r.check(*d, id)
	if err != nil {
		return err
	}
	if d.password.Reveal() == "" && e.saved.HasPassword {
		d.merge(reentry(e.saved.Document, d.doc)) // with the labels of the form
	}
	d.merge(found.Problems)
	if e.saved.Revision == "" {
		if _, err := e.r.mailbox(id); err == nil {
			d.merge(config.Problems{taken(id)})
		}
	}
	if d.doc.Enabled {
		d.merge(found.Missing)
	}
	return nil
}

// taken is the problem of a new mailbox whose id another one has.
func taken(id string) config.Problem {
	return config.Problem{Path: "id", Message: "mailbox " + id + " exists already; choose another id"}
}

// done leads to the page of the mailbox.
func (e mailboxEditor) done(m operation.Mailbox) error {
	what := "is saved"
	if e.saved.Revision == "" {
		what = "is created"
	}
	switch now, before := m.Document.Enabled, e.saved.Document.Enabled; {
	case now && !before:
		what += " and enabled"
	case before && !now:
		what += " and disabled"
	}
	e.r.tell(toneOK, "Mailbox %s %s.", m.Document.Name, what)
	return e.r.redirect(e.r.path("mailboxes", m.Document.ID))
}

// mailboxFormView is what the template "mailbox-form" shows.
type mailboxFormView struct {
	Header   header
	Form     *form
	New      bool
	Mailbox  string // id; "" for a new one
	Loaded   string // JSON of what the shown values began as
	Folders  folderPicker
	NoKey    *notice
	Conflict *conflictView
	Missing  missingView
	Draft    string // path that the paths of what is asked meanwhile begin with
	Limit    string // how long a doctor takes at most
}

// page shows the form with the values and their problems.
func (e mailboxEditor) page(problems config.Problems) error {
	r, id := e.r, e.saved.Document.ID
	f := &form{ID: "mailbox-form", Post: r.path("new-mailbox"), Revision: e.revision, Submit: "Create mailbox", Cancel: r.path("mailboxes"), Problems: problems, Groups: mailboxFields(e.values, id)}
	v := mailboxFormView{Header: header{Title: "New Mailbox", Back: &link{"Mailboxes", r.path("mailboxes")}}, Form: f, New: id == "", Mailbox: id, Conflict: e.conflict, Draft: r.path("draft"), Limit: r.doctorLimit()}
	if !v.New {
		f.Post, f.Submit, f.Cancel = r.path("mailboxes", id, "edit"), "Save changes", r.path("mailboxes", id)
		v.Header = header{Title: "Mailbox: " + e.saved.Document.Name, Back: &link{cmp.Or(e.saved.Document.Name, id), r.path("mailboxes", id)}}
		loaded, err := json.Marshal(e.loaded)
		if err != nil {
			return err
		}
		v.Loaded = string(loaded)
	}
	folders, err := r.desk.ListFolders(r.Context(), r.actor, &operation.ListFolders{InTenant: r.inTenant()})
	if err != nil {
		return err
	}
	v.Folders = newFolderPicker(r.path("folders"), folders.Folders, e.values["folders"])
	e.complete(f, v.Folders)
	v.NoKey = r.noKey()
	f.distribute()
	d := readDraft(r.tenant.Document.ID, cmp.Or(id, e.values.Get("id"), "draft"), e.values, e.saved.Document)
	if v.Missing, err = r.missing(d, e.saved); err != nil {
		return err
	}
	if len(problems) > 0 {
		r.invalid()
	}
	if r.partial() {
		return r.part("mailbox-page", v)
	}
	return r.page("mailbox-form", page{Title: v.Header.Title, Section: sectionRouting}, v)
}

// complete adds to the fields what depends on the tenant and the mailbox.
func (e mailboxEditor) complete(f *form, folders folderPicker) {
	for g := range f.Groups {
		for i := range f.Groups[g].Fields {
			field := &f.Groups[g].Fields[i]
			switch field.Name {
			case "unmatched":
				field.Options = append(field.Options, folders.catchAll(field.Value)...)
			case "password":
				switch {
				case e.r.tenant.Key == nil:
					field.Disabled = "The tenant has no Tenant Encryption Key."
				case e.saved.HasPassword:
					field.Placeholder = "Stored. Leave it empty to keep it."
				}
			}
		}
	}
}

// noKey says who has to do what before a password can be kept.
func (r *request) noKey() *notice {
	if r.tenant.Key != nil {
		return nil
	}
	n := &notice{Tone: toneWarn, Title: "No password can be kept yet.", Text: "The tenant has no Tenant Encryption Key. Ask the landlord to set it in the Tenant Parameters. Everything else can be saved meanwhile."}
	if r.landlord() {
		n.Text = "The tenant has no Tenant Encryption Key. Set it in the Tenant Parameters. Everything else can be saved meanwhile."
		n.Action = &action{Label: "Tenant Parameters", Icon: "key", Path: r.path("parameters")}
	}
	return n
}
