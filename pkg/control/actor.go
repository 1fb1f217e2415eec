package control

import (
	"cmp"
	"fmt"

	"github.com/mailyard/mailyard/pkg/config"
)

// A Role is what an actor may do.
type Role string

// The roles.
const (
	// RoleLandlord may do everything.
	RoleLandlord Role = "landlord"
	// RoleTenantAdmin may change the folders and mailboxes of one tenant, and
	// read that tenant.
	RoleTenantAdmin Role = "tenant-admin"
	// RoleReader may read one tenant, or all if it has none.
	RoleReader Role = "reader"
)

// An Actor is who asks for an operation. Whoever calls vouches for it.
type Actor struct {
	Name   string // as it stands in the audit; required
	Role   Role
	Tenant string // of a tenant administrator, and of a reader of one tenant
	From   string // where the request came from, for the audit: an address, "console", "cli"
	Token  bool   // it is an API token of an account, not somebody who has signed in
	Owner  Role   // of an API token: the role of its account; "" is Role
}

// auditRole is the role that the audit tells: that of the person, also when an
// API token of theirs may do less.
func (a Actor) auditRole() Role { return cmp.Or(a.Owner, a.Role) }

// maxActor is the longest name of an actor, and the longest origin, in characters.
const maxActor = 500

// check refuses what must not stand in the audit.
func (a Actor) check() error {
	return append(config.CheckText("actor.name", a.Name, maxActor), config.CheckText("actor.from", a.From, maxActor)...).Err()
}

// The answers are the same whether the other tenant exists or not.

func (a Actor) mayRead(tenant string) error {
	if err := a.check(); err != nil {
		return err
	}
	switch {
	case a.Name == "":
	case a.Role == RoleLandlord, a.Role == RoleReader && a.Tenant == "":
		return nil
	case (a.Role == RoleTenantAdmin || a.Role == RoleReader) && a.Tenant == tenant && tenant != "":
		return nil
	}
	return a.refuse("read", tenant)
}

func (a Actor) mayWrite(tenant string) error {
	if err := a.check(); err != nil {
		return err
	}
	switch {
	case a.Name == "":
	case a.Role == RoleLandlord:
		return nil
	case a.Role == RoleTenantAdmin && a.Tenant == tenant && tenant != "":
		return nil
	}
	return a.refuse("change", tenant)
}

// mayRule is for what only the landlord does: tenants and their keys.
func (a Actor) mayRule(tenant string) error {
	if err := a.check(); err != nil {
		return err
	}
	if a.Name != "" && a.Role == RoleLandlord {
		return nil
	}
	return a.refuse("manage", tenant)
}

func (a Actor) refuse(verb, tenant string) error {
	switch {
	case a.Name == "":
		return fmt.Errorf("%w: the actor has no name", ErrForbidden)
	case tenant == "":
		return fmt.Errorf("%w: %s may not %s all tenants", ErrForbidden, a.Name, verb)
	}
	return fmt.Errorf("%w: %s may not %s tenant %s", ErrForbidden, a.Name, verb, idText(tenant))
}

// MayRead returns ErrForbidden unless the actor may read the tenant; "" are all.
func (a Actor) MayRead(tenant string) error { return a.mayRead(tenant) }

// MayWrite returns ErrForbidden unless the actor may change what is in the tenant.
func (a Actor) MayWrite(tenant string) error { return a.mayWrite(tenant) }

// MayRule returns ErrForbidden unless the actor may do what only the landlord does.
func (a Actor) MayRule(tenant string) error { return a.mayRule(tenant) }
