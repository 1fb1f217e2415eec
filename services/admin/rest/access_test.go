package rest_test

import (
	"cmp"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mailyard/mailyard/services/admin/admintest"
	"github.com/mailyard/mailyard/services/admin/operation"
	"github.com/mailyard/mailyard/services/admin/rest"
)

// perform asks for an operation with the ids of a tenant.
func (d *desk) perform(token string, o operation.Operation, ids admintest.Ids, who admintest.Person) answer {
	d.t.Helper()
	path := d.Path(o, ids, who)
	if o.Name == "doctor.recognise" {
		path += "?address=info@acme.example"
	}
	var headers []header
	if _, ok := o.Input.FieldByName("IfMatch"); ok {
		headers = append(headers, header{"If-Match", "*"})
	}
	return d.ask(token, o.Method, path, admintest.Body(o, ids), headers...)
}

func TestEveryOperationIsReached(t *testing.T) {
	t.Parallel()
	shared := open(t)
	want := map[string]int{
		"tenant.generate-key": http.StatusConflict,            // it has one
		"tenant.supply-key":   http.StatusConflict,            // likewise
		"doctor.dry-run":      http.StatusUnprocessableEntity, // no mail server
		"doctor.folders":      http.StatusUnprocessableEntity, // likewise
		"token.create":        http.StatusForbidden,           // API tokens make no API tokens
	}
	all := operation.All()
	slices.Reverse(all) // folders are deleted after the mailboxes that use them
	slices.SortStableFunc(all, func(a, b operation.Operation) int {
		return cmp.Compare(b.Method, a.Method) // DELETE last: what is gone would be missed
	})
	i := slices.IndexFunc(all, func(o operation.Operation) bool { return o.Name == "tenant.delete" })
	all = append(slices.Delete(slices.Clone(all), i, i+1), all[i])
	for _, o := range all {
		d := shared
		if o.Name == "dead.replay" {
			d = open(t) // what it takes is dropped by another one
		}
		token := d.Lena.Token
		if managesAccounts[o.Name] && o.Name != "token.create" {
			token = operator // API tokens may not
		}
		a := d.perform(token, o, d.Acme, d.Ann)
		if a.is(cmp.Or(want[o.Name], o.Status)); t.Failed() {
			t.Fatalf("%s did not go well", o.Name)
		}
		if a.status < 400 && !o.Bytes && a.header.Get("Content-Type") != "application/json" {
			t.Errorf("%s answers with %s", o.Name, a.header.Get("Content-Type"))
		}
		if _, ok := a.header["Etag"]; ok != (a.status < 400 && o.Output.Implements(reflect.TypeFor[operation.Revised]())) {
			t.Errorf("%s: ETag: %v", o.Name, a.header["Etag"])
		}
	}
}

// managesAccounts are the operations that are for people who have signed in, and
// for the operator, but not for API tokens.
var managesAccounts = map[string]bool{
	"account.put": true, "account.delete": true, "account.invite": true, "session.revoke": true, "token.create": true, "token.revoke": true,
}

// Whoever finds an API token, also a landlord's, must not get an account by it.
func TestTokensDoNotTakeAccountsOver(t *testing.T) {
	t.Parallel()
	d := open(t)
	for _, who := range []admintest.Person{d.Lena, d.Ann} {
		for _, victim := range []admintest.Person{d.Lena, d.Ann, d.Rita} {
			if victim.Name == who.Name {
				victim.ID = d.Rob.ID // it may revoke itself
			}
			for _, o := range operation.All() {
				if !managesAccounts[o.Name] {
					continue
				}
				if p := d.perform(who.Token, o, d.Acme, victim).problem(http.StatusForbidden); !strings.Contains(p.Detail, "API tokens do not manage accounts; sign in to do that") {
					t.Errorf("%s of %s by the token of %s: %s", o.Name, victim.Name, who.Name, p.Detail)
				}
			}
		}
	}
	for _, o := range operation.All() {
		if strings.HasPrefix(o.Name, "account.") || strings.HasPrefix(o.Name, "session.") || strings.HasPrefix(o.Name, "token.") {
			if o.Method != http.MethodGet && !managesAccounts[o.Name] {
				t.Errorf("%s is not tested", o.Name)
			}
		}
	}
	// A landlord who is locked out gets in again by the host's own token.
	d.ask(operator, http.MethodPost, "/accounts/lena/link", nil).is(http.StatusOK)
	// A token gives itself up.
	d.ask(d.Ann.Token, http.MethodDelete, "/tokens/"+d.Ann.ID, nil).is(http.StatusOK)
	d.ask(d.Ann.Token, http.MethodGet, "/self", nil).problem(http.StatusUnauthorized)
}

