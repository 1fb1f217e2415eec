package oidc

import (
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"time"

	"go.uber.org/zap"

	"github.com/mailyard/mailyard/pkg/secret"
)

// Options describe the provider, and what its claims mean here.
type Options struct {
	Issuer       string // https URL, as the provider spells it; http on loopback only
	ClientID     string
	ClientSecret secret.String // empty for a public client
	RedirectURL  string        // of the console's callback page
	Scopes       []string      // besides openid; nil: profile, email
	Name         string        // of the provider, for people; empty: "the identity provider"

	// A claim is given by its name or, if it is inside another one, by a path:
	// realm_access.roles. Its value is a text or a list of texts.
	RoleClaim   string
	TenantClaim string // holds the id of one tenant; empty: only the landlord's people come from this provider

	// Values of RoleClaim. Of several roles the highest counts. A reader whose
	// tenant claim is AllTenants, or for whom none is configured, reads all tenants.
	Landlord, TenantAdmin, Reader []string

	Client *http.Client // nil: one with a time limit for every request
	Logger *zap.Logger
	Now    func() time.Time // nil: time.Now
}

// AllTenants as the value of the tenant claim of a reader.
const AllTenants = "*"

// requestLimit is the time limit of one request to the provider.
const requestLimit = 10 * time.Second

// check returns everything that is wrong.
func (o Options) check() error {
	var problems []error
	add := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	for _, u := range []struct{ key, value string }{{"issuer", o.Issuer}, {"redirect URL", o.RedirectURL}} {
		if !isSecure(u.value) {
			add("%s: %q is not an https:// URL (http:// is for loopback only)", u.key, u.value)
		}
	}
	if o.ClientID == "" {
		add("client id: is required")
	}
	if o.RoleClaim == "" {
		add("role claim: is required")
	}
	roles := slices.Concat(o.Landlord, o.TenantAdmin, o.Reader)
	if len(roles) == 0 {
		add("no value of the role claim is given a role; nobody could sign in")
	}
	slices.Sort(roles)
	for i := range roles {
		if roles[i] == "" {
			add("an empty value of the role claim is given a role")
		} else if i > 0 && roles[i] == roles[i-1] {
			add("the value %q of the role claim is given two roles", roles[i])
		}
	}
	if o.TenantClaim == "" && len(o.TenantAdmin) > 0 {
		add("tenant claim: is required, for there are values for tenant administrators")
	}
	return errors.Join(problems...)
}

// isSecure accepts https, and http to where nobody can listen.
func isSecure(s string) bool {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.User != nil || u.Fragment != "" {
		return false
	}
	a, err := netip.ParseAddr(u.Hostname())
	loopback := err == nil && a.IsLoopback() || u.Hostname() == "localhost"
	return u.Scheme == "https" || u.Scheme == "http" && loopback
}
