package console

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/mailyard/mailyard/pkg/control"
	"github.com/mailyard/mailyard/pkg/mailstore/stores"
	"github.com/mailyard/mailyard/pkg/secret"
)

// hidden returns the value of a hidden field on a page.
func hidden(t testing.TB, body, name string) string {
	t.Helper()
	m := regexp.MustCompile(`name="` + regexp.QuoteMeta(name) + `" value="([^"]*)"`).FindStringSubmatch(body)
	if m == nil {
		t.Fatalf("there is no field %s in %s", name, main(body))
	}
	return m[1]
}

func TestATenantFromCreationToDeletion(t *testing.T) {
	t.Parallel()
	s, o := newOfficeSite(t)
	b := s.as(o.Lena)
	form := url.Values{"id": {"globex"}, "name": {"Globex & Co"}, "messaging_database": {"default"}, "limits.mailboxes": {"1,000"}}
	if made := b.do(http.MethodPost, "/tenants", form); made.Header.Get("Location") != "/t/globex/parameters" {
		t.Fatalf("creating answers %d: %s", made.StatusCode, main(text(t, made)))
	}
	page := text(t, b.do(http.MethodGet, "/t/globex/parameters", nil))
	for _, want := range []string{"Globex &amp; Co", "No key", "no mailbox password of the tenant can be saved", `value="1,000"`} {
		if !strings.Contains(page, want) {
			t.Errorf("the parameters lack %q: %s", want, main(page))
		}
	}

	if made := b.do(http.MethodPost, "/t/globex/key/generate", url.Values{"revision": {hidden(t, page, "revision")}}); made.StatusCode != http.StatusSeeOther {
		t.Fatalf("generating a key answers %d: %s", made.StatusCode, main(text(t, made)))
	}
	page = text(t, b.do(http.MethodGet, "/t/globex/parameters", nil))
	if !strings.Contains(page, "Key set") || strings.Contains(page, "hx-trigger") {
		t.Errorf("with a key the page says %s", main(page))
	}
	if begun := b.do(http.MethodPost, "/t/globex/key/rotate", url.Values{"revision": {hidden(t, page, "revision")}}); begun.StatusCode != http.StatusSeeOther {
		t.Fatalf("rotating answers %d: %s", begun.StatusCode, main(text(t, begun)))
	}
	card := text(t, b.do(http.MethodGet, "/t/globex/key", nil, "HX-Request", "true"))
	if !strings.Contains(card, "Rotation from version 1 to 2") || !strings.Contains(card, `hx-get="/t/globex/key"`) || strings.Contains(card, "<html") {
		t.Errorf("while it rotates the card says %s", card)
	}

	stale := url.Values{"revision": {"1"}, "name": {"Mine"}, "messaging_database": {"default"}}
	answer := b.do(http.MethodPost, "/t/globex/parameters", stale)
	if body := text(t, answer); answer.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(body, "changed in the meantime") || !strings.Contains(body, `value="Mine"`) {
		t.Errorf("a change of something older answers %d: %s", answer.StatusCode, main(body))
	}

	dialog := text(t, b.do(http.MethodGet, "/t/globex/delete", nil, "HX-Request", "true"))
	for _, want := range []string{"0 mailboxes and 0 folders", "key is destroyed", `data-typed="Globex &amp; Co"`} {
		if !strings.Contains(strings.ReplaceAll(dialog, "Key", "key"), want) {
			t.Errorf("the dialog lacks %q: %s", want, dialog)
		}
	}
	confirmed := url.Values{"revision": {hidden(t, dialog, "revision")}, "typed": {"globex & co"}}
	if refused := b.do(http.MethodPost, "/t/globex/delete", confirmed); refused.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("another name answers %d", refused.StatusCode)
	}
	confirmed.Set("typed", " Globex & Co ")
	if done := b.do(http.MethodPost, "/t/globex/delete", confirmed); done.Header.Get("Location") != "/tenants" {
		t.Errorf("deleting answers %d: %s", done.StatusCode, main(text(t, done)))
	}
	if gone := b.do(http.MethodGet, "/t/globex/parameters", nil); gone.StatusCode != http.StatusNotFound {
		t.Errorf("afterwards it answers %d", gone.StatusCode)
	}
}

func TestASuppliedKeyIsNeverShown(t *testing.T) {
	t.Parallel()
	s, o := newOfficeSite(t)
	s.tenant("globex", "Globex")
	b := s.as(o.Lena)
	page := text(t, b.do(http.MethodGet, "/t/globex/parameters", nil))
	for _, key := range []string{"c2hvcnQga2V5IHRoYXQgaXMgbm90IDMyIGJ5dGVz", "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="} {
		answer := b.do(http.MethodPost, "/t/globex/key/supply", url.Values{"revision": {hidden(t, page, "revision")}, "key": {key}})
		body := text(t, answer) + text(t, b.do(http.MethodGet, "/t/globex/parameters", nil)) + text(t, b.do(http.MethodGet, "/t/globex/audit", nil))
		if strings.Contains(body, key) {
			t.Errorf("the key that was supplied is shown: %s", main(body))
		}
	}
	tenant, err := s.control.GetTenant(t.Context(), root, "globex")
	if err != nil || tenant.KeyVersion != 1 {
		t.Errorf("the tenant is %+v, %v", tenant, err)
	}
	for _, entry := range o.Logs.All() {
		if strings.Contains(entry.Message, "MDEyMzQ1") {
			t.Error("the key stands in the log")
		}
	}
}

