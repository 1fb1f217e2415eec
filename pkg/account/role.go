package account

import (
	"fmt"

	"github.com/mailyard/mailyard/pkg/control"
)

// within reports whether a role in a tenant gives nothing that another one does
// not give.
func within(role control.Role, tenant string, of control.Role, ofTenant string) bool {
	switch of {
	case control.RoleLandlord:
		return true
	case control.RoleTenantAdmin:
		return (role == control.RoleTenantAdmin || role == control.RoleReader) && tenant == ofTenant && tenant != ""
	case control.RoleReader:
		return role == control.RoleReader && (tenant == ofTenant || ofTenant == "")
	}
	return false
}

// manages reports whether an actor may change accounts of a role in a tenant:
// the landlord all, a tenant's administrator the tenant's.
func manages(actor control.Actor, role control.Role, tenant string) bool {
	return actor.Name != "" && actor.Role != control.RoleReader && within(role, tenant, actor.Role, actor.Tenant)
}

// isOwn reports whether an account is the actor's. An API token is not its
// account: its actor has another name, which no account can have.
func isOwn(actor control.Actor, a Account) bool { return actor.Name == a.Name }

// inPerson refuses API tokens. What they did to accounts would outlive them:
// whoever found one would make an account or a link, and be in for good. The
// answer is the same whatever there is.
func inPerson(actor control.Actor) error {
	if actor.Token {
		return ErrByToken
	}
	return nil
}

// mayManage decides about an existing account. What the actor may not see does
// not exist.
func mayManage(actor control.Actor, a Account) error {
	switch {
	case manages(actor, a.Role, a.Tenant):
		return nil
	case isOwn(actor, a):
		return fmt.Errorf("%w: %s may not manage accounts", control.ErrForbidden, actor.Name)
	}
	return control.ErrNotFound
}

// maySee decides about an account, its sessions and its API tokens.
func maySee(actor control.Actor, a Account) error {
	if manages(actor, a.Role, a.Tenant) || isOwn(actor, a) {
		return nil
	}
	return control.ErrNotFound
}
