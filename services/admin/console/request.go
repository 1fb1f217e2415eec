package console

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"runtime/debug"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/mailyard/mailyard/pkg/account"
	"github.com/mailyard/mailyard/pkg/control"
	"github.com/mailyard/mailyard/services/admin/operation"
)

// A request is what a page answers: the request of a browser, who sent it, and
// the tenant that its path names. It is used by one goroutine.
type request struct {
	*http.Request
	w       http.ResponseWriter
	console *console
	desk    *operation.Desk

	session account.Session // zero: nobody is signed in
	actor   control.Actor
	expired bool             // the browser has a session that is over
	tenant  operation.Tenant // of paths below /t/{tenant}

	status  int // of the answer; 0: 200
	toasts  []toast
	started bool // something of the answer was sent
}

// handler answers a route within its time: it finds out who asks, checks that
// they may, reads the form, and turns errors and panics into pages.
func (c *console) handler(route route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, hr *http.Request) {
		limit := route.limit
		if limit == 0 {
			limit = formLimit
		}
		hr.Body = http.MaxBytesReader(w, hr.Body, limit)
		ctx, cancel := context.WithTimeout(hr.Context(), route.time())
		defer cancel()
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(route.time() + streamStall)) // a writer of tests has none
		r := &request{Request: hr.WithContext(ctx), w: w, console: c, desk: c.Desk}
		defer func() {
			switch v := recover(); v {
			case nil:
			case http.ErrAbortHandler:
				panic(v)
			default:
				r.fail(fmt.Errorf("panic: %v\n%s", v, debug.Stack()))
			}
		}()
		if err := r.answer(route); err != nil {
			r.fail(err)
		}
	})
}

func (r *request) answer(route route) error {
	if err := r.identify(); err != nil {
		return err
	}
	if route.access != anyone && !r.signedIn() {
		return errSignIn
	}
	if route.access == landlord && !r.landlord() || route.access == manager && !r.manages() {
		return errNoPage
	}
	if err := r.findTenant(); err != nil {
		return err
	}
	if err := r.readForm(); err != nil {
		return err
	}
	return route.handle(r)
}

// findTenant finds the tenant that the path names, if the actor may see it, and
// remembers it for the next visit.
func (r *request) findTenant() error {
	id := r.PathValue("tenant")
	if id == "" || !strings.HasPrefix(r.Pattern[strings.IndexByte(r.Pattern, '/'):], "/t/") {
		return nil
	}
	t, err := r.desk.GetTenant(r.Context(), r.actor, &operation.GetTenant{InTenant: operation.InTenant{Tenant: id}})
	if err != nil {
		return err
	}
	r.tenant = t
	if r.cookie(tenantCookie) != id && !r.partial() {
		r.setCookie(tenantCookie, id, account.SessionLifetime)
	}
	return nil
}

// readForm reads the form of a request that has one, so that a body that is too
// large or broken is an error here and not a missing field later. Files are read
// by those who expect them.
func (r *request) readForm() error {
	if strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/form-data") {
		return nil
	}
	return r.ParseForm()
}

func (r *request) signedIn() bool { return r.actor.Name != "" }

// landlord reports whether the landlord asks.
func (r *request) landlord() bool { return r.actor.Role == control.RoleLandlord }

// manages reports whether the actor manages accounts.
func (r *request) manages() bool {
	return r.landlord() || r.actor.Role == control.RoleTenantAdmin
}

// mayWrite reports whether the actor may change what is in the tenant of the
// page. Operations check it again; pages leave out what would be refused.
func (r *request) mayWrite() bool { return r.actor.MayWrite(r.tenant.Document.ID) == nil }

// partial reports whether htmx or a stream asks for a part of a page.
func (r *request) partial() bool {
	return r.Header.Get("HX-Request") == "true" || r.Header.Get("X-Stream") == "true"
}

// path returns the path of something of the page's tenant, every part escaped:
// path("mailboxes", id) is "/t/acme/mailboxes/support".
func (r *request) path(parts ...string) string { return tenantPath(r.tenant.Document.ID, parts...) }

func tenantPath(tenant string, parts ...string) string {
	return joinPath(append([]string{"t", tenant}, parts...)...)
}

// joinPath returns a path of escaped parts.
func joinPath(parts ...string) string {
	var b strings.Builder
	for _, p := range parts {
		b.WriteByte('/')
		b.WriteString(url.PathEscape(p))
	}
	return b.String()
}

// redirect sends the browser to another page of the console, after a form.
func (r *request) redirect(path string) error {
	r.started = true
	r.keepFlash()
	if r.partial() {
		r.w.Header().Set("HX-Redirect", path)
		r.w.WriteHeader(http.StatusNoContent)
		return nil
	}
	http.Redirect(r.w, r.Request, path, http.StatusSeeOther)
	return nil
}

// execute renders a template in whole, so that one that fails sends nothing.
func (r *request) execute(name string, data any) ([]byte, error) {
	var b bytes.Buffer
	if err := r.console.templates.ExecuteTemplate(&b, name, data); err != nil {
		return nil, fmt.Errorf("rendering %s: %w", name, err)
	}
	return b.Bytes(), nil
}

// send sends HTML with the status of the request.
func (r *request) send(html []byte) error {
	r.started = true
	r.w.Header().Set("Content-Type", "text/html; charset=utf-8")
	if r.status != 0 {
		r.w.WriteHeader(r.status)
	}
	if _, err := r.w.Write(html); err != nil {
		r.console.log.Debug("answering a browser", zap.String("path", r.URL.Path), zap.Error(err))
	}
	return nil
}
