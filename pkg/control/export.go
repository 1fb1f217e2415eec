package control

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/mailyard/mailyard/pkg/config"
	"github.com/mailyard/mailyard/schemas"
)

// Export returns a tenant's documents, or those of all tenants if tenant is
// empty and the actor may see them, in the order and the form that Apply takes;
// config.WriteDocuments writes them. Passwords are not among them: an Apply
// keeps those that are stored. The tenants themselves are exported for the
// landlord only, who alone could apply them.
func (s *Store) Export(ctx context.Context, actor Actor, tenant string) (docs []config.Document, err error) {
	if err := actor.mayRead(tenant); err != nil {
		return nil, err
	}
	err = s.read(ctx, func(q querier) error {
		docs, err = q.export(ctx, tenant, actor.Role == RoleLandlord)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("exporting: %w", err)
	}
	return docs, nil
}

func (q querier) export(ctx context.Context, tenant string, landlord bool) (docs []config.Document, err error) {
	add := func(d config.Document, document any) error {
		d.JSON, err = json.Marshal(document)
		docs = append(docs, d)
		return err
	}
	if tenant != "" {
		if _, exists, err := q.tenant(ctx, tenant); err != nil || !exists {
			return nil, orNotFound(err, "reading", tenantTarget(tenant))
		}
	}
	if landlord {
		tenants, err := q.tenants(ctx, tenant)
		if err != nil {
			return nil, err
		}
		for _, t := range tenants {
			d := config.Document{Kind: schemas.KindTenant, Tenant: t.Document.ID, ID: t.Document.ID, GenerateKey: t.KeyID != ""}
			if err := add(d, t.Document); err != nil {
				return nil, err
			}
		}
	}
	folders, err := q.folders(ctx, tenant)
	if err != nil {
		return nil, err
	}
	for _, f := range folders {
		if err := add(config.Document{Kind: schemas.KindFolder, Tenant: f.Document.Tenant, ID: f.Document.ID}, f.Document); err != nil {
			return nil, err
		}
	}
	mailboxes, err := q.mailboxes(ctx, tenant)
	if err != nil {
		return nil, err
	}
	for _, m := range mailboxes {
		d := config.Document{Kind: schemas.KindMailbox, Tenant: m.Document.Tenant, ID: m.Document.ID, HasPassword: m.HasPassword}
		if err := add(d, m.Document); err != nil {
			return nil, err
		}
	}
	return docs, nil
}
