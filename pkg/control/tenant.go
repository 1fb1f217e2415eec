package control

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/mailyard/mailyard/pkg/config"
	"github.com/mailyard/mailyard/schemas"
)

// A Tenant is a tenant as it is stored.
type Tenant struct {
	Document   config.Tenant
	Revision   int64
	KeyID      string // of the Tenant Encryption Key; "" when there is none
	KeyVersion int    // 1 for the first; 0 when there is none
	Rotation   *Rotation
	CreatedAt  time.Time
	UpdatedAt  time.Time

	wrappedKey  []byte
	keyRevision int64 // of the rotation's latest step; it leaves Revision alone
	deletedAt   *time.Time
}

const tenantColumns = `document, revision, wrapped_key, key_id, key_version, key_revision, rotation, created_at, updated_at, deleted_at`

func scanTenant(row scanner) (t Tenant, err error) {
	var document, created, updated string
	var keyID, rotation, deleted sql.NullString
	if err := row.Scan(&document, &t.Revision, &t.wrappedKey, &keyID, &t.KeyVersion, &t.keyRevision, &rotation, &created, &updated, &deleted); err != nil {
		return t, err
	}
	t.KeyID = keyID.String
	if rotation.Valid {
		if err := json.Unmarshal([]byte(rotation.String), &t.Rotation); err != nil {
			return t, fmt.Errorf("decoding rotation: %w", err)
		}
	}
	return t, decodeRow(document, &t.Document, created, &t.CreatedAt, updated, &t.UpdatedAt, deleted, &t.deletedAt)
}

// decodeRow decodes the columns that all documents have.
func decodeRow(document string, into any, created string, createdAt *time.Time, updated string, updatedAt *time.Time, deleted sql.NullString, deletedAt **time.Time) error {
	if err := json.Unmarshal([]byte(document), into); err != nil {
		return fmt.Errorf("decoding stored document: %w", err)
	}
	var err error
	if *createdAt, err = parseTime(created); err != nil {
		return err
	}
	if *updatedAt, err = parseTime(updated); err != nil {
		return err
	}
	*deletedAt, err = parseOptional(deleted)
	return err
}

// tenant returns a tenant that is not deleted.
func (q querier) tenant(ctx context.Context, id string) (Tenant, bool, error) {
	if !tenantTarget(id).named() {
		return Tenant{}, false, nil
	}
	t, err := scanTenant(q.row(ctx, `SELECT `+tenantColumns+` FROM tenants WHERE id = ? AND deleted_at IS NULL`, id))
	return found(t, err, tenantTarget(id))
}

// found turns "no rows" into false.
func found[T any](t T, err error, what target) (T, bool, error) {
	if errors.Is(err, sql.ErrNoRows) {
		return t, false, nil
	}
	if err != nil {
		return t, false, fmt.Errorf("reading %s: %w", what, err)
	}
	return t, true, nil
}

// GetTenant returns a tenant.
func (s *Store) GetTenant(ctx context.Context, actor Actor, id string) (t Tenant, err error) {
	if err := actor.mayRead(id); err != nil {
		return t, err
	}
	err = s.read(ctx, func(q querier) error {
		var ok bool
		if t, ok, err = q.tenant(ctx, id); err == nil && !ok {
			err = fmt.Errorf("reading %s: %w", tenantTarget(id), ErrNotFound)
		}
		if err == nil {
			err = q.progress(ctx, &t)
		}
		return err
	})
	return t, err
}

