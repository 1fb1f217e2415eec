package console

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/mailyard/mailyard/pkg/config"
	"github.com/mailyard/mailyard/pkg/control"
	"github.com/mailyard/mailyard/services/admin/operation"
)

// folderView is the form of a folder.
type folderView struct {
	Header   header
	Form     *form
	Loaded   string // JSON of what the shown values began as
	Conflict *folderConflict
	Users    []link // the first of the mailboxes that use it
	Used     int
	All      string // path of all of them
}

// A folderConflict is what somebody else saved meanwhile.
type folderConflict struct {
	Fields []difference // what was loaded, and what is saved now
}

// folderForm is the form of a folder, of a new one if there is no revision.
func (r *request) folderForm(f config.Folder, revision string) *form {
	id := field{Name: "id", Label: "Id", Code: true, Value: f.ID, Range: "1 to 63 of a-z, 0-9 and -", Help: "Made from the name unless you type one. It never changes later."}
	name := field{Name: "name", Label: "Name", Value: f.Name, Required: true, Range: "at most 200 characters", Help: "Unique in the tenant."}
	out := &form{ID: "folder-form", Post: r.path("folders"), Submit: "Create folder", Cancel: r.path("folders"), Guard: true, Revision: revision}
	if revision != "" {
		id.Disabled, id.Range, id.Help = "Ids never change.", "", ""
		out.Post, out.Submit = r.path("folders", "at", f.ID), "Save changes"
	} else {
		name.Attributes = []pair{{"data-slug", id.ID()}}
	}
	out.Groups = []fieldset{{Fields: []field{
		name, id,
		{Name: "address", Label: "Email address", Value: f.Address, Required: true, Placeholder: "support@example.com", Help: "Mail to this address is for the folder. Unique in the tenant."},
		{Name: "aliases", Label: "More addresses", Widget: widgetArea, Rows: 4, Value: strings.Join(f.Aliases, "\n"), Help: "Further addresses of the same folder, one per line."},
		{Name: "description", Label: "Description", Wide: true, Value: f.Description, Range: "at most 2,000 characters", Help: "For people."},
	}}}
	return out
}

func (r *request) folderPage(v folderView) error {
	if v.Header.Back == nil {
		v.Header.Back = &link{"Folders", r.path("folders")}
	}
	return r.page("folder", page{Title: v.Header.Title, Section: sectionRouting}, v)
}

func (c *console) newFolder(r *request) error {
	if err := r.actor.MayWrite(r.tenant.Document.ID); err != nil {
		return err
	}
	proposed := config.Folder{Address: clip(strings.TrimSpace(r.FormValue("address")), 320)} // by the simulator
	return r.folderPage(folderView{Header: header{Title: "New folder"}, Form: r.folderForm(proposed, "")})
}

// typedFolder is the folder as it stands in the form.
func (r *request) typedFolder(id string) config.Folder {
	return config.Folder{
		Tenant: r.tenant.Document.ID, ID: id, Name: r.PostFormValue("name"), Address: strings.TrimSpace(r.PostFormValue("address")),
		Aliases: formLines(r.PostFormValue("aliases")), Description: r.PostFormValue("description"),
	}
}

func (r *request) putFolder(doc config.Folder) (operation.Folder, error) {
	raw, err := documentJSON(doc)
	if err != nil {
		return operation.Folder{}, err
	}
	return r.desk.PutFolder(r.Context(), r.actor, &operation.PutFolder{InFolder: r.inFolder(doc.ID), Condition: r.based(), Body: operation.FolderJSON{RawMessage: raw}})
}

func (c *console) createFolder(r *request) error {
	id := strings.TrimSpace(r.PostFormValue("id"))
	if id == "" {
		id = slug(r.PostFormValue("name"))
	}
	doc := r.typedFolder(id)
	_, err := r.putFolder(doc)
	if errors.Is(err, control.ErrExists) {
		err = operation.Invalid(config.Problem{Path: "id", Message: "folder " + clip(id, 63) + " exists already; choose another id"})
	}
	if err != nil {
		f := r.folderForm(config.Folder{}, "")
		f.retype(r.PostForm)
		if !f.refuse(err) {
			return err
		}
		r.invalid()
		return r.folderPage(folderView{Header: header{Title: "New folder"}, Form: f})
	}
	r.tell(toneOK, "Folder %s is created.", doc.Name)
	return r.redirect(r.path("folders"))
}

func (c *console) editFolder(r *request) error {
	f, err := r.folder()
	if err != nil {
		return err
	}
	shown := f.Document
	if alias := clip(strings.TrimSpace(r.FormValue("alias")), 320); alias != "" && r.mayWrite() { // proposed by the simulator
		shown.Aliases = append(slices.Clone(shown.Aliases), alias)
	}
	form := r.folderForm(shown, f.Revision)
	if !r.mayWrite() {
		form.readOnly()
	}
	v, err := r.folderView(f, form)
	if err != nil {
		return err
	}
	return r.folderPage(v)
}

func (r *request) folderView(f operation.Folder, form *form) (folderView, error) {
	v := folderView{Header: header{Title: "Folder: " + f.Document.Name}, Form: form}
	if raw, err := json.Marshal(f.Document); err == nil { // texts can always be encoded
		v.Loaded = string(raw)
	}
	if r.mayWrite() {
		v.Header.Actions = []action{{Label: "Delete", Icon: "trash", Danger: true, Load: r.path("folders", "at", f.Document.ID, "delete")}}
	}
	users, err := r.users(f)
	for _, m := range users {
		v.Users = append(v.Users, link{m.Name, r.path("mailboxes", m.ID)})
	}
	v.Used, v.All = len(f.Mailboxes), r.usersPath(f.Document.ID)
	return v, err
}

// readOnly makes a form one to look at.
func (f *form) readOnly() {
	f.Submit, f.Guard = "", false
	for g := range f.Groups {
		for i := range f.Groups[g].Fields {
			f.Groups[g].Fields[i].Disabled = "Your role can read it, not change it."
			f.Groups[g].Fields[i].Range = ""
		}
	}
}

func (c *console) updateFolder(r *request) error {
	f, err := r.folder()
	if err != nil {
		return err
	}
	doc := r.typedFolder(f.Document.ID)
	_, refused := r.putFolder(doc)
	if refused == nil {
		r.tell(toneOK, "Folder %s is saved.", doc.Name)
		return r.redirect(r.path("folders"))
	}
	form := r.folderForm(f.Document, f.Revision)
	form.retype(r.PostForm)
	v, err := r.folderView(f, form)
	if err != nil {
		return err
	}
	if errors.Is(refused, control.ErrStale) {
		form.Revision = f.Revision // saving again goes on top of what is shown as theirs
		v.Conflict = &folderConflict{Fields: folderDifferences(r.PostFormValue("loaded"), f.Document)}
	} else {
		v.Loaded = r.PostFormValue("loaded")
		if !form.refuse(refused) {
			return refused
		}
	}
	r.invalid()
	return r.folderPage(v)
}

// folderDifferences compares what a form began as with what is saved now.
func folderDifferences(loaded string, now config.Folder) []difference {
	var before config.Folder
	if json.Unmarshal([]byte(loaded), &before) != nil {
		return nil // not written by us
	}
	var list []difference
	add := func(name, a, b string) {
		if a != b {
			list = append(list, difference{Field: name, Before: a, After: b})
		}
	}
	add("Name", before.Name, now.Name)
	add("Email address", before.Address, now.Address)
	add("More addresses", strings.Join(before.Aliases, ", "), strings.Join(now.Aliases, ", "))
	add("Description", before.Description, now.Description)
	return list
}
