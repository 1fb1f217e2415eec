package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/mailyard/mailyard/pkg/secret"
	"github.com/mailyard/mailyard/schemas"
)

// A Rotation is the replacement of a tenant's key by a new version, while it is
// going on. A Rotator does it.
type Rotation struct {
	From  int       `json:"from"` // version of the key that is replaced
	To    int       `json:"to"`   // version that encrypts from now on
	Began time.Time `json:"began"`
	// Done is how many of the tenant's passwords, Total in number, are encrypted
	// with the new version. The old version goes a little after the last.
	Done  int `json:"done"`
	Total int `json:"total"`
	// Unreadable names mailboxes, at most 20, whose password no version opens. The
	// old version stays until such a password is set again, or the mailbox deleted.
	Unreadable []string `json:"unreadable,omitempty"`
}

// ErrRotating: a tenant's key is replaced by one version after the other.
var ErrRotating = errors.New("its Tenant Encryption Key is being rotated already; wait until that is done")

// encode returns what the column rotation holds; what is counted is not stored.
func (r *Rotation) encode() (any, error) {
	if r == nil {
		return nil, nil
	}
	stored := *r
	stored.Done, stored.Total = 0, 0
	raw, err := json.Marshal(stored)
	return string(raw), err
}

// RotateTenantKey begins to replace a tenant's key, and returns at once. New
// passwords are encrypted with the new version from here on; Tenant.Rotation
// tells how far a Rotator has come with the others. Mailboxes go on, and keep
// their revisions. Landlord only; ErrRotating while a rotation goes on.
func (s *Store) RotateTenantKey(ctx context.Context, actor Actor, tenant string, based int64) (Tenant, error) {
	return s.changeKey(ctx, actor, tenant, based, func(w *writer, t Tenant) (Tenant, error) {
		return w.beginRotation(ctx, t)
	})
}

func (w *writer) beginRotation(ctx context.Context, t Tenant) (Tenant, error) {
	name := tenantTarget(t.Document.ID)
	switch {
	case t.KeyID == "":
		return t, fmt.Errorf("rotating the Tenant Encryption Key of %s: %w", name, ErrNoTenantKey)
	case t.Rotation != nil:
		return t, fmt.Errorf("rotating the Tenant Encryption Key of %s: %w", name, ErrRotating)
	}
	wrapped, err := w.store.master.RotateTenantKey(name.id, t.wrappedKey)
	if err != nil {
		return t, err
	}
	key, err := w.store.master.TenantKey(name.id, wrapped)
	if err != nil {
		return t, err
	}
	t.Rotation = &Rotation{From: t.KeyVersion, To: t.KeyVersion + 1, Began: w.at}
	t.wrappedKey, t.KeyID, t.KeyVersion = wrapped, key.ID(), t.KeyVersion+1
	return t, w.saveRotation(ctx, &t, fmt.Sprintf("rotation from version %d to version %d began", t.Rotation.From, t.Rotation.To))
}

// saveRotation writes a tenant of which nothing but the key has changed.
func (w *writer) saveRotation(ctx context.Context, t *Tenant, what string) error {
	before := max(t.Revision, t.keyRevision)
	t.keyRevision = w.revision
	if err := w.saveTenant(ctx, *t); err != nil {
		return err
	}
	return w.record(ctx, tenantTarget(t.Document.ID), schemas.ChangeUpdated, before, []FieldChange{happened("encryption_key", what)})
}

// progress counts how far the rotation of a tenant has come, if there is one.
func (q querier) progress(ctx context.Context, t *Tenant) error {
	if t.Rotation == nil {
		return nil
	}
	newest, err := secret.Prefix(t.KeyID)
	if err != nil {
		return err
	}
	err = q.row(ctx, `SELECT count(*), count(CASE WHEN substr(password, 1, 5) = ? THEN 1 END) FROM mailboxes WHERE tenant = ? AND password IS NOT NULL`,
		newest, t.Document.ID).Scan(&t.Rotation.Total, &t.Rotation.Done)
	if err != nil {
		return fmt.Errorf("counting passwords of %s: %w", tenantTarget(t.Document.ID), err)
	}
	return nil
}
