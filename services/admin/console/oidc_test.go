package console

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/mailyard/mailyard/pkg/account"
	"github.com/mailyard/mailyard/pkg/account/oidc"
	"github.com/mailyard/mailyard/pkg/account/oidc/oidctest"
	"github.com/mailyard/mailyard/pkg/control"
)

// newProvider returns a provider whose endpoints are as discover says.
func newProvider(t *testing.T, discover http.HandlerFunc) *oidc.Provider {
	t.Helper()
	server := httptest.NewServer(discover)
	t.Cleanup(server.Close)
	p, err := oidc.New(oidc.Options{
		Issuer: server.URL, ClientID: "mailyard", RedirectURL: "http://127.0.0.1:8420" + CallbackPath, Name: "Example",
		RoleClaim: "roles", Landlord: []string{"admin"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestSignInElsewhereBegins(t *testing.T) {
	t.Parallel()
	var issuer string
	p := newProvider(t, func(w http.ResponseWriter, r *http.Request) {
		issuer = "http://" + r.Host
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"issuer":"` + issuer + `","authorization_endpoint":"` + issuer + `/auth","token_endpoint":"` + issuer + `/token","jwks_uri":"` + issuer + `/keys","id_token_signing_alg_values_supported":["RS256"],"code_challenge_methods_supported":["S256"]}`))
	})
	s := newSite(t, func(c *Config) { c.OIDC, c.OIDCName = p, "Example" })
	s.landlordBrowser()
	b := s.browser()
	if body := text(t, b.do(http.MethodGet, "/sign-in?next=/accounts", nil)); !strings.Contains(body, `href="/oidc?next=%2faccounts"`) || !strings.Contains(body, "Sign in with Example") {
		t.Errorf("the sign-in is %s", main(body))
	}
	begun := b.do(http.MethodGet, "/oidc?next=/accounts", nil)
	to := begun.Header.Get("Location")
	if begun.StatusCode != http.StatusSeeOther || !strings.HasPrefix(to, issuer+"/auth?") || !strings.Contains(to, "code_challenge=") {
		t.Fatalf("beginning answers %d to %q", begun.StatusCode, to)
	}
	if c := b.cookies["mailyard-oidc"]; c == nil || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode {
		t.Errorf("the cookie is %v", c)
	}
	forged := b.do(http.MethodGet, CallbackPath+"?code=x&state=forged", nil)
	if body := text(t, forged); forged.StatusCode != http.StatusBadRequest || !strings.Contains(body, "begin again") || b.cookies["mailyard"] != nil {
		t.Errorf("a forged answer gets %d: %s", forged.StatusCode, main(body))
	}
	if b.cookies["mailyard-oidc"] != nil {
		t.Error("the cookie of the flow stays")
	}
}

// elsewhere signs in at the company and follows its answer back.
func (b *browser) elsewhere(company *oidctest.Company, next string) *http.Response {
	b.t.Helper()
	begun := b.do(http.MethodGet, "/oidc?next="+next, nil)
	if begun.StatusCode != http.StatusSeeOther {
		b.t.Fatalf("beginning answers %d", begun.StatusCode)
	}
	return b.do(http.MethodGet, CallbackPath+"?"+company.Authorize(begun.Header.Get("Location")).Encode(), nil)
}

func newCompany(t *testing.T) *oidctest.Company {
	t.Helper()
	company := oidctest.New(t, time.Now)
	company.Redirect = "http://127.0.0.1:8420" + CallbackPath
	return company
}

func TestSignInElsewhereEndsInASession(t *testing.T) {
	t.Parallel()
	company := newCompany(t)
	s := newSite(t, func(c *Config) { c.OIDC, c.OIDCName = company.Provider(), "Example" })
	s.landlordBrowser()
	s.tenant("acme", "Acme")
	s.tenant("rival", "Rival")
	b := s.browser()
	const next = "/accounts"
	done := b.elsewhere(company, next)
	if done.StatusCode != http.StatusSeeOther || done.Header.Get("Location") != next {
		t.Fatalf("it ends with %d to %q: %s", done.StatusCode, done.Header.Get("Location"), main(text(t, done)))
	}
	if c := b.cookies["mailyard"]; c == nil || !c.HttpOnly || b.cookies["mailyard-oidc"] != nil || b.cookies["mailyard-next"] != nil {
		t.Errorf("the cookies are %v", b.cookies)
	}
	// Role and tenant are those of the claims.
	jane, err := s.account.Account(t.Context(), root, "jane")
	if err != nil || jane.Role != control.RoleTenantAdmin || jane.Tenant != "acme" || jane.DisplayName != "Jane Doe" || jane.Issuer != company.URL() || jane.HasPassword {
		t.Errorf("the account is %+v, %v", jane, err)
	}
	for path, want := range map[string]int{next: http.StatusOK, "/t/rival/mailboxes": http.StatusNotFound, "/tenants/new": http.StatusNotFound} {
		if got := b.do(http.MethodGet, path, nil); got.StatusCode != want {
			t.Errorf("%s answers %d; want %d", path, got.StatusCode, want)
		}
	}
	// The next time they are those of the claims then.
	company.Claims["groups"] = "mail-readers"
	if done := s.browser().elsewhere(company, next); done.StatusCode != http.StatusSeeOther {
		t.Errorf("as a reader it ends with %d: %s", done.StatusCode, main(text(t, done)))
	}
	if jane, err := s.account.Account(t.Context(), root, "jane"); err != nil || jane.Role != control.RoleReader || jane.Tenant != "acme" {
		t.Errorf("the account is %+v, %v", jane, err)
	}
	if got := b.do(http.MethodGet, next, nil); got.StatusCode != http.StatusSeeOther {
		t.Errorf("the session of the former role answers %d", got.StatusCode)
	}
}

func TestSignInElsewhereIsRefused(t *testing.T) {
	t.Parallel()
	company := newCompany(t)
	s := newSite(t, func(c *Config) { c.OIDC, c.OIDCName = company.Provider(), "Example" })
	s.landlordBrowser()
	s.tenant("acme", "Acme")
	for what, c := range map[string]struct {
		claims map[string]any
		want   string
	}{
		"no role":              {map[string]any{"groups": []string{"staff"}, "tenant": "acme"}, "gives you no role in mailyard"},
		"no tenant":            {map[string]any{"groups": []string{"mail-admins"}}, "gives you no tenant"},
		"a tenant that is not": {map[string]any{"groups": []string{"mail-admins"}, "tenant": "nowhere"}, "there is no tenant nowhere"},
	} {
		company.Claims = c.claims
		b := s.browser()
		answer := b.elsewhere(company, "/")
		if body := text(t, answer); answer.StatusCode != http.StatusForbidden || !strings.Contains(body, c.want) || b.cookies["mailyard"] != nil {
			t.Errorf("%s: %d: %s", what, answer.StatusCode, main(body))
		}
	}
	if list, err := s.account.Accounts(t.Context(), root); err != nil || len(list) != 1 {
		t.Errorf("accounts were made: %+v, %v", list, err)
	}
	audit, err := s.control.Audit(t.Context(), root, control.AuditQuery{Kind: account.KindSession, Limit: 3})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range audit {
		if e.Change != account.ChangeRefused {
			t.Errorf("the audit tells %+v", e)
		}
	}
}

func TestProviderThatIsAway(t *testing.T) {
	t.Parallel()
	p := newProvider(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) })
	s := newSite(t, func(c *Config) { c.OIDC = p })
	answer := s.browser().do(http.MethodGet, "/oidc", nil)
	if body := text(t, answer); answer.StatusCode != http.StatusServiceUnavailable || !strings.Contains(body, "does not answer") || !strings.Contains(body, `type="password"`) {
		t.Errorf("beginning answers %d: %s", answer.StatusCode, main(body))
	}
}
