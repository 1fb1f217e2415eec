package console

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// Limits of the body of a request, in octets.
const (
	formLimit   = 1 << 20  // forms
	uploadLimit = 32 << 20 // a mail that is dropped on the simulator
)

// pagePolicy is the Content Security Policy of pages (CSP Level 3): only what
// this server sends as a file of its own, nothing inline.
const pagePolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; " +
	"form-action 'self'; frame-src 'self'; frame-ancestors 'none'; base-uri 'none'"

// framedPolicy is that of what is shown in a frame of our own pages, such as the
// HTML of a mail: no scripts, no forms, no other host, an origin of its own.
// Mail lays itself out with inline styles, which can do no harm in there.
const framedPolicy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox; frame-ancestors 'self'; base-uri 'none'; form-action 'none'"

// protect sets the headers that every answer has, and refuses unsafe requests
// of other origins.
func (c *console) protect(next http.Handler) http.Handler {
	origin := http.NewCrossOriginProtection()
	origin.SetDenyHandler(c.handler(route{access: anyone, handle: func(*request) error { return errCrossOrigin }}))
	next = origin.Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", pagePolicy)
		h.Set("Referrer-Policy", "same-origin")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=(), payment=(), usb=()")
		h.Set("Cache-Control", "no-store")
		if c.https() {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		next.ServeHTTP(w, r)
	})
}

// confidential reports whether what the browser sends cannot be read on its way:
// https, or a connection that does not leave the machine. Passwords and sessions
// are for such connections only.
func (c *console) confidential(r *http.Request) bool {
	return r.TLS != nil || c.https() || loopback(r.Host)
}

// loopback reports whether a Host header names this machine.
func loopback(host string) bool {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	host = strings.ToLower(strings.Trim(host, "[]"))
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	a, err := netip.ParseAddr(host)
	return err == nil && a.IsLoopback()
}

// from returns the address that a request came from, for throttling and the
// audit.
func (c *console) from(r *http.Request) string { return c.proxies.Of(r) }

// origin returns the address of the console, without a slash at the end, for
// links that leave it.
func (c *console) origin(r *http.Request) string {
	switch {
	case c.public != nil:
		return c.public.Scheme + "://" + c.public.Host
	case r.TLS != nil:
		return "https://" + r.Host
	}
	return "http://" + r.Host
}
