package console

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// serve serves a handler and returns its address.
func serve(t *testing.T, h http.Handler) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

// freePort returns a port that nobody listens on.
func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// deliver puts mails for the folders, for both, and for nobody into the inbox.
func (m mailSite) deliver() {
	for i, to := range []string{"support@acme.example", "support@acme.example, sales@acme.example", "nobody@elsewhere.example", "support@acme.example"} {
		m.server.Deliver(liveUser, fmt.Appendf(nil, "From: Kim <kim@example.org>\r\nTo: %s\r\nSubject: <script>alert(%d)</script>\r\nMessage-ID: <%d@example.org>\r\n\r\nhello\r\n", to, i, i))
	}
}

func TestDryRunSaysWhereMailWouldGoAndTouchesNothing(t *testing.T) {
	t.Parallel()
	m := newMailSite(t)
	m.deliver()
	before := m.server.Mails(liveUser, "INBOX")
	b := m.as(m.Ann)
	for _, run := range []struct {
		path, enable string
		form         url.Values
	}{
		{"/t/acme/draft/dry-run", "Save and enable", m.form()},
		{"/t/acme/mailboxes/live/dry-run", "Enable mailbox", url.Values{"import_since": {"all"}}},
	} {
		status, answer := b.read("POST", run.path, run.form, "X-Stream", "true")
		for _, want := range []string{
			"Nothing was touched", "INBOX holds 4 mails", "all were looked at", "4 mails that are there are imported.", `<strong class="num">2</strong>`, "Support + Sales &lt;b&gt;",
			"unmatched", "No folder", "support@acme.example in To", "Moves to PersistedCCSPItems.", "light", "&lt;script&gt;alert(0)", run.enable,
		} {
			if status != http.StatusOK || !strings.Contains(answer, want) {
				t.Errorf("%s: %d, not said: %q", run.path, status, want)
			}
		}
		if strings.Contains(answer, "<script>") || strings.Contains(answer, livePassword) {
			t.Errorf("%s is not escaped, or shows the password", run.path)
		}
	}
	if diff := cmp.Diff(before, m.server.Mails(liveUser, "INBOX")); diff != "" {
		t.Error(diff)
	}
}

func TestDryRunCountsEveryScope(t *testing.T) {
	t.Parallel()
	m := newMailSite(t)
	m.deliver()
	b := m.as(m.Ann)
	for _, c := range []struct {
		form url.Values
		want []string
	}{
		{url.Values{"import_since": {"new"}}, []string{"4 mails that are there stay untouched.", "Stays untouched.", "new mail only"}},
		{url.Values{"import_since": {"date"}, dateField: {"2020-01-01"}}, []string{"Mail since 2020-01-01", "4 mails are imported, 0 older ones stay untouched."}},
		{url.Values{"import_since": {"date"}}, []string{"Nothing was tried yet", "choose the day"}},
		{url.Values{"import_since": {"<b>"}}, []string{"Nothing was tried yet", "&lt;b&gt;"}},
	} {
		_, answer := b.read("POST", "/t/acme/mailboxes/live/dry-run", c.form, "X-Stream", "true")
		for _, want := range c.want {
			if !strings.Contains(answer, want) {
				t.Errorf("%v: not said: %q", c.form, want)
			}
		}
	}
}

func TestEnableWithTheScopeOfTheDryRun(t *testing.T) {
	t.Parallel()
	m := newMailSite(t)
	b := m.as(m.Ann)
	saved, err := m.Control.GetMailbox(t.Context(), m.Ann.Actor, "acme", "live")
	if err != nil {
		t.Fatal(err)
	}
	form := url.Values{"revision": {m.Revision("acme", saved.Revision-1)}, "import_since": {"new"}}
	if status, _ := b.read("POST", "/t/acme/mailboxes/live/dry-run/enable", form); status != http.StatusPreconditionFailed {
		t.Errorf("a stale revision answers %d", status)
	}
	form.Set("revision", m.Revision("acme", saved.Revision))
	if answer := b.do("POST", "/t/acme/mailboxes/live/dry-run/enable", form); answer.StatusCode != http.StatusSeeOther {
		t.Fatalf("it answers %d", answer.StatusCode)
	}
	after, err := m.Control.GetMailbox(t.Context(), m.Ann.Actor, "acme", "live")
	if err != nil || !after.Document.Enabled || after.Document.ImportSince != "new" || !after.HasPassword {
		t.Errorf("%v, %+v", err, after.Document)
	}
}