// ListTenants returns the tenants that the actor may see, ordered by id.
func (s *Store) ListTenants(ctx context.Context, actor Actor) (list []Tenant, err error) {
	only := actor.Tenant
	if actor.Role == RoleLandlord {
		only = ""
	}
	if err := actor.mayRead(only); err != nil {
		return nil, err
	}
	err = s.read(ctx, func(q querier) error {
		list, err = q.tenants(ctx, only)
		for i := range list {
			err = errors.Join(err, q.progress(ctx, &list[i]))
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("listing tenants: %w", err)
	}
	return list, nil
}

// tenants returns those that are not deleted, or the one with the id.
func (q querier) tenants(ctx context.Context, only string) (list []Tenant, err error) {
	withID, args := matching("id", only)
	err = q.each(ctx, func(row scanner) error {
		t, err := scanTenant(row)
		list = append(list, t)
		return err
	}, `SELECT `+tenantColumns+` FROM tenants WHERE deleted_at IS NULL`+withID+` ORDER BY id`, args...)
	return list, err
}

// PutTenant creates or replaces a tenant. Landlord only. The id of a tenant that
// was deleted is refused (config.Problems): see TenantGone. based is the revision
// that the change was made on, 0 for any, IfThere for any of a tenant that is
// there, IfNew for a new one. What changes
// nothing succeeds and leaves no trace.
func (s *Store) PutTenant(ctx context.Context, actor Actor, doc config.Tenant, based int64) (t Tenant, err error) {
	if err := actor.mayRule(doc.ID); err != nil {
		return t, err
	}
	err = s.write(ctx, actor, func(w *writer) error {
		if t, _, err = w.putTenant(ctx, doc, based); err != nil {
			return err
		}
		return w.progress(ctx, &t)
	})
	return t, err
}

func (w *writer) putTenant(ctx context.Context, doc config.Tenant, based int64) (Tenant, []FieldChange, error) {
	name := tenantTarget(doc.ID)
	known := config.ValidateTenant(doc)
	known = append(known, w.store.unconfigured(doc).Without(known)...)
	before, exists, problems, err := w.checkTenant(ctx, doc, based, known)
	if err != nil {
		return before, nil, err
	}
	if err := sooner(problems, known, based); err != nil {
		return before, nil, err
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
	after := before
	after.Document, after.Revision, after.UpdatedAt = doc, w.revision, w.at
	change := schemas.ChangeUpdated
	if !exists {
		after.CreatedAt, change = w.at, schemas.ChangeCreated
	}
	if err := w.saveTenant(ctx, after); err != nil {
		return before, nil, err
	}
	return after, fields, w.record(ctx, name, change, before.Revision, fields)
}

// saveTenant writes the row.
func (w *writer) saveTenant(ctx context.Context, t Tenant) error {
	document, err := json.Marshal(t.Document)
	if err != nil {
		return fmt.Errorf("encoding %s: %w", tenantTarget(t.Document.ID), err)
	}
	rotation, err := t.Rotation.encode()
	if err != nil {
		return fmt.Errorf("encoding %s: %w", tenantTarget(t.Document.ID), err)
	}
	_, err = w.exec(ctx, `INSERT INTO tenants (id, name_key, `+tenantColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET name_key = excluded.name_key, document = excluded.document, revision = excluded.revision, wrapped_key = excluded.wrapped_key,
			key_id = excluded.key_id, key_version = excluded.key_version, key_revision = excluded.key_revision, rotation = excluded.rotation,
			created_at = excluded.created_at, updated_at = excluded.updated_at, deleted_at = excluded.deleted_at`,
		t.Document.ID, config.NameKey(t.Document.Name), string(document), t.Revision, t.wrappedKey, sql.NullString{String: t.KeyID, Valid: t.KeyID != ""}, t.KeyVersion,
		t.keyRevision, rotation, formatTime(t.CreatedAt), formatTime(t.UpdatedAt), formatOptional(t.deletedAt))
	if err != nil {
		return fmt.Errorf("writing %s: %w", tenantTarget(t.Document.ID), err)
	}
	return nil
}

// DeleteTenant deletes a tenant with its folders, and destroys its Tenant
// Encryption Key, with which every password of the tenant is lost for good. Its
// id is never used again. Landlord only. While it has mailboxes it is refused (InUseError), unless
// forced: then they are deleted too.
func (s *Store) DeleteTenant(ctx context.Context, actor Actor, id string, based int64, force bool) error {
	if err := actor.mayRule(id); err != nil {
		return err
	}
	return s.write(ctx, actor, func(w *writer) error {
		t, exists, err := w.tenant(ctx, id)
		if err != nil {
			return err
		}
		if !exists {
			return fmt.Errorf("deleting %s: %w", tenantTarget(id), ErrNotFound)
		}
		if err := tenantTarget(id).checkRevision(based, exists, t.Revision); err != nil {
			return err
		}
		if err := w.deleteContents(ctx, id, force); err != nil {
			return fmt.Errorf("deleting %s: %w", tenantTarget(id), err)
		}
		before := t.Revision
		var fields []FieldChange
		if t.KeyID != "" {
			fields = append(fields, happened("encryption_key", "destroyed"))
		}
		t.wrappedKey, t.KeyID, t.KeyVersion, t.Rotation = nil, "", 0, nil
		t.Revision, t.UpdatedAt, t.deletedAt = w.revision, w.at, &w.at
		if err := w.saveTenant(ctx, t); err != nil {
			return err
		}
		if err := w.buryTenant(ctx, id); err != nil {
			return err
		}
		return w.record(ctx, tenantTarget(id), schemas.ChangeDeleted, before, fields)
	})
}

func (w *writer) deleteContents(ctx context.Context, tenant string, force bool) error {
	mailboxes, err := w.mailboxes(ctx, tenant)
	if err != nil {
		return err
	}
	if len(mailboxes) > 0 && !force {
		used := &InUseError{}
		for _, m := range mailboxes {
			used.By = append(used.By, "mailbox "+m.Document.ID)
		}
		return used
	}
	for _, m := range mailboxes {
		if err := w.deleteMailbox(ctx, m); err != nil {
			return err
		}
	}
	// Also of those that were deleted before: without the key nothing can read it.
	if _, err := w.exec(ctx, `UPDATE mailboxes SET password = NULL WHERE tenant = ?`, tenant); err != nil {
		return err
	}
	folders, err := w.folders(ctx, tenant)
	if err != nil {
		return err
	}
	for _, f := range folders {
		if err := w.deleteFolder(ctx, f); err != nil {
			return err
		}
	}
	return nil
}
