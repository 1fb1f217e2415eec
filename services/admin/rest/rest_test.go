package rest_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/mailyard/mailyard/pkg/secret"
	"github.com/mailyard/mailyard/services/admin/admintest"
	"github.com/mailyard/mailyard/services/admin/operation"
	"github.com/mailyard/mailyard/services/admin/rest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// operator is the token of the host.
const operator = "a token of this machine"

// A desk is REST in front of an office.
type desk struct {
	*admintest.Office
	t       testing.TB
	handler http.Handler
}

func open(t testing.TB) *desk {
	t.Helper()
	o := admintest.New(t)
	h, err := rest.New(rest.Config{Desk: o.Desk, Accounts: o.Accounts, Operator: secret.NewString(operator), Version: "test", Logger: o.Logger})
	if err != nil {
		t.Fatal(err)
	}
	return &desk{Office: o, t: t, handler: h}
}

// An answer is what REST answered.
type answer struct {
	t      testing.TB
	status int
	header http.Header
	body   []byte
}

// A header is one of a request.
type header struct{ name, value string }

// ask sends a request; body is JSON as text, or a value that becomes JSON.
func (d *desk) ask(token, method, path string, body any, headers ...header) answer {
	d.t.Helper()
	var in io.Reader
	switch b := body.(type) {
	case nil:
	case string:
		in = strings.NewReader(b)
	case []byte:
		in = bytes.NewReader(b)
	default:
		raw, err := json.Marshal(body)
		if err != nil {
			d.t.Fatal(err)
		}
		in = bytes.NewReader(raw)
	}
	r := httptest.NewRequestWithContext(d.t.Context(), method, rest.Prefix+path, in)
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	for _, h := range headers {
		r.Header.Set(h.name, h.value)
	}
	return d.send(r)
}

func (d *desk) send(r *http.Request) answer {
	w := httptest.NewRecorder()
	d.handler.ServeHTTP(w, r)
	a := answer{d.t, w.Code, w.Result().Header, w.Body.Bytes()}
	if bytes.Contains(a.body, []byte(admintest.Password)) {
		d.t.Errorf("%s %s tells a password: %s", r.Method, r.URL, a.body)
	}
	return a
}

// is fails the test unless the answer has the status.
func (a answer) is(status int) answer {
	a.t.Helper()
	if a.status != status {
		a.t.Errorf("status %d; want %d: %s", a.status, status, a.body)
	}
	return a
}

func (a answer) decode(into any) answer {
	a.t.Helper()
	if err := json.Unmarshal(a.body, into); err != nil {
		a.t.Fatalf("%v: %s", err, a.body)
	}
	return a
}

// problem checks that the answer is a problem of the status, and returns it.
func (a answer) problem(status int) operation.Problem {
	a.t.Helper()
	a.is(status)
	var p operation.Problem
	a.decode(&p)
	if kind := a.header.Get("Content-Type"); kind != "application/problem+json" {
		a.t.Errorf("the problem is %s", kind)
	}
	if p.Status != a.status || p.Title != http.StatusText(a.status) {
		a.t.Errorf("the problem calls itself %d %q", p.Status, p.Title)
	}
	return p
}

// names fails the test unless the problem has an error with the path.
func (a answer) names(path string) {
	a.t.Helper()
	for _, e := range a.problem(http.StatusUnprocessableEntity).Errors {
		if e.Path == path {
			return
		}
	}
	a.t.Errorf("no error has the path %q: %s", path, a.body)
}

func TestADocumentGoesRound(t *testing.T) {
	t.Parallel()
	d := open(t)
	path := "/tenants/acme/folders/sales"
	doc := map[string]any{"name": "Sales", "address": "sales@acme.example"}
	d.ask(d.Ann.Token, "PUT", path, doc).problem(http.StatusPreconditionRequired)
	made := d.ask(d.Ann.Token, "PUT", path, doc, header{"If-None-Match", "*"}).is(http.StatusOK)
	tag := made.header.Get("ETag")
	if tag == "" || tag[0] != '"' {
		t.Fatalf("ETag %q", tag)
	}
	d.ask(d.Ann.Token, "PUT", path, doc, header{"If-None-Match", "*"}).problem(http.StatusConflict)
	if got := d.ask(d.Rita.Token, "GET", path, nil).is(http.StatusOK).header.Get("ETag"); got != tag {
		t.Errorf("reading gives the ETag %s; want %s", got, tag)
	}
	doc["name"] = "Sales and more"
	changed := d.ask(d.Ann.Token, "PUT", path, doc, header{"If-Match", tag}).is(http.StatusOK)
	if changed.header.Get("ETag") == tag {
		t.Error("the change has the ETag of before")
	}
	doc["name"] = "Stale"
	for _, stale := range []string{tag, `"999999"`, `"x"`, `W/"1"`} {
		d.ask(d.Ann.Token, "PUT", path, doc, header{"If-Match", stale}).problem(http.StatusPreconditionFailed)
	}
	d.ask(d.Ann.Token, "DELETE", path, nil, header{"If-Match", tag}).problem(http.StatusPreconditionFailed)
	var f operation.Folder
	d.ask(d.Rita.Token, "GET", path, nil).is(http.StatusOK).decode(&f)
	if f.Document.Name != "Sales and more" {
		t.Errorf("the name is %q", f.Document.Name)
	}
	d.ask(d.Ann.Token, "DELETE", path, nil, header{"If-Match", changed.header.Get("ETag")}).is(http.StatusOK)
	d.ask(d.Ann.Token, "GET", path, nil).problem(http.StatusNotFound)
}

func TestEveryAnswerIsClosed(t *testing.T) {
	t.Parallel()
	d := open(t)
	for _, a := range []answer{
		d.ask(d.Lena.Token, "GET", "/tenants", nil), d.ask("", "GET", "/tenants", nil), d.ask("", "GET", "/nothing", nil),
		d.ask(d.Lena.Token, "PUT", "/tenants/acme", "{"), d.ask(d.Lena.Token, "GET", "/tenants/acme/mails/"+d.Acme.Mail+"/raw", nil),
	} {
		for name, want := range map[string]string{"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "no-referrer"} {
			if got := a.header.Get(name); got != want {
				t.Errorf("%d: %s: %q; want %q", a.status, name, got, want)
			}
		}
		if csp := a.header.Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") || !strings.Contains(csp, "sandbox") {
			t.Errorf("%d: Content-Security-Policy: %s", a.status, csp)
		}
	}
}