func TestNobodyGetsIn(t *testing.T) {
	t.Parallel()
	d := open(t)
	revoked, id := d.NewToken(d.Lena, "lost", time.Now().Add(time.Hour))
	if err := d.Accounts.RevokeToken(t.Context(), d.Lena.Actor, id); err != nil {
		t.Fatal(err)
	}
	tokens := map[string]string{"no token": "", "an expired token": d.ExpiredToken(d.Lena), "a revoked token": revoked, "a wrong token": d.Lena.Token[:30] + d.Ann.Token[30:], "a cookie as token": d.Lena.Cookie}
	for what, token := range tokens {
		for _, o := range operation.All() {
			a := d.perform(token, o, d.Acme, d.Ann)
			a.problem(http.StatusUnauthorized)
			if got := a.header.Get("WWW-Authenticate"); !strings.HasPrefix(got, `Bearer realm="mailyard"`) || strings.Contains(got, "invalid_token") != (token != "") {
				t.Errorf("%s with %s: WWW-Authenticate: %s", o.Name, what, got)
			}
		}
	}
	d.ask("", "GET", "/tenants", nil, header{"Authorization", "Basic bGVuYTpwYXNz"}).problem(http.StatusUnauthorized)
}

func TestReaderChangesNothing(t *testing.T) {
	t.Parallel()
	d := open(t)
	for _, o := range operation.All() {
		a := d.perform(d.Rita.Token, o, d.Acme, d.Ann)
		switch {
		case o.Access == operation.AccessRead, o.Name == "tenant.list", o.Name == "account.list", o.Name == "account.self", o.Name == "audit.list":
			a.is(http.StatusOK)
		case o.Access == operation.AccessSignedIn:
			if a.status != http.StatusForbidden && a.status != http.StatusNotFound {
				t.Errorf("%s: %d %s", o.Name, a.status, a.body)
			}
		default:
			a.problem(http.StatusForbidden)
		}
	}
}

// To the people of one tenant the other does not exist: what is there is
// answered as what is not.
func TestAnotherTenantDoesNotExist(t *testing.T) {
	t.Parallel()
	d := open(t)
	nobody := d.Acme
	nobody.Tenant = "nobody"
	unknown := admintest.Ids{Tenant: "rival", Folder: "unknown", Mailbox: "unknown", Mail: "2ap4ljqqsc5pvbqnxc7fjahcey", Dead: "w2n4qfxk7sgd3pzyb5lmhcvtae"}
	theirs := d.Acme
	theirs.Tenant = "rival"
	stranger := admintest.Person{Name: "stranger", ID: "abcdefghijklmnop", Session: "abcdefghijklmnop"}
	blank := func(a answer, ids admintest.Ids, who admintest.Person) string {
		text := string(a.body)
		for _, id := range []string{ids.Mail, ids.Dead, ids.Mailbox, ids.Folder, ids.Tenant, who.Name, who.ID, who.Session} {
			text = strings.ReplaceAll(text, id, "…")
		}
		return strings.ReplaceAll(text, d.Acme.Mail, "…")
	}
	for _, o := range operation.All() {
		if o.Name == "account.put" { // names are unique over all tenants
			continue
		}
		// The tenant of others, and one that there is not.
		a, b := d.perform(d.Rob.Token, o, d.Acme, d.Ann), d.perform(d.Rob.Token, o, nobody, stranger)
		if a.status != b.status || blank(a, d.Acme, d.Ann) != blank(b, nobody, stranger) {
			t.Errorf("%s: %d %s\nbut of nothing: %d %s", o.Name, a.status, a.body, b.status, b.body)
		}
		if strings.Contains(o.Path, "{tenant}") && a.status != http.StatusNotFound {
			t.Errorf("%s of another tenant: %d %s", o.Name, a.status, a.body)
		}
		// What others have, asked for in the own tenant.
		if strings.Count(o.Path, "{") < 2 || strings.HasSuffix(o.Name, ".put") || strings.HasPrefix(o.Name, "mailbox.check") {
			continue
		}
		a, b = d.perform(d.Rob.Token, o, theirs, d.Ann), d.perform(d.Rob.Token, o, unknown, stranger)
		if a.status != b.status || blank(a, theirs, d.Ann) != blank(b, unknown, stranger) {
			t.Errorf("%s in the own tenant: %d %s\nbut of nothing: %d %s", o.Name, a.status, a.body, b.status, b.body)
		}
	}
	if got := string(d.ask(d.Rob.Token, "GET", "/tenants", nil).body); strings.Contains(got, "acme") {
		t.Errorf("the list of tenants: %s", got)
	}
	if got := string(d.ask(d.Rob.Token, "GET", "/audit", nil).body); strings.Contains(got, "acme") {
		t.Errorf("the audit: %s", got)
	}
}

