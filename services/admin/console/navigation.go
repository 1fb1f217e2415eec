package console

import (
	"strings"

	"github.com/mailyard/mailyard/pkg/config"
	"github.com/mailyard/mailyard/pkg/control"
	"github.com/mailyard/mailyard/services/admin/operation"
)

// A section is an entry of the navigation pane.
type section string

const (
	sectionRouting     section = "routing"
	sectionMail        section = "mail"
	sectionDeadLetters section = "dead-letters"
	sectionSimulator   section = "simulator"
	sectionAudit       section = "audit"
	sectionTenants     section = "tenants"
	sectionSystem      section = "system"
	sectionAccounts    section = "accounts"
	sectionAllAudit    section = "all-audit"
)

// A navGroup is a group of entries, with a label if there are several groups.
type navGroup struct {
	Label string
	Items []navItem
}

type navItem struct {
	Label   string
	Path    string
	Icon    string
	Key     string // pressed after g
	Current bool
}

// A tenantSwitch is at the top of the pane of those who see several tenants.
type tenantSwitch struct {
	Current tenantLink // zero: the page is of no tenant
	Tenants []tenantLink
	All     string // where all of them are listed, if more exist than are shown
}

type tenantLink struct {
	Name, ID, Path string
	Current        bool
}

// switchLimit is how many tenants the switch lists.
const switchLimit = 50

// navigation returns the pane of the actor. On pages that are of no tenant it
// shows that of the tenant that was visited last.
func (r *request) navigation(current section) ([]navGroup, *tenantSwitch, error) {
	tenant := r.tenant.Document
	var choice *tenantSwitch
	if r.actor.Tenant == "" {
		list, err := r.tenants()
		if err != nil {
			return nil, nil, err
		}
		if tenant.ID == "" {
			tenant = r.lastTenant(list)
		}
		choice = &tenantSwitch{}
		if r.landlord() {
			choice.All = "/tenants"
		}
		for _, t := range list[:min(len(list), switchLimit)] {
			choice.Tenants = append(choice.Tenants, tenantLink{Name: t.Name, ID: t.ID, Path: tenantPath(t.ID, r.view()), Current: t.ID == tenant.ID})
		}
		choice.Current = tenantLink{Name: tenant.Name, ID: tenant.ID}
	} else if tenant.ID == "" {
		t, err := r.desk.GetTenant(r.Context(), r.actor, &operation.GetTenant{InTenant: operation.InTenant{Tenant: r.actor.Tenant}})
		if err != nil {
			return nil, nil, err
		}
		tenant = t.Document
	}
	var groups []navGroup
	if tenant.ID != "" {
		groups = append(groups, navGroup{Items: []navItem{
			{Label: "Routing", Path: tenantPath(tenant.ID, "mailboxes"), Icon: "route", Key: "m", Current: current == sectionRouting},
			{Label: "Mail", Path: tenantPath(tenant.ID, "mails"), Icon: "mail", Key: "l", Current: current == sectionMail},
			{Label: "Dead letters", Path: tenantPath(tenant.ID, "dead-letters"), Icon: "dead-letter", Key: "d", Current: current == sectionDeadLetters},
			{Label: "Simulator", Path: tenantPath(tenant.ID, "simulator"), Icon: "flask", Key: "s", Current: current == sectionSimulator},
			{Label: "Audit", Path: tenantPath(tenant.ID, "audit"), Icon: "history", Key: "a", Current: current == sectionAudit},
		}})
	}
	if !r.landlord() && r.manages() {
		groups = append(groups, navGroup{Items: []navItem{{Label: "Accounts", Path: "/accounts", Icon: "users", Key: "c", Current: current == sectionAccounts}}})
	}
	if r.landlord() {
		groups = append(groups, navGroup{Label: "Provider", Items: []navItem{
			{Label: "Tenants", Path: "/tenants", Icon: "building", Key: "t", Current: current == sectionTenants},
			{Label: "Accounts", Path: "/accounts", Icon: "users", Key: "c", Current: current == sectionAccounts},
			{Label: "System", Path: "/system", Icon: "server", Key: "y", Current: current == sectionSystem},
			{Label: "Audit of all", Path: "/audit", Icon: "history", Key: "u", Current: current == sectionAllAudit},
		}})
	}
	return groups, choice, nil
}

// view is the page that another tenant opens with: the same as this one.
func (r *request) view() string {
	_, rest, _ := strings.Cut(r.Pattern, "/t/{tenant}/")
	switch view, _, _ := strings.Cut(rest, "/"); view {
	case "folders", "mails", "dead-letters", "simulator", "audit", "parameters":
		return view
	}
	return "mailboxes"
}

// routingTabs are the tabs of Routing.
func (r *request) routingTabs(current string) []tab {
	return []tab{
		{Label: "Mailboxes", Path: r.path("mailboxes"), Current: current == "mailboxes"},
		{Label: "Folders", Path: r.path("folders"), Current: current == "folders"},
	}
}

// tenants returns the tenants of the switch.
func (r *request) tenants() ([]config.Tenant, error) {
	all, err := r.desk.ListTenants(r.Context(), r.actor, &operation.ListTenants{})
	if err != nil {
		return nil, err
	}
	list := make([]config.Tenant, 0, len(all.Tenants))
	for _, t := range all.Tenants {
		list = append(list, t.Document)
	}
	return list, nil
}

// lastTenant is the one that was visited last, or else the first.
func (r *request) lastTenant(list []config.Tenant) config.Tenant {
	if len(list) == 0 {
		return config.Tenant{}
	}
	last := r.cookie(tenantCookie)
	for _, t := range list {
		if t.ID == last {
			return t
		}
	}
	return list[0]
}

func roleName(r control.Role) string {
	switch r {
	case control.RoleLandlord:
		return "Landlord"
	case control.RoleTenantAdmin:
		return "Tenant administrator"
	case control.RoleReader:
		return "Read only"
	}
	return string(r)
}
