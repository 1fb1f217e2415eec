package console

import (
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"testing"
)

func credentials(name string, password string, more ...string) url.Values {
	v := url.Values{"name": {name}, "password": {password}}
	for i := 0; i+1 < len(more); i += 2 {
		v.Set(more[i], more[i+1])
	}
	return v
}

func TestSignInAndOut(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.landlordBrowser()
	b := s.browser()
	wrong := b.do(http.MethodPost, "/sign-in", credentials("lena", "not the password"))
	if body := text(t, wrong); wrong.StatusCode != http.StatusUnauthorized || !strings.Contains(body, "name or the password is wrong") || strings.Contains(body, "not the password") {
		t.Fatalf("a wrong password answers %d: %s", wrong.StatusCode, body)
	}
	right := b.do(http.MethodPost, "/sign-in", credentials("lena", passwordText, "next", "/accounts?q=x"))
	if right.StatusCode != http.StatusSeeOther || right.Header.Get("Location") != "/accounts?q=x" {
		t.Fatalf("the right password answers %d to %q", right.StatusCode, right.Header.Get("Location"))
	}
	if page := b.do(http.MethodGet, "/accounts", nil); page.StatusCode != http.StatusOK {
		t.Fatalf("signed in, the accounts answer %d", page.StatusCode)
	}
	old := b.cookies["mailyard"]
	if out := b.do(http.MethodPost, "/sign-out", nil); out.Header.Get("Location") != "/sign-in" || b.cookies["mailyard"] != nil {
		t.Fatalf("signing out leads to %q", out.Header.Get("Location"))
	}
	if body := text(t, b.do(http.MethodGet, "/sign-in", nil)); !strings.Contains(body, "You are signed out.") {
		t.Error("the sign-in does not say that one is signed out")
	}
	b.cookies["mailyard"] = old
	if page := b.do(http.MethodGet, "/accounts", nil); page.Header.Get("Location") != "/sign-in?next=%2Faccounts" {
		t.Errorf("after signing out the old cookie leads to %q", page.Header.Get("Location"))
	}
	if body := text(t, b.do(http.MethodGet, "/sign-in?next=%2Faccounts", nil)); !strings.Contains(body, "Your session ended.") || !strings.Contains(body, `name="next" value="/accounts"`) {
		t.Error("the sign-in does not say that the session ended, or forgets where it leads")
	}
}

func TestGuessingIsSlowedDown(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.landlordBrowser()
	b := s.browser()
	for range 50 {
		if answer := b.do(http.MethodPost, "/sign-in", credentials("lena", "guess")); answer.StatusCode == http.StatusTooManyRequests {
			if answer.Header.Get("Retry-After") == "" || !strings.Contains(text(t, answer), "Too many attempts") {
				t.Errorf("Retry-After is %q", answer.Header.Get("Retry-After"))
			}
			return
		}
	}
	t.Error("50 guesses were taken")
}

func TestSignInLeadsNowhereElse(t *testing.T) {
	t.Parallel()
	for _, next := range []string{"https://evil.example/", "//evil.example", "/\\evil.example", "\\\\evil.example", "javascript:alert(1)", "/\tevil", "evil", "http:evil", "/x\r\nSet-Cookie: a=b", "///evil.example", "/%zz"} {
		if got := localPath(next); got != "/" {
			t.Errorf("%q leads to %q", next, got)
		}
	}
	for _, next := range []string{"/", "/t/acme/mailboxes?q=a%2Fb", "/x#y"} {
		if got := localPath(next); got != next {
			t.Errorf("%q leads to %q", next, got)
		}
	}
}

func FuzzLocalPath(f *testing.F) {
	for _, s := range []string{"/", "//x", "/\\x", "https://x", "/a?b=c#d", "/%2f%2fx", "/\x00"} {
		f.Add(s)
	}
	base := &url.URL{Scheme: "https", Host: "here.example"}
	f.Fuzz(func(t *testing.T, s string) {
		to, err := base.Parse(localPath(s))
		if err != nil || to.Host != base.Host || to.Scheme != base.Scheme || to.User != nil {
			t.Errorf("%q leads to %v, %v", s, to, err)
		}
	})
}

