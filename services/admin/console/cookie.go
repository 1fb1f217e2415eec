package console

import (
	"net/http"
	"strings"
	"time"
)

// The cookies. Where browsers allow it, their names begin with __Host-, which
// binds them to this very host and to https (RFC 6265bis, section 4.1.3.2).
const (
	sessionCookie = "mailyard"
	flashCookie   = "mailyard-flash" // what the next page says
	linkCookie    = "mailyard-link"  // the secret of a one-time link, off the address bar
	oidcCookie    = "mailyard-oidc"  // a sign-in elsewhere that is under way
	nextCookie    = "mailyard-next"  // where it leads afterwards
	tenantCookie  = "mailyard-tenant"
	themeCookie   = "mailyard-theme" // written by app.js: light or dark
)

func (c *console) cookieName(r *http.Request, name string) string {
	if c.https() || r.TLS != nil {
		return "__Host-" + name
	}
	return name
}

// setCookie sets a cookie that scripts cannot read. SameSite is Lax, not
// Strict: a link in a mail of an alerting system has to open the page, not the
// sign-in. Requests of other sites that change something are refused by their
// origin.
func (r *request) setCookie(name, value string, age time.Duration) {
	http.SetCookie(r.w, &http.Cookie{
		Name: r.console.cookieName(r.Request, name), Value: value, Path: "/", MaxAge: int(age.Seconds()),
		HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: r.console.secureCookies(r.Request),
	})
}

func (r *request) dropCookie(name string) { r.setCookie(name, "", -time.Second) }

func (r *request) cookie(name string) string {
	c, err := r.Request.Cookie(r.console.cookieName(r.Request, name))
	if err != nil {
		return ""
	}
	return c.Value
}

// secureCookies reports whether cookies bear Secure. With https they always do.
// On http to this machine they do in browsers that take loopback for secure and
// keep such cookies; Safari and programs such as curl do not, and whoever uses
// one of them could not sign in at all. What Secure prevents, the cookie on the
// network in clear, does not happen there: the connection does not leave the
// machine.
func (c *console) secureCookies(r *http.Request) bool {
	if c.https() || r.TLS != nil {
		return true
	}
	agent := r.UserAgent()
	return strings.Contains(agent, "Chrome/") || strings.Contains(agent, "Firefox/")
}
