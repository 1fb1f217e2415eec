package console

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/mailyard/mailyard/pkg/account"
	"github.com/mailyard/mailyard/pkg/control"
	"github.com/mailyard/mailyard/services/admin/admintest"
)

// hostile would run, or break out of where it stands, if it were not escaped.
const hostile = `</title></textarea>"'><script>alert(1)</script><img src=x onerror=alert(1)>{{.}}`

func newOfficeSite(t testing.TB) (*site, *admintest.Office) {
	t.Helper()
	o := admintest.New(t)
	con, err := newConsole(Config{Desk: o.Desk, Accounts: o.Accounts, Version: "test", Logger: o.Logger})
	if err != nil {
		t.Fatal(err)
	}
	return &site{t: t, console: con, handler: con.protect(con.mux()), control: o.Control, account: o.Accounts}, o
}

// as is a browser in which somebody is signed in.
func (s *site) as(p admintest.Person) *browser {
	b := s.browser()
	b.cookies["mailyard"] = &http.Cookie{Name: "mailyard", Value: p.Cookie}
	return b
}

// breach finds what an escaped page never has.
var breach = regexp.MustCompile(`<script>|<img|onerror=alert\(1\)>|style=`)

func checkPage(t *testing.T, what string, answer *http.Response) {
	t.Helper()
	body := text(t, answer)
	if found := breach.FindString(body); found != "" {
		at := strings.Index(body, found)
		t.Errorf("%s holds %q: …%s…", what, found, body[max(at-100, 0):min(at+100, len(body))])
	}
	if answer.StatusCode >= http.StatusInternalServerError {
		t.Errorf("%s answers %d: %s", what, answer.StatusCode, main(body))
	}
}

func TestWhatPeopleTypeIsText(t *testing.T) {
	t.Parallel()
	s, o := newOfficeSite(t)
	b := s.as(o.Lena)
	s.tenant("evil", hostile)
	if _, err := o.Accounts.PutAccount(t.Context(), o.Lena.Actor, account.Document{Name: "eve", DisplayName: hostile, Role: control.RoleLandlord}, control.IfNew); err != nil {
		t.Fatal(err)
	}
	pages := regexp.MustCompile(`\{[^}]*\}`)
	escaped := url.PathEscape(hostile)
	for _, r := range s.console.routes() {
		method, path, _ := strings.Cut(r.pattern, " ")
		for _, id := range []string{"evil", escaped} {
			path := strings.ReplaceAll(strings.ReplaceAll(path, "{tenant}", "evil"), "{account}", "eve")
			path = pages.ReplaceAllString(strings.TrimSuffix(path, "{$}"), id)
			if method == http.MethodGet {
				query := url.Values{}
				for _, name := range []string{"q", "sort", "cursor", "status", "kind", "id", "actor", "since", "before", "next", "search", "folder", "host", "address"} {
					query.Set(name, hostile)
				}
				checkPage(t, "GET "+path, b.do(http.MethodGet, path, nil))
				checkPage(t, "GET "+path+" with a query", b.do(http.MethodGet, path+"?"+query.Encode(), nil))
				checkPage(t, "GET "+path+" for htmx", b.do(http.MethodGet, path+"?"+query.Encode(), nil, "HX-Request", "true"))
				continue
			}
			if path == "/sign-out" || strings.HasSuffix(path, "/delete") {
				continue
			}
			form := url.Values{}
			for _, name := range []string{"name", "id", "display_name", "role", "tenant", "messaging_database", "limits.mailboxes", "revision", "key", "days", "typed", "address", "description", "username", "imap.host", "imap.port", "max_email_bytes", "folders", "text", "mailbox", "token", "password", "current"} {
				form.Set(name, hostile)
			}
			checkPage(t, "POST "+path, b.do(http.MethodPost, path, form))
		}
	}
}

// What is another tenant's answers like what does not exist.
func TestOtherTenantsDoNotExist(t *testing.T) {
	t.Parallel()
	s, o := newOfficeSite(t)
	ids := regexp.MustCompile(`\{[^}]*\}`)
	for _, who := range []admintest.Person{o.Rob, o.Ann} {
		other := o.Acme
		if who.Name == o.Ann.Name {
			other = o.Rival
		}
		b := s.as(who)
		for _, r := range s.console.routes() {
			method, path, _ := strings.Cut(r.pattern, " ")
			if !strings.HasPrefix(path, "/t/{tenant}") {
				continue
			}
			ask := func(tenant string) (int, string) {
				path := strings.ReplaceAll(path, "{tenant}", tenant)
				path = strings.ReplaceAll(strings.ReplaceAll(path, "{mailbox}", other.Mailbox), "{folder}", other.Folder)
				answer := b.do(method, ids.ReplaceAllString(path, "1"), nil)
				return answer.StatusCode, strings.ReplaceAll(main(text(t, answer)), tenant, "*")
			}
			status, body := ask(other.Tenant)
			nowhere, nothing := ask("nowhere")
			if status != http.StatusNotFound || nowhere != status || body != nothing {
				t.Errorf("%s asks %s: %d %q of another tenant, %d %q of none", who.Name, r.pattern, status, body, nowhere, nothing)
			}
		}
	}
}

func TestReadersChangeNothing(t *testing.T) {
	t.Parallel()
	s, o := newOfficeSite(t)
	b := s.as(o.Rita)
	for _, path := range []string{"/tenants", "/accounts", "/system", "/audit", "/t/acme/parameters", "/accounts/at/rita"} {
		if answer := b.do(http.MethodGet, path, nil); answer.StatusCode != http.StatusNotFound {
			t.Errorf("GET %s answers %d to a reader of one tenant", path, answer.StatusCode)
		}
	}
	body := text(t, b.do(http.MethodGet, "/t/acme/audit", nil))
	for _, absent := range []string{`href="/tenants"`, `href="/accounts"`, `href="/system"`, "Switch tenant", o.Rival.Tenant} {
		if strings.Contains(body, absent) {
			t.Errorf("a reader's page holds %q", absent)
		}
	}
}
