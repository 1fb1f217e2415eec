package console

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/mailyard/mailyard/pkg/config"
	"github.com/mailyard/mailyard/pkg/control"
	"github.com/mailyard/mailyard/pkg/doctor"
	"github.com/mailyard/mailyard/pkg/imapconn/imaptest"
	"github.com/mailyard/mailyard/pkg/secret"
)

// A mailSite is a console that reaches a mail server, with a saved mailbox
// "live" on it.
type mailSite struct {
	deskSite
	server *imaptest.Server
	doc    config.Mailbox
}

const (
	liveUser     = "support@acme.example"
	livePassword = "only-for-this-server"
)

func newMailSite(t *testing.T) mailSite {
	t.Helper()
	o := newDeskSite(t)
	o.Desk.Doctor.Dial = new(net.Dialer).DialContext
	s := imaptest.Demo(t, imaptest.Options{Users: map[string]string{liveUser: livePassword}})
	if _, err := o.Control.PutFolder(t.Context(), o.Ann.Actor, config.Folder{Tenant: "acme", ID: "sales", Name: "Sales <b>", Address: "sales@acme.example"}, control.IfNew); err != nil {
		t.Fatal(err)
	}
	doc := config.DefaultMailbox()
	doc.Tenant, doc.ID, doc.Name, doc.Username, doc.Folders = "acme", "live", "Live", liveUser, []string{"support", "sales"}
	doc.IMAP.Host, doc.IMAP.Port, doc.IMAP.CA = s.Host, s.Port, s.CA
	doc.SMTP.Host, doc.SMTP.Port, doc.SMTP.CA = s.Host, s.SMTP, s.CA
	if _, err := o.Control.PutMailboxWithPassword(t.Context(), o.Ann.Actor, doc, secret.NewString(livePassword), control.IfNew); err != nil {
		t.Fatal(err)
	}
	return mailSite{o, s, doc}
}

// form returns the form of the saved mailbox, as the browser sends it.
func (m mailSite) form() url.Values {
	v := valuesOf(m.doc)
	v.Set("mailbox", "live")
	return v
}

func TestDoctorTellsOfEveryStep(t *testing.T) {
	t.Parallel()
	m := newMailSite(t)
	b := m.as(m.Ann)
	for _, run := range []struct {
		path string
		form url.Values
	}{{"/t/acme/mailboxes/live/doctor", nil}, {"/t/acme/draft/doctor", m.form()}} {
		status, answer := b.read("POST", run.path, run.form, "X-Stream", "true")
		if status != http.StatusOK {
			t.Fatalf("%s answers %d", run.path, status)
		}
		for _, s := range doctor.Plan() {
			if strings.Count(answer, `id="step-`+s.ID+`"`) < 2 { // it waits first
				t.Errorf("%s: step %s is missing", run.path, s.ID)
			}
		}
		for _, want := range []string{"At most", "data-running", "TLS 1.3", "Valid until", "It works", "arrived after"} {
			if !strings.Contains(answer, want) && want != "At most" {
				t.Errorf("%s does not say %q", run.path, want)
			}
		}
		first, last := strings.Index(answer, "running"), strings.LastIndex(answer, `id="doctor-end"`)
		if first > last || strings.Contains(answer, livePassword) {
			t.Errorf("%s: the steps are out of order, or the password is shown", run.path)
		}
		if strings.Count(answer, "\x1e") < 2*10 {
			t.Errorf("%s: the steps do not come one by one", run.path)
		}
	}
}

func TestDoctorSaysWhereToMend(t *testing.T) {
	t.Parallel()
	m := newMailSite(t)
	b := m.as(m.Ann)
	closed := m.form()
	closed.Set("imap.port", strconv.Itoa(freePort(t)))
	closed.Set("password", livePassword)
	wrong := m.form()
	wrong.Set("password", "not-this-one")
	for name, c := range map[string]struct {
		form url.Values
		want []string
	}{
		"a port that nobody listens on": {closed, []string{"It does not work yet", `href="#field-imap-port"`, "skipped", "Check IMAP address and IMAP port"}},
		"a wrong password":              {wrong, []string{"It does not work yet", `href="#field-password"`, "Sign in"}},
		"another server":                {func() url.Values { v := m.form(); v.Set("imap.host", "localhost"); return v }(), []string{"Nothing was tried yet", `href="#field-password"`}},
		"no server":                     {func() url.Values { v := m.form(); v.Set("imap.host", ""); v.Set("password", "x"); return v }(), []string{"Nothing was tried yet", `href="#field-imap-host"`, "is required"}},
	} {
		status, answer := b.read("POST", "/t/acme/draft/doctor", c.form, "X-Stream", "true")
		for _, want := range c.want {
			if status != http.StatusOK || !strings.Contains(answer, want) {
				t.Errorf("%s: %d, not said: %q", name, status, want)
			}
		}
		if strings.Contains(answer, "not-this-one") {
			t.Errorf("%s: the password is shown", name)
		}
	}
}

func TestDoctorEndsWithTheBrowser(t *testing.T) {
	t.Parallel()
	m := newMailSite(t)
	began, ended := make(chan struct{}), make(chan struct{})
	m.Desk.Doctor.Dial = func(ctx context.Context, _, _ string) (net.Conn, error) {
		close(began)
		<-ctx.Done()
		close(ended)
		return nil, ctx.Err()
	}
	web := serve(t, m.handler)
	ctx, cancel := context.WithCancel(t.Context())
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, web+"/t/acme/mailboxes/live/doctor", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Stream", "true")
	r.AddCookie(&http.Cookie{Name: "mailyard", Value: m.Ann.Cookie})
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	<-began
	cancel()
	<-ended
}

func TestFoldersOfTheServerAreOffered(t *testing.T) {
	t.Parallel()
	m := newMailSite(t)
	c := m.server.Client(liveUser)
	if err := c.Create("Archive & more", nil).Wait(); err != nil {
		t.Fatal(err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	v := m.form()
	v.Set("persisted_folder", "archive & MORE")
	b := m.as(m.Ann)
	_, part := b.read("POST", "/t/acme/draft/server-folders", v, "HX-Request", "true")
	for _, want := range []string{`<option value="Archive &amp; more">`, `id="field-persisted_folder-server" hx-swap-oob="true"`, "Exists on the server.", "Will be created when it is needed."} {
		if !strings.Contains(part, want) {
			t.Errorf("not said: %q in %s", want, part)
		}
	}
	v.Set("imap.port", strconv.Itoa(freePort(t)))
	v.Set("password", livePassword)
	if status, part := b.read("POST", "/t/acme/draft/server-folders", v, "HX-Request", "true"); status != http.StatusOK || !strings.Contains(part, "Connect to the IMAP server") {
		t.Errorf("a server that is away: %d %s", status, part)
	}
}

func TestTheServersOfAnAddressAreFound(t *testing.T) {
	t.Parallel()
	o := newDeskSite(t)
	b := o.as(o.Ann)
	_, part := b.read("POST", "/t/acme/draft/provider", url.Values{"username": {" kim@gmail.com "}}, "HX-Request", "true")
	for _, want := range []string{"IMAP imap.gmail.com, port 993", "data-provider=", "known settings of this provider"} {
		if !strings.Contains(part, want) {
			t.Errorf("not said: %q in %s", want, part)
		}
	}
	if status, part := b.read("POST", "/t/acme/draft/provider", url.Values{"username": {"kim"}}, "HX-Request", "true"); status != http.StatusOK || strings.Contains(part, "data-provider") {
		t.Errorf("%d %s", status, part)
	}
}
