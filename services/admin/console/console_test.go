package console

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"go.uber.org/zap/zaptest"

	"github.com/mailyard/mailyard/pkg/account"
	"github.com/mailyard/mailyard/pkg/config"
	"github.com/mailyard/mailyard/pkg/control"
	"github.com/mailyard/mailyard/pkg/secret"
	"github.com/mailyard/mailyard/services/admin/operation"
)

// passwordText is everybody's password.
const passwordText = "correct horse battery staple"

// newConsole makes a console. Parsing the templates takes long, and they are
// the same for all.
func newConsole(c Config) (*console, error) {
	l, err := testLook()
	if err != nil {
		return nil, err
	}
	return build(c, l)
}

var testLook = sync.OnceValues(loadLook)

// A site is a console with its databases.
type site struct {
	t       testing.TB
	console *console
	handler http.Handler
	control *control.Store
	account *account.Store
}

func newSite(t testing.TB, change ...func(*Config)) *site {
	t.Helper()
	master, err := secret.GenerateMasterKey()
	if err != nil {
		t.Fatal(err)
	}
	store, err := control.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "control.db"), zaptest.NewLogger(t), control.WithMasterKey(master))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	accounts := account.New(store, account.Options{Cost: account.Cost{Memory: 64, Passes: 1, Threads: 1}})
	c := Config{Desk: &operation.Desk{Control: store, Accounts: accounts, Databases: []string{"default"}, Logger: zaptest.NewLogger(t)}, Accounts: accounts, Version: "test", Logger: zaptest.NewLogger(t)}
	for _, f := range change {
		f(&c)
	}
	con, err := newConsole(c)
	if err != nil {
		t.Fatal(err)
	}
	return &site{t: t, console: con, handler: con.protect(con.mux()), control: store, account: accounts}
}

// A browser keeps cookies and follows nothing.
type browser struct {
	*site
	cookies map[string]*http.Cookie
	from    string
}

func (s *site) browser() *browser {
	return &browser{site: s, cookies: map[string]*http.Cookie{}, from: "192.0.2.7:4711"}
}

func (b *browser) do(method, path string, form url.Values, headers ...string) *http.Response {
	b.t.Helper()
	r := httptest.NewRequestWithContext(b.t.Context(), method, "http://127.0.0.1:8420"+path, strings.NewReader(form.Encode()))
	r.Header.Set("User-Agent", "Mozilla/5.0 Chrome/140.0")
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	if h := r.Header.Get("Host"); h != "" {
		r.Host = h
	}
	r.RemoteAddr = b.from
	for _, c := range b.cookies {
		r.AddCookie(c)
	}
	w := httptest.NewRecorder()
	b.handler.ServeHTTP(w, r)
	answer := w.Result()
	for _, c := range answer.Cookies() {
		if c.MaxAge < 0 {
			delete(b.cookies, c.Name)
		} else {
			b.cookies[c.Name] = c
		}
	}
	return answer
}

var root = control.Actor{Name: "lena", Role: control.RoleLandlord, From: "test"}

// landlordBrowser is signed in as the landlord.
func (s *site) landlordBrowser() *browser {
	s.t.Helper()
	link, err := s.account.NewSetupLink(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	session, err := s.account.CompleteSetup(s.t.Context(), link.Token.Reveal(), "lena", secret.NewString(passwordText), "192.0.2.7")
	if err != nil {
		s.t.Fatal(err)
	}
	b := s.browser()
	b.cookies["mailyard"] = &http.Cookie{Name: "mailyard", Value: session.Cookie.Reveal()}
	return b
}

func (s *site) tenant(id, name string) {
	s.t.Helper()
	doc := config.DefaultTenant()
	doc.ID, doc.Name = id, name
	if _, err := s.control.PutTenant(s.t.Context(), root, doc, control.IfNew); err != nil {
		s.t.Fatal(err)
	}
}

// text returns the body of an answer.
func text(t testing.TB, answer *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
