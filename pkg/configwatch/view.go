package configwatch

import (
	"github.com/mailyard/mailyard/schemas/config"
)

// A View is a mailbox with everything that it is made of. It is a value that
// the watcher does not change any more; whoever has it must not change what its
// slices hold.
type View struct {
	Mailbox config.MailboxRecord  // a deleted one too, for a day: see DeletedAt
	Tenant  config.TenantRecord   // always known
	Folders []config.FolderRecord // those of the mailbox that exist, in the mailbox's order
	// Revision is the highest of all that the view is made of. It grows with
	// every change of the view, unless the control database was set back.
	Revision int64
}

type id struct{ tenant, id string }

// records is what is known of the bucket.
type records struct {
	tenants   map[string]config.TenantRecord
	folders   map[id]config.FolderRecord
	mailboxes map[id]config.MailboxRecord
}

func newRecords() records {
	return records{map[string]config.TenantRecord{}, map[id]config.FolderRecord{}, map[id]config.MailboxRecord{}}
}

// view puts a mailbox together. It reports false if the mailbox or its tenant
// is not known.
func (r records) view(key id) (View, bool) {
	mailbox, ok := r.mailboxes[key]
	if !ok {
		return View{}, false
	}
	tenant, ok := r.tenants[key.tenant]
	if !ok {
		return View{}, false
	}
	v := View{Mailbox: mailbox, Tenant: tenant, Revision: max(mailbox.Revision, tenant.Revision)}
	for _, f := range mailbox.Document.Folders {
		folder, ok := r.folders[id{key.tenant, f}]
		if !ok {
			continue
		}
		v.Revision = max(v.Revision, folder.Revision) // of a deleted one too: its end is a change
		if folder.DeletedAt == nil {
			v.Folders = append(v.Folders, folder)
		}
	}
	return v, true
}
