package console

import (
	"github.com/mailyard/mailyard/pkg/config"
	"github.com/mailyard/mailyard/services/admin/operation"
)

// settingsTab is the effective configuration of a mailbox.
type settingsTab struct {
	JSON   string // path of the document in REST
	Edit   string // "" for those who may only read
	Facts  []fact
	Groups []effectiveGroup
}

type effectiveGroup struct {
	Title    string
	Settings []effective
}

// An effective setting is what is in force, whether somebody chose it or not.
type effective struct {
	Label, Key, Text string
	Code             bool
	Default          bool   // it is the default
	Standard         string // what the default is, if it is another
}

func (c *console) mailboxSettings(r *request) error {
	return r.showMailbox("settings", "mailbox-effective", func(m operation.Mailbox, _ operation.MailboxRow) (any, error) {
		folders, err := r.desk.ListFolders(r.Context(), r.actor, &operation.ListFolders{InTenant: r.inTenant()})
		if err != nil {
			return nil, err
		}
		v := settingsTab{
			JSON:   joinPath("api", "v1", "tenants", r.tenant.Document.ID, "mailboxes", m.Document.ID),
			Facts:  []fact{{Name: "Created", Time: m.CreatedAt}, {Name: "Changed", Time: m.UpdatedAt}},
			Groups: effectiveGroups(m, newFolderPicker("", folders.Folders, m.Document.Folders)),
		}
		if m.EnabledAt != nil {
			v.Facts = append(v.Facts, fact{Name: "Enabled", Time: *m.EnabledAt})
		}
		if r.mayWrite() {
			v.Edit = r.path("mailboxes", m.Document.ID, "edit")
		}
		return v, nil
	})
}

// effectiveGroups compares every setting with its default.
func effectiveGroups(m operation.Mailbox, folders folderPicker) []effectiveGroup {
	standard := operation.Mailbox{Document: config.DefaultMailbox()}
	standard.Document.ID = m.Document.ID
	defaults := settingsOf(standard, folders)
	var groups []effectiveGroup
	for g, group := range settingsOf(m, folders) {
		out := effectiveGroup{Title: group.Title}
		keys := settingKeys(g, m.Document.ID)
		for i, f := range group.Facts {
			s := effective{Label: f.Name, Key: keys[i], Text: f.Text, Code: f.Code, Default: keys[i] != "id" && f.Text == defaults[g].Facts[i].Text}
			if !s.Default && s.Key != "password" && s.Key != "id" {
				s.Standard = defaults[g].Facts[i].Text
			}
			out.Settings = append(out.Settings, s)
		}
		groups = append(groups, out)
	}
	return groups
}

// settingKeys returns the keys of a group of settings, as documents have them.
func settingKeys(group int, id string) []string {
	var keys []string
	for _, f := range mailboxFields(nil, id)[group].Fields {
		if f.Name != dateField {
			keys = append(keys, f.Name)
		}
	}
	return keys
}
