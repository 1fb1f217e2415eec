package console

import (
	"encoding/json"
	"net/http"
	"reflect"
	"slices"
	"time"

	"github.com/mailyard/mailyard/schemas"
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
