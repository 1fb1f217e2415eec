package operation

import (
	"context"
	"time"

	"go.uber.org/zap"

	"github.com/mailyard/mailyard/pkg/config"
	"github.com/mailyard/mailyard/pkg/control"
	"github.com/mailyard/mailyard/pkg/opaque"
)

// Folder is a folder as it is shown.
type Folder struct {
	Document  config.Folder `json:"document"`
	Revision  string        `json:"revision"`
	Mailboxes []string      `json:"mailboxes"` // ids of the mailboxes that use it
	CreatedAt time.Time     `json:"created_at"`
	UpdatedAt time.Time     `json:"updated_at"`
}

// ETagRevision is the folder's revision.
func (f Folder) ETagRevision() string { return f.Revision }

// ListFolders asks for a tenant's folders.
type ListFolders struct {
	InTenant
	Search string `query:"search" json:"search,omitempty" maxLength:"200" doc:"Part of the name, an address or the id."`
}

// Folders are folders, by name.
type Folders struct {
	Folders []Folder `json:"folders"`
}

// ListFolders returns a tenant's folders with the mailboxes that use each.
func (d *Desk) ListFolders(ctx context.Context, a control.Actor, in *ListFolders) (Folders, error) {
	if err := mayRead(a, in.Tenant); err != nil {
		return Folders{}, err
	}
	if _, err := d.Control.GetTenant(ctx, a, in.Tenant); err != nil {
		return Folders{}, err
	}
	list, err := d.Control.ListFolders(ctx, a, in.Tenant)
	if err != nil {
		return Folders{}, err
	}
	users, err := d.users(ctx, a, in.Tenant)
	if err != nil {
		return Folders{}, err
	}
	out, s := Folders{Folders: make([]Folder, 0, len(list))}, d.revisions(in.Tenant)
	for _, f := range list {
		if found(in.Search, append([]string{f.Document.ID, f.Document.Name, f.Document.Address, f.Document.Description}, f.Document.Aliases...)...) {
			out.Folders = append(out.Folders, folderOf(f, users, s))
		}
	}
	return out, nil
}

// users returns the mailboxes of each folder.
func (d *Desk) users(ctx context.Context, a control.Actor, tenant string) (map[string][]string, error) {
	rows, _, err := d.roster(ctx, a, tenant)
	if err != nil {
		return nil, err
	}
	users := map[string][]string{}
	for i := range rows {
		for _, f := range rows[i].Folders {
			users[f.ID] = append(users[f.ID], rows[i].ID)
		}
	}
	return users, nil
}

func folderOf(f control.Folder, users map[string][]string, s opaque.Sealer) Folder {
	out := Folder{Document: f.Document, Revision: s.Seal(f.Revision), CreatedAt: f.CreatedAt, UpdatedAt: f.UpdatedAt, Mailboxes: users[f.Document.ID]}
	if out.Mailboxes == nil {
		out.Mailboxes = []string{}
	}
	return out
}

// InFolder is the part of an input that names a folder.
type InFolder struct {
	InTenant
	ID string `path:"folder" json:"id" doc:"Id of the folder."`
}

// GetFolder asks for a folder.
type GetFolder struct{ InFolder }

// GetFolder returns a folder.
func (d *Desk) GetFolder(ctx context.Context, a control.Actor, in *GetFolder) (Folder, error) {
	if err := mayRead(a, in.Tenant); err != nil {
		return Folder{}, err
	}
	f, err := d.Control.GetFolder(ctx, a, in.Tenant, in.ID)
	if err != nil {
		return Folder{}, err
	}
	users, err := d.users(ctx, a, in.Tenant)
	return folderOf(f, users, d.revisions(in.Tenant)), err
}

// PutFolder creates or replaces a folder.
type PutFolder struct {
	InFolder
	Condition
	Body FolderJSON `json:"document"`
}

// PutFolder creates or replaces a folder.
func (d *Desk) PutFolder(ctx context.Context, a control.Actor, in *PutFolder) (Folder, error) {
	if err := mayWrite(a, in.Tenant); err != nil {
		return Folder{}, err
	}
	based, err := in.based(true, d.revisions(in.Tenant))
	if err != nil {
		return Folder{}, err
	}
	doc, problems := decodeFolder(in.Body.RawMessage, in.Tenant, in.ID)
	if len(problems) > 0 {
		return Folder{}, refused(d.Control.CheckFolder(ctx, a, doc, based, problems))
	}
	f, err := d.Control.PutFolder(ctx, a, doc, based)
	if err != nil {
		return Folder{}, err
	}
	ctx, cancel := afterwards(ctx)
	defer cancel()
	users, err := d.users(ctx, a, in.Tenant)
	if err != nil { // it is changed all the same
		d.Logger.Warn("reading which mailboxes use a changed folder", zap.String("tenant", in.Tenant), zap.String("folder", in.ID), zap.Error(err))
	}
	return folderOf(f, users, d.revisions(in.Tenant)), nil
}

// DeleteFolder deletes a folder.
type DeleteFolder struct {
	InFolder
	Condition
	Force bool `query:"force" json:"force,omitempty" doc:"Take it from the mailboxes that use it; one that is left without a folder is disabled."`
}

// DeleteFolder deletes a folder. What is stored in it stays in the messaging database.
func (d *Desk) DeleteFolder(ctx context.Context, a control.Actor, in *DeleteFolder) (Done, error) {
	if err := mayWrite(a, in.Tenant); err != nil {
		return Done{}, err
	}
	based, err := in.based(false, d.revisions(in.Tenant))
	if err != nil {
		return Done{}, err
	}
	if err := d.Control.DeleteFolder(ctx, a, in.Tenant, in.ID, based, in.Force); err != nil {
		return Done{}, err
	}
	return done("Folder %s is deleted. Its mail stays in the messaging database.", in.ID), nil
}
