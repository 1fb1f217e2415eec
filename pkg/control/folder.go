package control

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/mailyard/mailyard/pkg/address"
	"github.com/mailyard/mailyard/pkg/config"
	"github.com/mailyard/mailyard/schemas"
)

// A Folder is a folder as it is stored.
type Folder struct {
	Document  config.Folder
	Revision  int64
	CreatedAt time.Time
	UpdatedAt time.Time

	deletedAt *time.Time
}

const folderColumns = `document, revision, created_at, updated_at, deleted_at`

func scanFolder(row scanner) (f Folder, err error) {
	var document, created, updated string
	var deleted sql.NullString
	if err := row.Scan(&document, &f.Revision, &created, &updated, &deleted); err != nil {
		return f, err
	}
	return f, decodeRow(document, &f.Document, created, &f.CreatedAt, updated, &f.UpdatedAt, deleted, &f.deletedAt)
}

// folder returns a folder that is not deleted.
func (q querier) folder(ctx context.Context, tenant, id string) (Folder, bool, error) {
	if !folderTarget(tenant, id).named() {
		return Folder{}, false, nil
	}
	f, err := scanFolder(q.row(ctx, `SELECT `+folderColumns+` FROM folders WHERE tenant = ? AND id = ? AND deleted_at IS NULL`, tenant, id))
	return found(f, err, folderTarget(tenant, id))
}

func (q querier) folders(ctx context.Context, tenant string) (list []Folder, err error) {
	if !allOrOne(tenant) {
		return nil, nil
	}
	ofTenant, args := matching("tenant", tenant)
	err = q.each(ctx, func(row scanner) error {
		f, err := scanFolder(row)
		list = append(list, f)
		return err
	}, `SELECT `+folderColumns+` FROM folders WHERE deleted_at IS NULL`+ofTenant+` ORDER BY tenant, id`, args...)
	if err != nil {
		return nil, fmt.Errorf("listing folders: %w", err)
	}
	return list, nil
}

// GetFolder returns a folder.
func (s *Store) GetFolder(ctx context.Context, actor Actor, tenant, id string) (f Folder, err error) {
	if err := actor.mayRead(tenant); err != nil {
		return f, err
	}
	err = s.read(ctx, func(q querier) error {
		var ok bool
		if f, ok, err = q.folder(ctx, tenant, id); err == nil && !ok {
			err = fmt.Errorf("reading %s: %w", folderTarget(tenant, id), ErrNotFound)
		}
		return err
	})
	return f, err
}

// ListFolders returns a tenant's folders, ordered by id; those of all tenants
// if tenant is empty and the actor may see them.
func (s *Store) ListFolders(ctx context.Context, actor Actor, tenant string) (list []Folder, err error) {
	if err := actor.mayRead(tenant); err != nil {
		return nil, err
	}
	err = s.read(ctx, func(q querier) error {
		list, err = q.folders(ctx, tenant)
		return err
	})
	return list, err
}

// PutFolder creates or replaces a folder; see PutTenant for based.
func (s *Store) PutFolder(ctx context.Context, actor Actor, doc config.Folder, based int64) (f Folder, err error) {
	if err := actor.mayWrite(doc.Tenant); err != nil {
		return f, err
	}
	err = s.write(ctx, actor, func(w *writer) error {
		f, _, err = w.putFolder(ctx, doc, based)
		return err
	})
	return f, err
}

func (w *writer) putFolder(ctx context.Context, doc config.Folder, based int64) (Folder, []FieldChange, error) {
	name := folderTarget(doc.Tenant, doc.ID)
	known := config.ValidateFolder(doc)
	before, exists, problems, err := w.checkFolder(ctx, doc, based, known)
	if err != nil {
		return before, nil, err
	}
	if err := sooner(problems, known, based); err != nil {
		return before, nil, err
	}
	if _, ok, err := w.tenant(ctx, doc.Tenant); err != nil || !ok {
		return before, nil, orNotFound(err, "saving "+name.String(), tenantTarget(doc.Tenant))
	}
	if err := name.checkRevision(based, exists, before.Revision); err != nil {
		return before, nil, err
	}
	if err := problems.Err(); err != nil {
		return before, nil, err
	}
	var old any
	if exists {
		old = before.Document
	}
	fields, err := Diff(old, doc)
	if err != nil || len(fields) == 0 {
		return before, nil, err
	}
	after := Folder{Document: doc, Revision: w.revision, CreatedAt: before.CreatedAt, UpdatedAt: w.at}
	change := schemas.ChangeUpdated
	if !exists {
		after.CreatedAt, change = w.at, schemas.ChangeCreated
	}
	if err := w.saveFolder(ctx, after); err != nil {
		return before, nil, err
	}
	return after, fields, w.record(ctx, name, change, before.Revision, fields)
}

func orNotFound(err error, doing string, what target) error {
	if err != nil {
		return err
	}
	return fmt.Errorf("%s: %s: %w", doing, what, ErrNotFound)
}

