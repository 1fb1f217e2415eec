package deployment

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/mailyard/mailyard/pkg/secret"
)

// Admin says how administrators reach the installation.
type Admin struct {
	Listen string `yaml:"listen"` // address of console and REST; empty: they are not served
	// URL is what people type to get to Listen, through what stands before it:
	// "https://mail.example.com". Empty: Listen itself.
	URL string `yaml:"url"`
	// TrustedProxies lists the networks of the reverse proxies before Listen,
	// "10.244.0.0/16" or "192.0.2.1": they are believed when X-Forwarded-For says
	// for whom they ask. Those on this machine are, if URL is set.
	TrustedProxies []string `yaml:"trusted_proxies"`
	// OperatorToken is a token that REST takes for the operator of the
	// installation, who may do what the landlord may. Empty: there is none.
	OperatorToken secret.String `yaml:"operator_token"`
	OIDC          OIDC          `yaml:"oidc"`
}

// minOperatorToken is the least length of an operator token, in characters.
const minOperatorToken = 24

// OIDC is an OpenID Connect provider that administrators may sign in with.
type OIDC struct {
	Issuer       string        `yaml:"issuer"` // https://…; empty: local accounts only
	ClientID     string        `yaml:"client_id"`
	ClientSecret secret.String `yaml:"client_secret"` // empty: a public client
	Name         string        `yaml:"name"`          // on the button; empty: the issuer's host
	RoleClaim    string        `yaml:"role_claim"`    // the claim that holds the roles of who signs in
	TenantClaim  string        `yaml:"tenant_claim"`  // the claim that holds the id of their tenant
	// The values of RoleClaim that make a landlord, a tenant administrator and a
	// reader. Who has none of them may not sign in.
	Landlord    []string `yaml:"landlord"`
	TenantAdmin []string `yaml:"tenant_admin"`
	Reader      []string `yaml:"reader"`
	// TokenDays is for how many days after a sign-in through the provider the API
	// tokens of the account work, 1 to 366: the provider tells nobody when it
	// removes a person.
	TokenDays int `yaml:"token_days"`
}

// Vouched returns how long a sign-in through the provider stands for API tokens.
func (o OIDC) Vouched() time.Duration { return time.Duration(o.TokenDays) * 24 * time.Hour }

// ButtonName returns what the button for this way to sign in says.
func (o OIDC) ButtonName() string {
	if o.Name != "" {
		return o.Name
	}
	u, err := url.Parse(o.Issuer)
	if err != nil {
		return o.Issuer
	}
	return u.Host
}

func (a Admin) validate(problem func(path, format string, args ...any)) {
	if a.Listen != "" {
		_, port, err := net.SplitHostPort(a.Listen)
		if n, e := strconv.Atoi(port); err != nil || e != nil || n < 0 || n > 65535 {
			problem("admin.listen", "%q is not host:port, such as 127.0.0.1:8420", a.Listen)
		}
	}
	if n := len(a.OperatorToken.Reveal()); n > 0 && n < minOperatorToken {
		problem("admin.operator_token", "has %d characters; at least %d are needed, such as from `openssl rand -hex 24`", n, minOperatorToken)
	}
	if a.URL != "" {
		switch u, ok := webURL(a.URL); {
		case !ok:
			problem("admin.url", "%q is not https://host; plain http is for loopback only", withoutUser(a.URL))
		case strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "":
			problem("admin.url", "%q has more than a host: the console is served at /", withoutUser(a.URL))
		}
	}
	for i, n := range a.TrustedProxies {
		if _, err := network(n); err != nil {
			problem(fmt.Sprintf("admin.trusted_proxies[%d]", i), "%v", err)
		}
	}
	a.OIDC.validate(problem)
}

// Proxies returns the networks of TrustedProxies.
func (a Admin) Proxies() ([]netip.Prefix, error) {
	var list []netip.Prefix
	for _, text := range a.TrustedProxies {
		n, err := network(text)
		if err != nil {
			return nil, fmt.Errorf("reading admin.trusted_proxies: %w", err)
		}
		list = append(list, n)
	}
	return list, nil
}

// network reads a network, or an address as the network of itself.
func network(text string) (netip.Prefix, error) {
	if a, err := netip.ParseAddr(text); err == nil && a.Zone() == "" && !a.Is4In6() {
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	p, err := netip.ParsePrefix(text)
	switch {
	case err != nil || p.Addr().Is4In6():
		return p, fmt.Errorf("%q is neither an address nor a network, such as 10.244.0.0/16", text)
	case p.Bits() == 0:
		return p, fmt.Errorf("%q is everybody: name the networks of the proxies", text)
	case p != p.Masked():
		return p, fmt.Errorf("%q is not the beginning of its network, %s", text, p.Masked())
	}
	return p, nil
}

func (o OIDC) validate(problem func(path, format string, args ...any)) {
	roles := len(o.Landlord) + len(o.TenantAdmin) + len(o.Reader)
	if o.Issuer == "" {
		if o.ClientID != "" || !o.ClientSecret.IsZero() || roles > 0 {
			problem("admin.oidc.issuer", "is not set, but other settings of OpenID Connect are")
		}
		return
	}
	if _, ok := webURL(o.Issuer); !ok {
		problem("admin.oidc.issuer", "%q is not https://host…; plain http is for loopback only", withoutUser(o.Issuer))
	}
	if o.TokenDays < 1 || o.TokenDays > 366 {
		problem("admin.oidc.token_days", "%d is not within 1 and 366", o.TokenDays)
	}
	if o.ClientID == "" {
		problem("admin.oidc.client_id", "is not set")
	}
	if o.RoleClaim == "" {
		problem("admin.oidc.role_claim", "is not set: name the claim that holds the roles of who signs in")
	}
	if roles == 0 {
		problem("admin.oidc", "lists no values under landlord, tenant_admin or reader: nobody could sign in")
	}
	if len(o.TenantAdmin) > 0 && o.TenantClaim == "" {
		problem("admin.oidc.tenant_claim", "is not set: name the claim that holds the tenant of a tenant administrator")
	}
}

// webURL reads an https URL, or an http one of loopback.
func webURL(text string) (*url.URL, bool) {
	u, err := url.Parse(text)
	if err != nil || u.Hostname() == "" || u.User != nil {
		return nil, false
	}
	address, err := netip.ParseAddr(u.Hostname())
	loopback := u.Hostname() == "localhost" || err == nil && address.IsLoopback()
	return u, u.Scheme == "https" || u.Scheme == "http" && loopback
}