func TestCookies(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name, url, host, agent, from string
		cookie                       string
		secure                       bool
	}{
		{"public https", "https://mail.example.org", "mail.example.org", "curl/8", "10.0.0.1:1", "__Host-mailyard", true},
		{"loopback in Chromium", "", "127.0.0.1:8420", "Mozilla/5.0 Chrome/140.0 Safari/537.36", "127.0.0.1:1", "mailyard", true},
		{"loopback in Firefox", "", "localhost:8420", "Mozilla/5.0 Gecko/20100101 Firefox/140.0", "127.0.0.1:1", "mailyard", true},
		{"loopback in Safari", "", "[::1]:8420", "Mozilla/5.0 Version/18.0 Safari/605.1.15", "[::1]:1", "mailyard", false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, func(config *Config) { config.URL = c.url })
			s.landlordBrowser()
			b := s.browser()
			b.from = c.from
			answer := b.do(http.MethodPost, "/sign-in", credentials("lena", passwordText), "Host", c.host, "User-Agent", c.agent)
			if answer.StatusCode != http.StatusSeeOther {
				t.Fatalf("signing in answers %d: %s", answer.StatusCode, text(t, answer))
			}
			got := b.cookies[c.cookie]
			if got == nil {
				t.Fatalf("there is no cookie %s among %v", c.cookie, b.cookies)
			}
			if got.Secure != c.secure || !got.HttpOnly || got.SameSite != http.SameSiteLaxMode || got.Path != "/" || got.Domain != "" || got.MaxAge <= 0 {
				t.Errorf("the cookie is %s", got)
			}
		})
	}
}

func TestNoPasswordOverAPlainConnection(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.landlordBrowser()
	b := s.browser()
	for _, host := range []string{"mail.example.org", "192.0.2.1:8420", "localhost.evil.example", "127.0.0.1.evil.example"} {
		answer := b.do(http.MethodPost, "/sign-in", credentials("lena", passwordText), "Host", host)
		if body := text(t, answer); answer.StatusCode != http.StatusForbidden || b.cookies["mailyard"] != nil || !strings.Contains(body, "Reach mailyard by https") || strings.Contains(body, `type="password"`) {
			t.Errorf("%s answers %d: %s", host, answer.StatusCode, body)
		}
	}
}

// Behind an ingress, all browsers come from its address. Who guesses passwords
// delays those of the own address only.
func TestProxyDoesNotMakeAllBrowsersOne(t *testing.T) {
	t.Parallel()
	const url = "https://mail.example.org"
	for what, c := range map[string]struct {
		trusted []netip.Prefix
		want    int
	}{
		"a trusted proxy":       {[]netip.Prefix{netip.MustParsePrefix("10.244.0.0/16")}, http.StatusSeeOther},
		"what nobody trusts":    {nil, http.StatusTooManyRequests},
		"another proxy's hosts": {[]netip.Prefix{netip.MustParsePrefix("10.99.0.0/16")}, http.StatusTooManyRequests},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, func(config *Config) { config.URL, config.TrustedProxies = url, c.trusted })
			s.landlordBrowser()
			b := s.browser()
			b.from = "10.244.0.9:40000" // the ingress
			post := func(name, password, forwarded string) int {
				return b.do(http.MethodPost, "/sign-in", credentials(name, password), "Host", "mail.example.org", "X-Forwarded-For", forwarded).StatusCode
			}
			for i := range 25 {
				post("guess"+strconv.Itoa(i), "hunter2 hunter2", "203.0.113.5, 198.51.100.66") // the first is what it claims
			}
			if got := post("lena", passwordText, "198.51.100.66"); got != http.StatusTooManyRequests {
				t.Errorf("who guessed gets %d", got)
			}
			if got := post("lena", passwordText, "203.0.113.5"); got != c.want {
				t.Errorf("who did nothing gets %d; want %d", got, c.want)
			}
		})
	}
}
