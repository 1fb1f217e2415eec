package oidc

import (
	"fmt"
	"slices"
	"strings"

	"github.com/coreos/go-oidc/v3/oidc"

	"github.com/mailyard/mailyard/pkg/account"
	"github.com/mailyard/mailyard/pkg/config"
	"github.com/mailyard/mailyard/pkg/control"
)

// identity reads who it is and what they may do.
func (p *Provider) identity(token *oidc.IDToken, claims map[string]any) (account.Identity, error) {
	id := account.Identity{
		Issuer: token.Issuer, Subject: token.Subject,
		Name:        text(claims["preferred_username"]),
		DisplayName: strings.TrimSpace(text(claims["name"])),
	}
	if id.Name == "" && claims["email_verified"] == true {
		id.Name = text(claims["email"])
	}
	role, ok := p.role(claimValues(claims, p.options.RoleClaim))
	if !ok {
		return id, p.refuse("gives you no role in mailyard (claim %s)", p.options.RoleClaim)
	}
	id.Role = role
	if role == control.RoleLandlord || p.options.TenantClaim == "" { // then there are no tenant administrators
		return id, nil
	}
	tenants := claimValues(claims, p.options.TenantClaim)
	switch {
	case len(tenants) == 0:
		return id, p.refuse("gives you no tenant (claim %s)", p.options.TenantClaim)
	case len(tenants) > 1:
		return id, p.refuse("gives you several tenants (claim %s); an account has one", p.options.TenantClaim)
	case tenants[0] == AllTenants && role == control.RoleReader:
		return id, nil
	case !config.IsSlug(tenants[0]):
		return id, p.refuse("gives you a tenant that is not an id (claim %s)", p.options.TenantClaim)
	}
	id.Tenant = tenants[0]
	return id, nil
}

func (p *Provider) refuse(format, claim string) error {
	return &account.RefusedError{Reason: p.options.Name + " " + fmt.Sprintf(format, claim) + "; ask your administrator"}
}

// role returns the highest role that the values give.
func (p *Provider) role(values []string) (control.Role, bool) {
	for _, r := range []struct {
		role   control.Role
		values []string
	}{{control.RoleLandlord, p.options.Landlord}, {control.RoleTenantAdmin, p.options.TenantAdmin}, {control.RoleReader, p.options.Reader}} {
		if slices.ContainsFunc(values, func(v string) bool { return slices.Contains(r.values, v) }) {
			return r.role, true
		}
	}
	return "", false
}

// claimValues returns the texts of a claim: of the one with this very name, which
// may hold dots, or of what the path leads to.
func claimValues(claims map[string]any, path string) []string {
	value, ok := claims[path]
	for rest, object := path, claims; !ok; {
		name, next, more := strings.Cut(rest, ".")
		value = object[name]
		if !more {
			break
		}
		if object, _ = value.(map[string]any); object == nil {
			return nil
		}
		rest = next
	}
	switch value := value.(type) {
	case string:
		return []string{value}
	case []any:
		var list []string
		for _, v := range value {
			if s := text(v); s != "" && !slices.Contains(list, s) {
				list = append(list, s)
			}
		}
		return list
	}
	return nil
}

func text(v any) string {
	s, _ := v.(string)
	return s
}