// If-Match: * is for what is there (RFC 9110, section 13.1.1).
func TestAnyRevisionMakesNothingNew(t *testing.T) {
	t.Parallel()
	d := open(t)
	overwrite := header{"If-Match", "*"}
	fresh, there := d.Acme, d.Acme
	fresh.Folder, fresh.Mailbox = "fresh", "fresh"
	for _, o := range operation.All() {
		if o.Method != http.MethodPut || !strings.HasSuffix(o.Name, ".put") {
			continue
		}
		if o.Name == "tenant.put" {
			fresh.Tenant = "fresh"
		}
		path := d.Path(o, fresh, admintest.Person{Name: "fresh"})
		fresh.Tenant = d.Acme.Tenant
		d.ask(operator, http.MethodPut, path, admintest.Body(o, d.Acme), overwrite).problem(http.StatusPreconditionFailed)
		d.ask(operator, http.MethodGet, path, nil).problem(http.StatusNotFound)
		d.ask(operator, http.MethodPut, d.Path(o, there, d.Ann), admintest.Body(o, d.Acme), overwrite).is(http.StatusOK)
	}
}

func TestTrustedProxySaysWhoAsks(t *testing.T) {
	t.Parallel()
	for want, trusted := range map[string]string{"203.0.113.5": "10.244.0.0/16", "10.244.0.9": "10.99.0.0/16"} {
		d := open(t)
		h, err := rest.New(rest.Config{Desk: d.Desk, Accounts: d.Accounts, URL: "https://mail.example.org", TrustedProxies: []netip.Prefix{netip.MustParsePrefix(trusted)}, Logger: d.Logger})
		if err != nil {
			t.Fatal(err)
		}
		d.handler = h
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "https://mail.example.org"+rest.Prefix+"/self", nil)
		r.Header.Set("Authorization", "Bearer "+d.Ann.Token)
		r.Header.Set("X-Forwarded-For", "198.51.100.66, 203.0.113.5")
		r.RemoteAddr = "10.244.0.9:40000"
		d.send(r).is(http.StatusOK)
		list, err := d.Accounts.Tokens(t.Context(), d.Ann.Actor, "ann")
		if err != nil || len(list) != 1 || list[0].UsedFrom != want {
			t.Errorf("used from %+v, %v; want %s", list, err, want)
		}
	}
}

func TestConsoleSessionIsForItsOwnPages(t *testing.T) {
	t.Parallel()
	d := open(t)
	ask := func(method, path, cookie string, headers ...header) answer {
		r := httptest.NewRequestWithContext(t.Context(), method, "http://mail.example.org"+rest.Prefix+path, nil)
		r.AddCookie(&http.Cookie{Name: cookie, Value: d.Ann.Cookie})
		for _, h := range headers {
			r.Header.Set(h.name, h.value)
		}
		return d.send(r)
	}
	ask("GET", "/tenants/acme", "mailyard").is(http.StatusOK)
	ask("GET", "/tenants/acme", "other").problem(http.StatusUnauthorized)
	disable := "/tenants/acme/mailboxes/info/disable"
	ask("POST", disable, "mailyard", header{"Sec-Fetch-Site", "same-origin"}).is(http.StatusOK)
	ask("POST", disable, "mailyard", header{"Sec-Fetch-Site", "cross-site"}).problem(http.StatusForbidden)
	ask("POST", disable, "mailyard", header{"Origin", "https://evil.example"}).problem(http.StatusForbidden)

	secure, err := rest.New(rest.Config{Desk: d.Desk, Accounts: d.Accounts, URL: "https://mail.example.org", Logger: d.Logger})
	if err != nil {
		t.Fatal(err)
	}
	d.handler = secure
	ask("GET", "/tenants/acme", "mailyard").problem(http.StatusUnauthorized)
	ask("GET", "/tenants/acme", "__Host-mailyard").is(http.StatusOK)
}
