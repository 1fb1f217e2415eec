package control

import (
	"context"
	"errors"
	"fmt"

	"github.com/mailyard/mailyard/pkg/config"
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
		return w.newKey(ctx, t, "supplied", func(tenant string) ([]byte, error) {
			wrapped, err := s.master.ImportTenantKey(tenant, key)
			if errors.Is(err, secret.ErrNotAKey) {
				err = config.Problems{{Path: "key", Message: secret.ErrNotAKey.Error()}}
			}
			return wrapped, err
		})
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
		if t, err = change(w, before); err != nil {
			return err
		}
		return w.progress(ctx, &t)
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
