package operation

import (
	"context"
	"time"

	"github.com/mailyard/mailyard/pkg/config"
	"github.com/mailyard/mailyard/pkg/control"
	"github.com/mailyard/mailyard/pkg/secret"
)

// Tenant is a tenant as it is shown.
type Tenant struct {
	Document  config.Tenant `json:"document"`
	Revision  string        `json:"revision"`
	Key       *TenantKey    `json:"key,omitempty"` // nil: no mailbox password can be kept
	CreatedAt time.Time     `json:"created_at"`
	UpdatedAt time.Time     `json:"updated_at"`
}

// TenantKey is what is told of a Tenant Encryption Key.
type TenantKey struct {
	ID       string            `json:"id"`
	Version  int               `json:"version"`
	Rotation *control.Rotation `json:"rotation,omitempty"` // while passwords are encrypted anew
}

// ETagRevision is the tenant's revision.
func (t Tenant) ETagRevision() string { return t.Revision }

func (d *Desk) tenantOf(t control.Tenant) Tenant {
	out := Tenant{Document: t.Document, Revision: d.revisions(t.Document.ID).Seal(t.Revision), CreatedAt: t.CreatedAt, UpdatedAt: t.UpdatedAt}
	if t.KeyID != "" {
		out.Key = &TenantKey{ID: t.KeyID, Version: t.KeyVersion, Rotation: t.Rotation}
	}
	return out
}

// ListTenants asks for the tenants that the actor may see.
type ListTenants struct{}

// Tenants are tenants, by id.
type Tenants struct {
	Tenants []Tenant `json:"tenants"`
}

// ListTenants returns the tenants that the actor may see.
func (d *Desk) ListTenants(ctx context.Context, a control.Actor, _ *ListTenants) (Tenants, error) {
	list, err := d.Control.ListTenants(ctx, a)
	out := Tenants{Tenants: make([]Tenant, 0, len(list))}
	for _, t := range list {
		out.Tenants = append(out.Tenants, d.tenantOf(t))
	}
	return out, err
}

// GetTenant asks for a tenant.
type GetTenant struct{ InTenant }

// GetTenant returns a tenant.
func (d *Desk) GetTenant(ctx context.Context, a control.Actor, in *GetTenant) (Tenant, error) {
	if err := mayRead(a, in.Tenant); err != nil {
		return Tenant{}, err
	}
	t, err := d.Control.GetTenant(ctx, a, in.Tenant)
	return d.tenantOf(t), err
}

// PutTenant creates or replaces a tenant.
type PutTenant struct {
	InTenant
	Condition
	Body TenantJSON `json:"document"`
}

// PutTenant creates or replaces a tenant.
func (d *Desk) PutTenant(ctx context.Context, a control.Actor, in *PutTenant) (Tenant, error) {
	if err := mayRule(a, in.Tenant); err != nil {
		return Tenant{}, err
	}
	based, err := in.based(true, d.revisions(in.Tenant))
	if err != nil {
		return Tenant{}, err
	}
	doc, problems := decodeTenant(in.Body.RawMessage, in.Tenant)
	if len(problems) > 0 {
		return Tenant{}, refused(d.Control.CheckTenant(ctx, a, doc, based, problems))
	}
	t, err := d.Control.PutTenant(ctx, a, doc, based)
	return d.tenantOf(t), err
}

// DeleteTenant deletes a tenant.
type DeleteTenant struct {
	InTenant
	Condition
	Force bool `query:"force" json:"force,omitempty" doc:"Delete its mailboxes too."`
}

// DeleteTenant deletes a tenant and destroys its key, and every password with it.
func (d *Desk) DeleteTenant(ctx context.Context, a control.Actor, in *DeleteTenant) (Done, error) {
	if err := mayRule(a, in.Tenant); err != nil {
		return Done{}, err
	}
	based, err := in.based(false, d.revisions(in.Tenant))
	if err != nil {
		return Done{}, err
	}
	if err := d.Control.DeleteTenant(ctx, a, in.Tenant, based, in.Force); err != nil {
		return Done{}, err
	}
	return done("Tenant %s is deleted, its Tenant Encryption Key destroyed. What is in its messaging database stays.", in.Tenant), nil
}

// GenerateKey gives a tenant a key that is made here.
type GenerateKey struct {
	InTenant
	Condition
}

// GenerateKey gives a tenant its Tenant Encryption Key.
func (d *Desk) GenerateKey(ctx context.Context, a control.Actor, in *GenerateKey) (Tenant, error) {
	return d.changeKey(ctx, a, in.InTenant, in.Condition, d.Control.GenerateTenantKey)
}

// RotateKey replaces a tenant's key.
type RotateKey struct {
	InTenant
	Condition
}

// RotateKey begins the rotation of a tenant's key: every password is encrypted
// anew while mail flows, then the old version is destroyed.
func (d *Desk) RotateKey(ctx context.Context, a control.Actor, in *RotateKey) (Tenant, error) {
	return d.changeKey(ctx, a, in.InTenant, in.Condition, d.Control.RotateTenantKey)
}

// SupplyKey gives a tenant a key of the landlord's own making.
type SupplyKey struct {
	InTenant
	Condition
	Body KeyMaterial `json:"key"`
}

// KeyMaterial is a key of one's own making.
type KeyMaterial struct {
	Key string `json:"key" doc:"32 bytes in base64. It is never shown again." writeOnly:"true"`
}

// SupplyKey gives a tenant a Tenant Encryption Key of the landlord's own making.
func (d *Desk) SupplyKey(ctx context.Context, a control.Actor, in *SupplyKey) (Tenant, error) {
	return d.changeKey(ctx, a, in.InTenant, in.Condition, func(ctx context.Context, a control.Actor, tenant string, based int64) (control.Tenant, error) {
		return d.Control.SupplyTenantKey(ctx, a, tenant, secret.NewString(in.Body.Key), based)
	})
}

func (d *Desk) changeKey(ctx context.Context, a control.Actor, in InTenant, c Condition, change func(context.Context, control.Actor, string, int64) (control.Tenant, error)) (Tenant, error) {
	if err := mayRule(a, in.Tenant); err != nil {
		return Tenant{}, err
	}
	based, err := c.based(false, d.revisions(in.Tenant))
	if err != nil {
		return Tenant{}, err
	}
	t, err := change(ctx, a, in.Tenant, based)
	return d.tenantOf(t), err
}
