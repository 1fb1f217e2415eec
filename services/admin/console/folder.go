package console

import (
	"cmp"
	"slices"
	"strings"

	"github.com/mailyard/mailyard/pkg/config"
	"github.com/mailyard/mailyard/services/admin/operation"
)

// folderRoutes are the tab Folders.
func (c *console) folderRoutes() []route {
	return []route{
		{pattern: "GET /t/{tenant}/folders", handle: c.folders},
		{pattern: "GET /t/{tenant}/folders/new", handle: c.newFolder},
		{pattern: "POST /t/{tenant}/folders", handle: c.createFolder},
		{pattern: "GET /t/{tenant}/folders/at/{folder}", handle: c.editFolder},
		{pattern: "POST /t/{tenant}/folders/at/{folder}", handle: c.updateFolder},
		{pattern: "GET /t/{tenant}/folders/at/{folder}/delete", handle: c.confirmDeleteFolder},
		{pattern: "POST /t/{tenant}/folders/at/{folder}/delete", handle: c.deleteFolder},
	}
}

// foldersView is the list of folders.
type foldersView struct {
	Header  header
	Path    string
	Search  string
	Folders []folderRow
	Total   int
	Write   bool
	Empty   empty
}

type folderRow struct {
	operation.Folder
	Path   string
	Users  names // the mailboxes that use it
	Delete string
	ID     string
}

func (c *console) folders(r *request) error {
	search := r.FormValue("q")
	list, err := r.desk.ListFolders(r.Context(), r.actor, &operation.ListFolders{InTenant: r.inTenant()})
	if err != nil {
		return err
	}
	v := foldersView{Header: header{Title: "Folders"}, Path: r.path("folders"), Search: search, Total: len(list.Folders), Write: r.mayWrite()}
	slices.SortFunc(list.Folders, func(a, b operation.Folder) int {
		return cmp.Compare(strings.ToLower(a.Document.Name), strings.ToLower(b.Document.Name))
	})
	for _, f := range list.Folders {
		doc := f.Document
		if !matches(search, append([]string{doc.ID, doc.Name, doc.Address, doc.Description}, doc.Aliases...)...) {
			continue
		}
		row := folderRow{Folder: f, Path: r.path("folders", "at", doc.ID), Delete: r.path("folders", "at", doc.ID, "delete"), ID: elementID("folder", doc.ID)}
		row.Users = names{ID: row.ID + "-users", Count: len(f.Mailboxes), Text: plural(len(f.Mailboxes), "mailbox", "mailboxes"), All: r.usersPath(doc.ID)}
		for _, id := range f.Mailboxes[:min(len(f.Mailboxes), usersListed)] {
			row.Users.Links = append(row.Users.Links, link{id, r.path("mailboxes", id)})
		}
		v.Folders = append(v.Folders, row)
	}
	add := action{Label: "New folder", Icon: "plus", Path: r.path("folders", "new"), Primary: true}
	if v.Write {
		v.Header.Actions = []action{add}
	}
	switch {
	case v.Total == 0:
		v.Header.Actions = nil
		v.Empty = empty{Icon: "folder", Title: "No folders yet", Text: "A folder is where mail goes to, such as Sales or Support. The addresses of a mail decide which folders it is for."}
		if v.Write {
			v.Empty.Action = &add
		}
	case len(v.Folders) == 0:
		v.Empty = empty{Icon: "search", Title: "No folder matches", Text: "Search for a part of the name or an address.", Action: &action{Label: "Show all", Path: v.Path}}
	}
	return r.page("folders", page{Title: "Folders", Section: sectionRouting, Tabs: r.routingTabs("folders")}, v)
}

// usersListed is how many of the mailboxes that use a folder are listed with it.
const usersListed = 20

// usersPath is the list of the mailboxes that use a folder.
func (r *request) usersPath(id string) string {
	return withQuery(r.path("mailboxes"), nil, "folder", id)
}

// users returns the first mailboxes that use a folder, by name.
func (r *request) users(f operation.Folder) ([]operation.MailboxRow, error) {
	if len(f.Mailboxes) == 0 {
		return nil, nil
	}
	list, err := r.desk.ListMailboxes(r.Context(), r.actor, &operation.ListMailboxes{InTenant: r.inTenant(), MailboxFilter: operation.MailboxFilter{Folder: f.Document.ID}, Limit: 100})
	return list.Mailboxes, err
}

