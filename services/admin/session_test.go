package admin_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/mailyard/mailyard/services/admin/admintest"
	"github.com/mailyard/mailyard/services/admin/console"
	"github.com/mailyard/mailyard/services/admin/rest"
)

// Who has signed in to the console may open REST's links there, whether browsers
// come by https or not: the two doors must mean the same cookie.
func TestTheSessionOfTheConsoleOpensREST(t *testing.T) {
	t.Parallel()
	o := admintest.New(t)
	for _, public := range []string{"", "https://mail.example.org"} {
		pages, err := console.New(console.Config{Desk: o.Desk, Accounts: o.Accounts, URL: public, Logger: o.Logger})
		if err != nil {
			t.Fatal(err)
		}
		api, err := rest.New(rest.Config{Desk: o.Desk, Accounts: o.Accounts, URL: public, Logger: o.Logger})
		if err != nil {
			t.Fatal(err)
		}
		base := "http://127.0.0.1:8420"
		if public != "" {
			base = public
		}
		form := url.Values{"name": {o.Ann.Name}, "password": {admintest.Password}}
		signIn := httptest.NewRequest(http.MethodPost, base+"/sign-in", strings.NewReader(form.Encode()))
		signIn.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		signedIn := httptest.NewRecorder()
		pages.ServeHTTP(signedIn, signIn)
		self := func(cookies []*http.Cookie) *httptest.ResponseRecorder {
			r := httptest.NewRequest(http.MethodGet, base+"/api/v1/self", nil)
			for _, c := range cookies {
				r.AddCookie(c)
			}
			w := httptest.NewRecorder()
			api.ServeHTTP(w, r)
			return w
		}
		if got := self(nil); got.Code != http.StatusUnauthorized {
			t.Errorf("at %s REST answers %d to nobody", base, got.Code)
		}
		if got := self(signedIn.Result().Cookies()); got.Code != http.StatusOK || !strings.Contains(got.Body.String(), `"ann"`) {
			t.Errorf("at %s REST answers %d to who has signed in (%d): %s", base, got.Code, signedIn.Code, got.Body)
		}
	}
}
