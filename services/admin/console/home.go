package console

import "github.com/mailyard/mailyard/pkg/control"

func (c *console) homeRoutes() []route {
	return []route{
		{pattern: "GET /{$}", access: anyone, handle: c.home},
		{pattern: "GET /t/{tenant}", handle: func(r *request) error { return r.redirect(r.path("mailboxes")) }},
	}
}

// home leads to where the actor works.
func (c *console) home(r *request) error {
	switch {
	case !r.signedIn():
		return r.redirect("/sign-in")
	case r.actor.Tenant != "":
		return r.redirect(tenantPath(r.actor.Tenant, "mailboxes"))
	}
	list, err := r.tenants()
	if err != nil {
		return err
	}
	if t := r.lastTenant(list); t.ID != "" {
		return r.redirect(tenantPath(t.ID, "mailboxes"))
	}
	if r.actor.Role == control.RoleLandlord {
		return r.redirect("/tenants")
	}
	return r.page("empty-page", page{Title: "mailyard"}, empty{Icon: "building", Title: "No tenants yet", Text: "There is nothing to read until the landlord creates a tenant."})
}
