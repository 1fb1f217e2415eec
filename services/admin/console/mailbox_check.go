package console

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/mailyard/mailyard/pkg/config"
	"github.com/mailyard/mailyard/pkg/doctor"
	"github.com/mailyard/mailyard/services/admin/operation"
)

// A missingView is the list of what a mailbox lacks to be enabled.
type missingView struct {
	Enabled bool // it is wanted
	Items   []lack
}

// A lack is something that is missing, and the field that it belongs to.
type lack struct{ Field, Label, Text string }

// checkDraft says what the values in the form lack.
func (c *console) checkDraft(r *request) error {
	id, saved, err := r.draftOf()
	if err != nil {
		return err
	}
	v, err := r.missing(readDraft(r.tenant.Document.ID, cmp.Or(id, "draft"), r.PostForm, saved.Document), saved)
	if err != nil {
		return err
	}
	return r.part("mailbox-missing", v)
}

// check asks what is wrong with a draft, and what it lacks, as if it were not
// to be enabled.
func (r *request) check(d draft, id string) (operation.MailboxCheck, error) {
	d.doc.Enabled = false
	body, err := d.json()
	if err != nil {
		return operation.MailboxCheck{}, err
	}
	return r.desk.CheckMailbox(r.Context(), r.actor, &operation.CheckMailbox{InMailbox: r.inMailbox(id), Body: body})
}

// missing returns what a draft lacks.
func (r *request) missing(d draft, saved operation.Mailbox) (missingView, error) {
	v := missingView{Enabled: d.doc.Enabled}
	found, err := r.check(d, d.doc.ID)
	if err != nil {
		return v, err
	}
	for _, p := range found.Missing {
		text, _, _ := strings.Cut(p.Message, ", without which")
		v.Items = append(v.Items, lack{Field: field{Name: p.Path}.ID(), Label: labelOf(p.Path), Text: sentence(text)})
	}
	if d.password.Reveal() == "" && saved.HasPassword {
		for _, p := range reentry(saved.Document, d.doc) {
			v.Items = append(v.Items, lack{Field: field{Name: p.Path}.ID(), Label: labelOf(p.Path), Text: sentence("it " + p.Message)})
		}
	}
	return v, nil
}

// reentry is the problem of values that would send the stored password to
// another server. Package control decides it; this says so before.
func reentry(before, after config.Mailbox) config.Problems {
	changed := config.NewDestination(before, after)
	if len(changed) == 0 {
		return nil
	}
	for i, path := range changed {
		changed[i] = labelOf(path)
	}
	return config.Problems{{Path: "password", Message: "must be entered again, because " + strings.Join(changed, ", ") + " changed: a stored password goes only to the server that it was entered for"}}
}

// labelOf returns the label of the field of a path.
func labelOf(path string) string {
	for _, g := range mailboxFields(nil, "") {
		for _, f := range g.Fields {
			if f.Name == path || strings.HasPrefix(path, f.Name+"[") {
				return f.Label
			}
		}
	}
	return path
}

// A serverFoldersView is what the mail server said about its folders.
type serverFoldersView struct {
	Failed string
	Host   string
	Names  []string
	Fields []serverFolder
}

// A serverFolder is a field that names a folder on the server.
type serverFolder struct {
	ID, Label, Text string
	Exists          bool
}

// foldersLimit is how long a mail server may take to list its folders; htmx
// waits for a minute.
const foldersLimit = 45 * time.Second

// draftFolders asks the mail server for its folders, with the values in the form.
func (c *console) draftFolders(r *request) error {
	d, in, problems, err := r.draft()
	if err != nil {
		return err
	}
	if len(problems) > 0 {
		return r.part("server-folders", serverFoldersView{Failed: mendFirst(problems)})
	}
	ctx, cancel := context.WithTimeout(r.Context(), foldersLimit)
	defer cancel()
	list, err := r.desk.ListServerFolders(ctx, r.actor, &operation.ListServerFolders{InTenant: in.InTenant, Body: in.Body})
	v := serverFoldersView{Host: d.doc.IMAP.Host, Names: list.Folders}
	if err != nil {
		if v.Failed = r.unreached(err); v.Failed == "" {
			return err
		}
	}
	for _, f := range []struct{ path, name string }{
		{"persisted_folder", d.doc.PersistedFolder}, {"invalid_folder", d.doc.InvalidFolder}, {"deleted_folder", d.doc.DeletedFolder}, {"inbox", d.doc.Inbox},
	} {
		v.Fields = append(v.Fields, serverFolder{ID: field{Name: f.path}.ID(), Label: labelOf(f.path), Exists: contains(list.Folders, f.name)})
	}
	return r.part("server-folders", v)
}

func contains(names []string, name string) bool {
	for _, n := range names {
		if config.NameKey(n) == config.NameKey(name) {
			return true
		}
	}
	return false
}

// draftOf returns the mailbox that a form is of, zero for a new one.
func (r *request) draftOf() (id string, saved operation.Mailbox, err error) {
	if id = r.PostFormValue("mailbox"); id != "" {
		saved, err = r.mailbox(id)
	}
	return id, saved, err
}

// draft reads the form of a draft for an examination, and what has to be mended
// before. Whether it is enabled, and what it is called, does not matter to the
// servers.
func (r *request) draft() (draft, operation.MailboxDraft, config.Problems, error) {
	id, saved, err := r.draftOf()
	if err != nil {
		return draft{}, operation.MailboxDraft{}, nil, err
	}
	d := readDraft(r.tenant.Document.ID, cmp.Or(id, "draft"), r.PostForm, saved.Document)
	d.doc.Enabled, d.doc.Name, d.doc.Description = false, "Draft", ""
	body, err := d.json()
	if err != nil {
		return d, operation.MailboxDraft{}, nil, err
	}
	in := operation.MailboxDraft{InTenant: r.inTenant(), Body: operation.Draft{ID: id, Document: body}}
	d.merge(config.ValidateMailbox(d.doc))
	return d, in, d.problems, nil
}

// mendFirst says which fields keep a draft from being examined.
func mendFirst(problems config.Problems) string {
	texts := make([]string, len(problems))
	for i, p := range problems {
		texts[i] = labelOf(p.Path) + ": " + p.Message
	}
	return "Mend first: " + strings.Join(texts, "; ")
}

// unreached returns what is to be told of a mail server that could not be asked,
// or of values that are not enough to ask it; "" for every other error.
func (r *request) unreached(err error) string {
	var step *doctor.StepError
	if errors.As(err, &step) {
		return fmt.Sprintf("%s: %s %s", step.Step.Title, sentence(step.Step.Answer), step.Step.Remedy)
	}
	p := problemOf(err)
	if p.Status != 422 {
		return ""
	}
	return mendFirst(p.Errors)
}
