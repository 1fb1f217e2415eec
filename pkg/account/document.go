package account

import (
	"context"
	"fmt"

	"github.com/mailyard/mailyard/pkg/config"
	"github.com/mailyard/mailyard/pkg/control"
)

// checkDocument checks what can be checked without the database.
func checkDocument(actor control.Actor, doc Document) error {
	if err := inPerson(actor); err != nil {
		return fmt.Errorf("saving account %.80s: %w", doc.Name, err)
	}
	var problems config.Problems
	add := func(path, message string) { problems = append(problems, config.Problem{Path: path, Message: message}) }
	if message, ok := checkName(doc.Name); !ok {
		add("name", message)
	}
	if message, ok := checkDisplayName(doc.DisplayName); !ok {
		add("display_name", message)
	}
	problems = append(problems, checkRole(doc.Role, doc.Tenant)...)
	if err := problems.Err(); err != nil {
		return err
	}
	if !manages(actor, doc.Role, doc.Tenant) {
		return fmt.Errorf("saving account %.80s: %w: %s may not give this role", doc.Name, control.ErrForbidden, actor.Name)
	}
	return nil
}

// checkRole checks that role and tenant fit.
func checkRole(role control.Role, tenant string) config.Problems {
	switch role {
	case control.RoleLandlord:
		if tenant != "" {
			return config.Problems{{Path: "tenant", Message: "must be empty for the landlord"}}
		}
	case control.RoleTenantAdmin:
		if tenant == "" {
			return config.Problems{{Path: "tenant", Message: "is required for a tenant administrator"}}
		}
	case control.RoleReader:
	default:
		return config.Problems{{Path: "role", Message: "must be landlord, tenant-admin or reader"}}
	}
	if tenant != "" && !config.IsSlug(tenant) {
		return config.Problems{{Path: "tenant", Message: "is not an id: 1 to 63 of a-z, 0-9 and -, not beginning or ending with -"}}
	}
	return nil
}

// checkTenant checks that there is such a tenant, or none is meant.
func checkTenant(ctx context.Context, tx *control.Tx, tenant string) error {
	if tenant == "" {
		return nil
	}
	var n int
	if err := tx.Row(ctx, `SELECT count(*) FROM tenants WHERE id = ? AND deleted_at IS NULL`, []any{tenant}, &n); err != nil {
		return fmt.Errorf("reading tenant %s: %w", tenant, err)
	}
	if n == 0 {
		return config.Problems{{Path: "tenant", Message: "there is no tenant " + tenant}}
	}
	return nil
}
