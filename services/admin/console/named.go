package console

import (
	"github.com/mailyard/mailyard/schemas"
	"github.com/mailyard/mailyard/services/admin/operation"
)

// A named is a document that something refers to: shown by its name, with the id
// on hover, and by the id when there is no name any more.
type named struct {
	ID, Name string
	Path     string // of its page; may be empty
}

// Text is what is shown of it.
func (n named) Text() string {
	if n.Name == "" {
		return n.ID
	}
	return n.Name
}

// Title is shown on hover.
func (n named) Title() string {
	if n.Name == "" {
		return "It is deleted; this is its id"
	}
	return "Id " + n.ID
}

// nameLists are the names of a tenant's documents, by their ids.
type nameLists struct{ mailboxes, folders map[string]string }

// namesIn reads the names of a tenant's mailboxes and folders.
func (r *request) namesIn(tenant string) (nameLists, error) {
	n := nameLists{folders: map[string]string{}}
	var err error
	if n.mailboxes, err = r.desk.MailboxNames(r.Context(), r.actor, tenant); err != nil {
		return n, err
	}
	list, err := r.desk.ListFolders(r.Context(), r.actor, &operation.ListFolders{InTenant: operation.InTenant{Tenant: tenant}})
	for _, f := range list.Folders {
		n.folders[f.Document.ID] = f.Document.Name
	}
	return n, err
}

// mailbox names a mailbox of the tenant.
func (n nameLists) mailbox(tenant, id string) named {
	if name, ok := n.mailboxes[id]; ok {
		return named{ID: id, Name: name, Path: tenantPath(tenant, "mailboxes", id)}
	}
	return named{ID: id}
}

// folder names a folder of the tenant.
func (n nameLists) folder(tenant, id string) named {
	if name, ok := n.folders[id]; ok {
		return named{ID: id, Name: name, Path: tenantPath(tenant, "folders", "at", id)}
	}
	return named{ID: id}
}

// of names what an audit entry is about, if that has a name.
func (n nameLists) of(kind schemas.Kind, tenant, id string) named {
	switch kind {
	case schemas.KindMailbox:
		return n.mailbox(tenant, id)
	case schemas.KindFolder:
		return n.folder(tenant, id)
	}
	return named{ID: id, Name: id}
}