// folderConflicts looks for other folders of the tenant that have the name or
// one of the addresses.
func (q querier) folderConflicts(ctx context.Context, doc config.Folder, known config.Problems) (config.Problems, error) {
	if known.Covers("tenant") {
		return nil, nil
	}
	var problems config.Problems
	var other string
	if !known.Covers("name") {
		_, taken, err := found(0, q.row(ctx, `SELECT id FROM folders WHERE tenant = ? AND name_key = ? AND id <> ? AND deleted_at IS NULL`,
			doc.Tenant, config.NameKey(doc.Name), otherThan(doc.ID)).Scan(&other), folderTarget(doc.Tenant, doc.ID))
		if err != nil {
			return nil, err
		}
		if taken {
			problems = append(problems, config.Problem{Path: "name", Message: "folder " + other + " has this name"})
		}
	}
	for i, a := range doc.Addresses() {
		path := "address"
		if i > 0 {
			path = fmt.Sprintf("aliases[%d]", i-1)
		}
		if known.Covers(path) {
			continue
		}
		key, err := addressKey(a)
		if err != nil {
			return nil, err
		}
		_, taken, err := found(0, q.row(ctx, `SELECT folder FROM folder_addresses WHERE tenant = ? AND address_key = ? AND folder <> ?`,
			doc.Tenant, key, otherThan(doc.ID)).Scan(&other), folderTarget(doc.Tenant, doc.ID))
		if err != nil {
			return nil, err
		}
		if taken {
			problems = append(problems, config.Problem{Path: path, Message: a + " is an address of folder " + other})
		}
	}
	return problems, nil
}

func addressKey(s string) (string, error) {
	a, err := address.ParseOne(s)
	return string(a.Key()), err
}

func (w *writer) saveFolder(ctx context.Context, f Folder) error {
	name := folderTarget(f.Document.Tenant, f.Document.ID)
	document, err := json.Marshal(f.Document)
	if err != nil {
		return fmt.Errorf("encoding %s: %w", name, err)
	}
	_, err = w.exec(ctx, `INSERT INTO folders (tenant, id, name_key, `+folderColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (tenant, id) DO UPDATE SET name_key = excluded.name_key, document = excluded.document, revision = excluded.revision,
			created_at = excluded.created_at, updated_at = excluded.updated_at, deleted_at = excluded.deleted_at`,
		f.Document.Tenant, f.Document.ID, config.NameKey(f.Document.Name), string(document), f.Revision,
		formatTime(f.CreatedAt), formatTime(f.UpdatedAt), formatOptional(f.deletedAt))
	if err != nil {
		return fmt.Errorf("writing %s: %w", name, err)
	}
	if err := w.freeAddresses(ctx, name); err != nil || f.deletedAt != nil {
		return err
	}
	for _, a := range f.Document.Addresses() {
		key, err := addressKey(a)
		if err == nil {
			_, err = w.exec(ctx, `INSERT INTO folder_addresses (tenant, address_key, folder) VALUES (?, ?, ?)`, name.tenant, key, name.id)
		}
		if err != nil {
			return fmt.Errorf("writing addresses of %s: %w", name, err)
		}
	}
	return nil
}

func (w *writer) freeAddresses(ctx context.Context, folder target) error {
	if _, err := w.exec(ctx, `DELETE FROM folder_addresses WHERE tenant = ? AND folder = ?`, folder.tenant, folder.id); err != nil {
		return fmt.Errorf("writing addresses of %s: %w", folder, err)
	}
	return nil
}

// DeleteFolder deletes a folder. While mailboxes use it, it is refused
// (InUseError), unless forced: then they lose it, mail that had it as the
// catch-all becomes invalid, and a mailbox that is left without a folder is
// disabled.
func (s *Store) DeleteFolder(ctx context.Context, actor Actor, tenant, id string, based int64, force bool) error {
	if err := actor.mayWrite(tenant); err != nil {
		return err
	}
	return s.write(ctx, actor, func(w *writer) error {
		f, exists, err := w.folder(ctx, tenant, id)
		if err != nil || !exists {
			return orNotFound(err, "deleting", folderTarget(tenant, id))
		}
		if err := folderTarget(tenant, id).checkRevision(based, exists, f.Revision); err != nil {
			return err
		}
		users, err := w.mailboxesOf(ctx, tenant, id)
		if err != nil {
			return err
		}
		if len(users) > 0 && !force {
			used := &InUseError{}
			for _, m := range users {
				used.By = append(used.By, "mailbox "+m.Document.ID)
			}
			return fmt.Errorf("deleting %s: %w", folderTarget(tenant, id), used)
		}
		for _, m := range users {
			if err := w.dropFolder(ctx, m, id); err != nil {
				return err
			}
		}
		return w.deleteFolder(ctx, f)
	})
}

func (w *writer) dropFolder(ctx context.Context, m Mailbox, folder string) error {
	doc := m.Document
	doc.Folders = slices.DeleteFunc(slices.Clone(doc.Folders), func(id string) bool { return id == folder })
	if doc.Unmatched == folder {
		doc.Unmatched = config.DefaultMailbox().Unmatched
	}
	doc.Enabled = doc.Enabled && len(doc.Folders) > 0
	_, _, err := w.putMailbox(ctx, mailboxChange{document: doc})
	return err
}

func (w *writer) deleteFolder(ctx context.Context, f Folder) error {
	before := f.Revision
	f.Revision, f.UpdatedAt, f.deletedAt = w.revision, w.at, &w.at
	if err := w.saveFolder(ctx, f); err != nil {
		return err
	}
	return w.record(ctx, folderTarget(f.Document.Tenant, f.Document.ID), schemas.ChangeDeleted, before, nil)
}