func TestAudit(t *testing.T) {
	t.Parallel()
	s, o := newOfficeSite(t)
	b := s.as(o.Lena)
	for range 60 {
		doc, err := s.control.GetTenant(t.Context(), root, "acme")
		if err != nil {
			t.Fatal(err)
		}
		doc.Document.Name += "x"
		if _, err := s.control.PutTenant(t.Context(), root, doc.Document, 0); err != nil {
			t.Fatal(err)
		}
	}
	body := text(t, b.do(http.MethodGet, "/t/acme/audit?kind=tenant", nil))
	if n := strings.Count(body, `class="entry"`); n != 50 || strings.Contains(body, "account ") {
		t.Errorf("the first page has %d entries", n)
	}
	if !strings.Contains(body, "<del>Tenant acme") || !strings.Contains(body, "<ins>Tenant acme") {
		t.Errorf("before and after are missing: %s", main(body))
	}
	older := regexp.MustCompile(`href="([^"]*before=[^"]*)"`).FindStringSubmatch(body)
	if older == nil {
		t.Fatal("there is no second page")
	}
	next := text(t, b.do(http.MethodGet, strings.ReplaceAll(older[1], "&amp;", "&"), nil))
	if n := strings.Count(next, `class="entry"`); n == 0 || n >= 50 || !strings.Contains(next, `href="/t/acme/audit?kind=tenant"`) {
		t.Errorf("the second page has %d entries", n)
	}
	for query, some := range map[string]bool{"actor=lena": true, "actor=nobody": false, "until=2001-01-01": false, "since=2001-01-01": true, "since=2999-01-01": false, "id=acme&kind=tenant": true, "kind=token&actor=ann": true} {
		page := text(t, b.do(http.MethodGet, "/audit?"+query, nil))
		if strings.Contains(page, `class="entry"`) != some {
			t.Errorf("%s: entries %v, want %v", query, !some, some)
		}
	}
}

func TestSystemSaysWhatRuns(t *testing.T) {
	t.Parallel()
	s, o := newOfficeSite(t)
	stop, err := o.Conn.Announce(t.Context(), "fetcher", "1.0-older", "fetcher-7")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	page := main(text(t, s.as(o.Lena).do(http.MethodGet, "/system", nil)))
	for _, want := range []string{"fetcher 1 replica fetcher-7 1.0-older differs", "persister Not running", "Lane light Nothing waits", "Dead letters 2"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q: %s", want, page)
		}
	}
}

func TestSystemSaysWhichDatabaseIsAway(t *testing.T) {
	t.Parallel()
	s, o := newOfficeSite(t)
	away, err := stores.Open(t.Context(), map[string]secret.String{"other": secret.NewString("postgres://u:hunter2@127.0.0.1:1/db")}, o.Logger)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := away.Close(); err != nil {
			t.Error(err)
		}
	})
	o.Desk.Stores = away
	page := main(text(t, s.as(o.Lena).do(http.MethodGet, "/system", nil)))
	if !strings.Contains(page, "the messaging database other, which is away since ") || strings.Contains(page, "hunter2") {
		t.Errorf("the page says %s", page)
	}
}

func TestAccountsOfATenant(t *testing.T) {
	t.Parallel()
	s, o := newOfficeSite(t)
	b := s.as(o.Ann)
	list := main(text(t, b.do(http.MethodGet, "/accounts", nil)))
	if !strings.Contains(list, "rita") || strings.Contains(list, "lena") || strings.Contains(list, "rob") {
		t.Errorf("ann sees %s", list)
	}
	for _, other := range []string{"rob", "lena", "nobody"} {
		if answer := b.do(http.MethodGet, "/accounts/at/"+other, nil); answer.StatusCode != http.StatusNotFound {
			t.Errorf("ann asks for %s: %d", other, answer.StatusCode)
		}
	}
	higher := b.do(http.MethodPost, "/accounts", url.Values{"name": {"king"}, "role": {"landlord"}, "tenant": {""}})
	if higher.StatusCode < 400 || higher.StatusCode >= 500 {
		t.Errorf("making a landlord answers %d", higher.StatusCode)
	}
	form := url.Values{"revision": {"1"}, "role": {"reader"}, "disabled": {"true"}}
	page := text(t, b.do(http.MethodGet, "/accounts/at/rita", nil))
	form.Set("revision", hidden(t, page, "revision"))
	if saved := b.do(http.MethodPost, "/accounts/at/rita", form); saved.StatusCode != http.StatusSeeOther {
		t.Fatalf("disabling answers %d: %s", saved.StatusCode, main(text(t, saved)))
	}
	if answer := s.as(o.Rita).do(http.MethodGet, "/account", nil); answer.StatusCode != http.StatusSeeOther {
		t.Errorf("rita's session answers %d", answer.StatusCode)
	}
	rita, err := s.account.Account(t.Context(), root, "rita")
	if err != nil || !rita.Disabled || rita.Tenant != "acme" || rita.Role != control.RoleReader {
		t.Errorf("rita is %+v, %v", rita, err)
	}
}
