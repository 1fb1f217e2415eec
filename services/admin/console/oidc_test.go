package console

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/mailyard/mailyard/pkg/account/oidc"
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

func TestProviderThatIsAway(t *testing.T) {
	t.Parallel()
	p := newProvider(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) })
	s := newSite(t, func(c *Config) { c.OIDC = p })
	answer := s.browser().do(http.MethodGet, "/oidc", nil)
	if body := text(t, answer); answer.StatusCode != http.StatusServiceUnavailable || !strings.Contains(body, "does not answer") || !strings.Contains(body, `type="password"`) {
		t.Errorf("beginning answers %d: %s", answer.StatusCode, main(body))
	}
}
