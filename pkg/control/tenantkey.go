package control

import (
	"context"
	"fmt"

	"github.com/mailyard/mailyard/pkg/secret"
	"github.com/mailyard/mailyard/schemas"
)

// GenerateTenantKey gives a tenant its Tenant Encryption Key. Landlord only.
// It is ErrExists if the tenant has one: see RotateTenantKey.
func (s *Store) GenerateTenantKey(ctx context.Context, actor Actor, tenant string, based int64) (Tenant, error) {
	return s.changeKey(ctx, actor, tenant, based, func(w *writer, t Tenant) (Tenant, error) {
		return w.newKey(ctx, t, "generated", s.master.NewTenantKey)
	})
}

// SupplyTenantKey gives a tenant a Tenant Encryption Key of the landlord's own
// making: 32 bytes in base64. Landlord only; ErrExists if the tenant has one.
func (s *Store) SupplyTenantKey(ctx context.Context, actor Actor, tenant string, key secret.String, based int64) (Tenant, error) {
	return s.changeKey(ctx, actor, tenant, based, func(w *writer, t Tenant) (Tenant, error) {
		return w.newKey(ctx, t, "supplied", func(tenant string) ([]byte, error) { return s.master.ImportTenantKey(tenant, key) })
	})
}

// RotateTenantKey adds a version to a tenant's key and re-encrypts every
// password of the tenant with it, in one transaction. Services go on meanwhile:
// the key that they have yet reads the old passwords, the new one reads both.
// Landlord only.
func (s *Store) RotateTenantKey(ctx context.Context, actor Actor, tenant string, based int64) (Tenant, error) {
	return s.changeKey(ctx, actor, tenant, based, func(w *writer, t Tenant) (Tenant, error) {
		return w.rotateKey(ctx, t)
	})
}

func (s *Store) changeKey(ctx context.Context, actor Actor, tenant string, based int64, change func(*writer, Tenant) (Tenant, error)) (t Tenant, err error) {
	if err := actor.mayRule(tenant); err != nil {
		return t, err
	}
	if s.master == nil {
		return t, fmt.Errorf("changing the key of %s: %w", tenantTarget(tenant), ErrNoMasterKey)
	}
	err = s.write(ctx, actor, func(w *writer) error {
		before, exists, err := w.tenant(ctx, tenant)
		if err != nil {
			return err
		}
		if !exists {
			return fmt.Errorf("changing the key of %s: %w", tenantTarget(tenant), ErrNotFound)
		}
		if err := tenantTarget(tenant).checkRevision(based, exists, before.Revision); err != nil {
			return err
		}
		t, err = change(w, before)
		return err
	})
	return t, err
}

// newKey gives a tenant without a key one that make makes.
func (w *writer) newKey(ctx context.Context, t Tenant, how string, make func(tenant string) ([]byte, error)) (Tenant, error) {
	if t.KeyID != "" {
		return t, fmt.Errorf("setting the Tenant Encryption Key of %s: %w; rotate it instead", tenantTarget(t.Document.ID), ErrExists)
	}
	wrapped, err := make(t.Document.ID)
	if err != nil {
		return t, err
	}
	return w.saveKey(ctx, t, wrapped, how)
}

func (w *writer) saveKey(ctx context.Context, t Tenant, wrapped []byte, how string) (Tenant, error) {
	key, err := w.store.master.TenantKey(t.Document.ID, wrapped)
	if err != nil {
		return t, err
	}
	before := t.Revision
	t.wrappedKey, t.KeyID, t.KeyVersion = wrapped, key.ID(), t.KeyVersion+1
	t.Revision, t.UpdatedAt = w.revision, w.at
	if err := w.saveTenant(ctx, t); err != nil {
		return t, err
	}
	return t, w.record(ctx, tenantTarget(t.Document.ID), schemas.ChangeUpdated, before, []FieldChange{happened("encryption_key", how)})
}

func (w *writer) rotateKey(ctx context.Context, t Tenant) (Tenant, error) {
	id := t.Document.ID
	if t.KeyID == "" {
		return t, fmt.Errorf("rotating the Tenant Encryption Key of %s: it has none: %w", tenantTarget(id), ErrNotFound)
	}
	wrapped, err := w.store.master.RotateTenantKey(id, t.wrappedKey)
	if err != nil {
		return t, err
	}
	if t, err = w.saveKey(ctx, t, wrapped, "rotated"); err != nil {
		return t, err
	}
	key, err := w.store.master.TenantKey(id, wrapped)
	if err != nil {
		return t, err
	}
	// Deleted mailboxes too: their mail in flight is still disposed of.
	rows, err := w.allMailboxes(ctx, id)
	if err != nil {
		return t, err
	}
	for _, m := range rows {
		if m.password == nil {
			continue
		}
		password, err := key.Open(id, m.Document.ID, m.password)
		if err != nil {
			return t, err
		}
		if m.password, err = key.Seal(id, m.Document.ID, password); err != nil {
			return t, err
		}
		before := m.Revision
		m.Revision = w.revision
		if err := w.saveMailbox(ctx, m); err != nil {
			return t, err
		}
		if err := w.record(ctx, mailboxTarget(id, m.Document.ID), schemas.ChangeUpdated, before, []FieldChange{happened("password", "re-encrypted")}); err != nil {
			return t, err
		}
	}
	return t, nil
}

// key opens a tenant's key.
func (w *writer) key(t Tenant) (*secret.TenantKey, error) {
	switch {
	case t.KeyID == "":
		return nil, ErrNoTenantKey
	case w.store.master == nil:
		return nil, ErrNoMasterKey
	}
	return w.store.master.TenantKey(t.Document.ID, t.wrappedKey)
}
