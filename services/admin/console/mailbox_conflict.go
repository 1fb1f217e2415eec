package console

import (
	"encoding/json"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/mailyard/mailyard/pkg/config"
	"github.com/mailyard/mailyard/schemas"
	schema "github.com/mailyard/mailyard/schemas/config"
	"github.com/mailyard/mailyard/services/admin/operation"
)

// A conflictView tells of what somebody else saved while the form was open.
type conflictView struct {
	Who      string
	At       time.Time
	Rows     []conflictRow
	Password bool // one was typed, and is not in the page any more
}

// A conflictRow is a setting that is not the same in the form and in what is
// saved now. Mine and Theirs hold the values of the form, as JSON, by which
// mailbox.js fills the field with either.
type conflictRow struct {
	Field, Label                 string
	Loaded, TheirText, MineText  string
	Theirs, Mine                 string
	TakeTheirs                   bool
	ChangedByThem, ChangedByBoth bool
}

// stale shows the form again, based on what is saved now. What one has not
// touched becomes what the other saved; what one has changed stays.
func (e mailboxEditor) stale(d draft) error {
	r := e.r
	now, err := r.mailbox(e.saved.Document.ID)
	if err != nil {
		return err
	}
	folders, err := r.desk.ListFolders(r.Context(), r.actor, &operation.ListFolders{InTenant: r.inTenant()})
	if err != nil {
		return err
	}
	names := newFolderPicker("", folders.Folders, nil)
	e.conflict = &conflictView{At: now.UpdatedAt, Password: d.password.Reveal() != ""}
	if e.conflict.Who, err = r.lastChange(now); err != nil {
		return err
	}
	loaded, theirs, mine := valuesOf(e.loaded), valuesOf(now.Document), valuesOf(d.doc)
	merged := valuesOf(d.doc)
	for _, path := range settingPaths() {
		keys := formKeys(path)
		before, there, here := pick(loaded, keys), pick(theirs, keys), pick(mine, keys)
		if reflect.DeepEqual(there, here) {
			continue
		}
		row := conflictRow{
			Field: field{Name: path}.ID(), Label: labelOf(path),
			Loaded: settingText(e.loaded, path, names), TheirText: settingText(now.Document, path, names), MineText: settingText(d.doc, path, names),
			TakeTheirs: reflect.DeepEqual(before, here), ChangedByThem: !reflect.DeepEqual(before, there),
		}
		row.ChangedByBoth = row.ChangedByThem && !row.TakeTheirs
		for value, out := range map[*string]map[string][]string{&row.Theirs: there, &row.Mine: here} {
			raw, err := json.Marshal(out)
			if err != nil {
				return err
			}
			*value = string(raw)
		}
		if row.TakeTheirs {
			for _, key := range keys {
				merged[key] = theirs[key]
			}
		}
		e.conflict.Rows = append(e.conflict.Rows, row)
	}
	e.saved, e.loaded, e.revision, e.values = now, now.Document, now.Revision, merged
	r.status = http.StatusConflict
	return e.page(nil)
}

// lastChange returns who saved a mailbox last.
func (r *request) lastChange(m operation.Mailbox) (string, error) {
	page, err := r.desk.ListAudit(r.Context(), r.actor, &operation.ListAudit{Tenant: m.Document.Tenant, Kind: schemas.KindMailbox, ID: m.Document.ID, Limit: 1})
	if err != nil || len(page.Entries) == 0 {
		return "somebody", err
	}
	return page.Entries[0].Actor, nil
}

// settingPaths returns the paths of all settings that a form can change, in the
// order of the form.
func settingPaths() []string {
	var paths []string
	for _, g := range mailboxFields(nil, "") {
		for _, f := range g.Fields {
			if f.Name != "id" && f.Name != "password" && f.Name != dateField {
				paths = append(paths, f.Name)
			}
		}
	}
	return paths
}

// formKeys returns the names of the form values of a setting.
func formKeys(path string) []string {
	if path == "import_since" {
		return []string{path, dateField}
	}
	return []string{path}
}

func pick(v map[string][]string, keys []string) map[string][]string {
	out := map[string][]string{}
	for _, k := range keys {
		out[k] = append([]string{}, v[k]...)
		if k == "folders" {
			slices.Sort(out[k])
		} else if len(out[k]) == 1 && out[k][0] == "" {
			out[k] = []string{}
		}
	}
	return out
}

// settingText writes a setting for people.
func settingText(doc config.Mailbox, path string, folders folderPicker) string {
	text := ""
	settings(&doc, func(p string, v reflect.Value) {
		if p != path {
			return
		}
		switch {
		case v.Kind() == reflect.Slice:
			var names []string
			for _, id := range v.Interface().([]string) {
				names = append(names, folders.name(id))
			}
			text = strings.Join(names, ", ")
		case v.Kind() == reflect.Bool:
			text = map[bool]string{true: "on", false: "off"}[v.Bool()]
		case isSize(path):
			text = sizeText(v.Int())
		case v.CanInt():
			text = countText(v.Int())
		default:
			text = v.String()
		}
	})
	switch {
	case strings.HasSuffix(path, ".port"):
		text = strings.ReplaceAll(text, ",", "")
	case path == "max_idle_seconds":
		text += " seconds"
	case path == "unmatched" && text != schema.UnmatchedInvalid:
		text = "catch-all: " + folders.name(text)
	case strings.HasSuffix(path, ".ca") && text == "":
		text = "that of the system"
	}
	return text
}

// readOnly shows what is set to those who may not change it.
func (e mailboxEditor) readOnly() error {
	r, doc := e.r, e.saved.Document
	folders, err := r.desk.ListFolders(r.Context(), r.actor, &operation.ListFolders{InTenant: r.inTenant()})
	if err != nil {
		return err
	}
	v := mailboxSettings{
		Header: header{Title: "Mailbox: " + doc.Name, Back: &link{doc.Name, r.path("mailboxes", doc.ID)}, Text: "Your role can read the settings, not change them."},
		Groups: settingsOf(e.saved, newFolderPicker("", folders.Folders, doc.Folders)),
	}
	return r.page("mailbox-settings", page{Title: v.Header.Title, Section: sectionRouting}, v)
}

// mailboxSettings is the page of what is set.
type mailboxSettings struct {
	Header header
	Groups []settingsGroup
}

// A settingsGroup is a group of settings with their values.
type settingsGroup struct {
	Title string
	Facts []fact
}

// settingsOf returns every setting of a mailbox, as it is in force.
func settingsOf(m operation.Mailbox, folders folderPicker) []settingsGroup {
	var groups []settingsGroup
	for _, g := range mailboxFields(nil, m.Document.ID) {
		group := settingsGroup{Title: g.Title}
		for _, f := range g.Fields {
			switch {
			case f.Name == dateField:
			case f.Name == "id":
				group.Facts = append(group.Facts, fact{Name: f.Label, Text: m.Document.ID, Code: true})
			case f.Name == "password":
				text := "not set"
				if m.HasPassword {
					text = "stored, never shown"
				}
				group.Facts = append(group.Facts, fact{Name: f.Label, Text: text})
			default:
				text := settingText(m.Document, f.Name, folders)
				group.Facts = append(group.Facts, fact{Name: f.Label, Text: text, Code: f.Code && text != "" && text != "that of the system"})
			}
		}
		groups = append(groups, group)
	}
	return groups
}