// folder reads the folder that the path names.
func (r *request) folder() (operation.Folder, error) {
	return r.desk.GetFolder(r.Context(), r.actor, &operation.GetFolder{InFolder: r.inFolder(r.PathValue("folder"))})
}

func (r *request) inFolder(id string) operation.InFolder {
	return operation.InFolder{InTenant: r.inTenant(), ID: id}
}

// confirmDeleteFolder names the mailboxes that use the folder, and what becomes
// of them.
func (c *console) confirmDeleteFolder(r *request) error {
	if err := r.actor.MayWrite(r.tenant.Document.ID); err != nil {
		return err
	}
	f, err := r.folder()
	if err != nil {
		return err
	}
	name := f.Document.Name
	d := confirm{
		Open: true, Title: "Delete folder " + name + "?", Danger: true, Submit: "Delete folder",
		Effect: []string{"No mailbox uses it.", "Mail that is stored in it stays in the messaging database."},
		Post:   r.path("folders", "at", f.Document.ID, "delete"), Hidden: revisionOf(f.Revision),
	}
	if n := len(f.Mailboxes); n > 0 {
		only, err := r.onlyFolder(f)
		if err != nil {
			return err
		}
		users, err := r.users(f)
		if err != nil {
			return err
		}
		d.Text = plural(n, "mailbox uses", "mailboxes use") + " it: " + namesOf(bulkNames(outcomesOf(users)), n) + "."
		d.Effect[0] = "The folder is taken from " + map[bool]string{true: "it", false: "them"}[n == 1] + ". New mail to " + f.Document.Address + " matches no folder there, and is handled as unmatched."
		if len(only) > 0 {
			d.Effect = append(d.Effect, plural(len(only), "mailbox has", "mailboxes have")+" no other folder and will be disabled: "+namesOf(bulkNames(only), len(only))+".")
		}
		d.Hidden = append(d.Hidden, pair{"force", "1"})
		d.Typed, d.What = name, "the name of the folder"
	}
	return r.part("confirm", d)
}

func outcomesOf(rows []operation.MailboxRow) []operation.BulkOutcome {
	list := make([]operation.BulkOutcome, len(rows))
	for i, row := range rows {
		list[i] = operation.BulkOutcome{ID: row.ID, Name: row.Name}
	}
	return list
}

// onlyFolder returns the mailboxes that are enabled and have no other folder.
func (r *request) onlyFolder(f operation.Folder) ([]operation.BulkOutcome, error) {
	in := &operation.ListMailboxes{InTenant: r.inTenant(), MailboxFilter: operation.MailboxFilter{Folder: f.Document.ID, Enabled: "true"}, Limit: 500}
	var only []operation.BulkOutcome
	for {
		list, err := r.desk.ListMailboxes(r.Context(), r.actor, in)
		if err != nil {
			return nil, err
		}
		for _, m := range list.Mailboxes {
			if len(m.Folders) == 1 {
				only = append(only, operation.BulkOutcome{ID: m.ID, Name: m.Name})
			}
		}
		if list.Next == "" {
			return only, nil
		}
		in.Cursor = list.Next
	}
}

func (c *console) deleteFolder(r *request) error {
	f, err := r.folder()
	if err != nil {
		return err
	}
	force := r.PostFormValue("force") != ""
	if force {
		if err := r.typed(f.Document.Name); err != nil {
			return err
		}
	}
	in := operation.DeleteFolder{InFolder: r.inFolder(f.Document.ID), Condition: r.based(), Force: force}
	if in.IfNoneMatch != "" {
		return operation.Invalid(config.Problem{Path: "revision", Message: "is missing; open the page again"})
	}
	if _, err := r.desk.DeleteFolder(r.Context(), r.actor, &in); err != nil {
		return err
	}
	r.tell(toneOK, "Folder %s is deleted. Its mail stays in the messaging database.", f.Document.Name)
	return r.redirect(r.path("folders"))
}
