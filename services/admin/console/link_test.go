package console

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/mailyard/mailyard/pkg/control"
)

func TestFirstLandlordFollowsTheLink(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	link, err := s.account.NewSetupLink(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	b := s.browser()
	if body := text(t, b.do(http.MethodGet, "/sign-in", nil)); !strings.Contains(body, "There is no account yet") {
		t.Error("the sign-in does not say that there is no account")
	}
	if body := text(t, b.do(http.MethodGet, "/link", nil)); !strings.Contains(body, "data-hash") {
		t.Error("the page does not take the token from the address")
	}
	opened := b.do(http.MethodPost, "/link/open", url.Values{"token": {link.Token.Reveal()}})
	if c := b.cookies["mailyard-link"]; opened.Header.Get("Location") != "/link" || c == nil || !c.HttpOnly || c.MaxAge > 3600 {
		t.Fatalf("opening leads to %q with %v", opened.Header.Get("Location"), c)
	}
	if body := text(t, b.do(http.MethodGet, "/link", nil)); !strings.Contains(body, "landlord&#39;s account") || strings.Contains(body, link.Token.Reveal()) {
		t.Errorf("the page is %s", body)
	}
	short := b.do(http.MethodPost, "/link", credentials("lena", "short"))
	if body := text(t, short); short.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(body, `id="field-password-problem"`) || !strings.Contains(body, `value="lena"`) {
		t.Errorf("a short password answers %d: %s", short.StatusCode, body)
	}
	done := b.do(http.MethodPost, "/link", credentials("lena", passwordText))
	if done.Header.Get("Location") != "/" || b.cookies["mailyard"] == nil || b.cookies["mailyard-link"] != nil {
		t.Fatalf("the account is made: %d to %q", done.StatusCode, done.Header.Get("Location"))
	}
	if home := b.do(http.MethodGet, "/", nil); home.Header.Get("Location") != "/tenants" {
		t.Errorf("the landlord without tenants is led to %q", home.Header.Get("Location"))
	}
	if again := s.browser().do(http.MethodPost, "/link/open", url.Values{"token": {link.Token.Reveal()}}); again.StatusCode != http.StatusGone {
		t.Errorf("the link answers %d the second time", again.StatusCode)
	}
}

func TestInvitation(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	lena := s.landlordBrowser()
	s.tenant("acme", "Acme")
	made := lena.do(http.MethodPost, "/accounts", url.Values{"name": {"ann@acme.example"}, "role": {"tenant-admin"}, "tenant": {"acme"}})
	body := text(t, made)
	_, token, found := strings.Cut(body, "http://127.0.0.1:8420/link#")
	if made.StatusCode != http.StatusOK || !found {
		t.Fatalf("creating an account answers %d: %s", made.StatusCode, body)
	}
	token, _, _ = strings.Cut(token, "<")
	if strings.Contains(text(t, lena.do(http.MethodGet, "/accounts/at/ann@acme.example", nil)), token) {
		t.Error("the link is shown again")
	}
	ann := s.browser()
	ann.do(http.MethodPost, "/link/open", url.Values{"token": {token}})
	if done := ann.do(http.MethodPost, "/link", url.Values{"password": {passwordText}}); done.StatusCode != http.StatusSeeOther {
		t.Fatalf("setting the password answers %d: %s", done.StatusCode, text(t, done))
	}
	if home := ann.do(http.MethodGet, "/", nil); home.Header.Get("Location") != "/t/acme/mailboxes" {
		t.Errorf("ann is led to %q", home.Header.Get("Location"))
	}
	accounts, err := s.account.Accounts(t.Context(), root)
	if err != nil || len(accounts) != 2 || accounts[0].Role != control.RoleTenantAdmin {
		t.Errorf("accounts are %v, %v", accounts, err)
	}
}

func TestNewPasswordEndsOtherSessions(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	here := s.landlordBrowser()
	there := s.browser()
	there.do(http.MethodPost, "/sign-in", credentials("lena", passwordText))
	wrong := here.do(http.MethodPost, "/account/password", url.Values{"current": {"wrong"}, "password": {passwordText + " anew"}})
	if body := text(t, wrong); wrong.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(body, `id="field-current-problem"`) {
		t.Errorf("a wrong current password answers %d", wrong.StatusCode)
	}
	if done := here.do(http.MethodPost, "/account/password", url.Values{"current": {passwordText}, "password": {passwordText + " anew"}}); done.StatusCode != http.StatusSeeOther {
		t.Fatalf("changing the password answers %d: %s", done.StatusCode, text(t, done))
	}
	if page := here.do(http.MethodGet, "/account", nil); page.StatusCode != http.StatusOK {
		t.Errorf("this session answers %d", page.StatusCode)
	}
	if page := there.do(http.MethodGet, "/account", nil); page.StatusCode != http.StatusSeeOther {
		t.Errorf("the other session answers %d", page.StatusCode)
	}
}

func TestTokenIsShownOnce(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.landlordBrowser()
	made := b.do(http.MethodPost, "/account/tokens", url.Values{"name": {"backup"}, "role": {"reader"}, "days": {"30"}})
	body := text(t, made)
	_, token, found := strings.Cut(body, "<code>myd_")
	if made.StatusCode != http.StatusOK || !found {
		t.Fatalf("creating answers %d: %s", made.StatusCode, body)
	}
	token, _, _ = strings.Cut("myd_"+token, "<")
	if _, err := s.account.Token(t.Context(), token, "192.0.2.7"); err != nil {
		t.Fatalf("the token does not work: %v", err)
	}
	page := text(t, b.do(http.MethodGet, "/account", nil))
	if strings.Contains(page, token) || !strings.Contains(page, "backup") {
		t.Error("the list does not hold the token's name alone")
	}
	for _, bad := range []url.Values{{"name": {"Not a slug"}, "role": {"reader"}, "days": {"30"}}, {"name": {"x"}, "role": {"reader"}, "days": {"9999"}}, {"name": {"x"}, "role": {"king"}, "days": {"7"}}} {
		if answer := b.do(http.MethodPost, "/account/tokens", bad); answer.StatusCode != http.StatusUnprocessableEntity {
			t.Errorf("%v answers %d", bad, answer.StatusCode)
		}
	}
	tokens, err := s.account.Tokens(t.Context(), root, "lena")
	if err != nil || len(tokens) != 1 {
		t.Fatalf("tokens are %v, %v", tokens, err)
	}
	if answer := b.do(http.MethodPost, "/account/tokens/revoke", url.Values{"id": {tokens[0].ID}}); answer.StatusCode != http.StatusSeeOther {
		t.Errorf("revoking answers %d", answer.StatusCode)
	}
	if _, err := s.account.Token(t.Context(), token, "192.0.2.7"); err == nil {
		t.Error("the revoked token works")
	}
}
