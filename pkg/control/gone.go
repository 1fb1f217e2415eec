package control

import (
	"context"
	"fmt"

	"github.com/mailyard/mailyard/pkg/config"
)

// The ids of deleted tenants are kept for ever. Mails, dead letters, protocol
// logs and the audit stay under the id when the tenant is gone, and a new tenant
// of the id would get them.

// TenantGone reports whether an id was that of a tenant that is deleted.
// Landlord only.
func (s *Store) TenantGone(ctx context.Context, actor Actor, id string) (gone bool, err error) {
	if err := actor.mayRule(id); err != nil {
		return false, err
	}
	err = s.read(ctx, func(q querier) error {
		gone, err = q.tenantGone(ctx, id)
		return err
	})
	return gone, err
}

func (q querier) tenantGone(ctx context.Context, id string) (bool, error) {
	if !config.IsSlug(id) {
		return false, nil
	}
	var n int
	if err := q.row(ctx, `SELECT count(*) FROM gone_tenants WHERE id = ?`, id).Scan(&n); err != nil {
		return false, fmt.Errorf("reading whether %s is deleted: %w", tenantTarget(id), err)
	}
	return n > 0, nil
}

// buryTenant keeps the id of a tenant that is being deleted from being used again.
func (w *writer) buryTenant(ctx context.Context, id string) error {
	if _, err := w.exec(ctx, `INSERT INTO gone_tenants (id, deleted_at) VALUES (?, ?) ON CONFLICT (id) DO NOTHING`, id, formatTime(w.at)); err != nil {
		return fmt.Errorf("noting that %s is deleted: %w", tenantTarget(id), err)
	}
	return nil
}
