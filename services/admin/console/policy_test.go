package console

import (
	"io/fs"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// What the Content Security Policy forbids must not stand in a template: it
// would silently not work.
func TestTemplatesHoldNothingInline(t *testing.T) {
	t.Parallel()
	forbidden := regexp.MustCompile(`(?i)<style|\sstyle\s*=|\son[a-z]+\s*=|javascript:|hx-on|<script(?: [^>]*)?>[^<]|https?://|hx-vals=["']?js:`)
	names, err := fs.Glob(templateFiles, "templates/*.html")
	if err != nil || len(names) < 5 {
		t.Fatalf("%d templates, %v", len(names), err)
	}
	for _, name := range names {
		raw, err := fs.ReadFile(templateFiles, name)
		if err != nil {
			t.Fatal(err)
		}
		for i, line := range strings.Split(string(raw), "\n") {
			if found := forbidden.FindString(line); found != "" {
				t.Errorf("%s:%d: %q", name, i+1, found)
			}
		}
	}
}

func TestEveryAnswerHasThePolicy(t *testing.T) {
	t.Parallel()
	s := newSite(t, func(c *Config) { c.URL = "https://mail.example.org" })
	css, err := s.console.assets.url("app.css")
	if err != nil {
		t.Fatal(err)
	}
	paths := []string{"/", "/sign-in", "/nowhere", "/assets/nothing.css", css, "/t/other/mailboxes", "/%zz", "//double", "/../up"}
	for _, r := range s.console.routes() {
		method, path, _ := strings.Cut(r.pattern, " ")
		if method == http.MethodGet {
			paths = append(paths, regexp.MustCompile(`\{[^}]*\}`).ReplaceAllString(path, "1"))
		}
	}
	for _, path := range paths {
		if _, err := url.Parse(path); err != nil {
			continue
		}
		answer := s.browser().do(http.MethodGet, path, nil)
		for name, want := range map[string]string{
			"Content-Security-Policy":      "script-src 'self'",
			"X-Content-Type-Options":       "nosniff",
			"Referrer-Policy":              "same-origin",
			"Cross-Origin-Opener-Policy":   "same-origin",
			"Cross-Origin-Resource-Policy": "same-origin",
			"Permissions-Policy":           "camera=()",
			"Strict-Transport-Security":    "max-age=",
		} {
			if got := answer.Header.Get(name); !strings.Contains(got, want) {
				t.Errorf("GET %s: %s is %q", path, name, got)
			}
		}
		cache := answer.Header.Get("Cache-Control")
		if want := map[bool]string{true: "immutable", false: "no-store"}[path == css]; !strings.Contains(cache, want) {
			t.Errorf("GET %s: Cache-Control is %q", path, cache)
		}
	}
}

func TestPlainHTTPHasNoHSTS(t *testing.T) {
	t.Parallel()
	if got := newSite(t).browser().do(http.MethodGet, "/sign-in", nil).Header.Get("Strict-Transport-Security"); got != "" {
		t.Errorf("Strict-Transport-Security is %q on loopback", got)
	}
}

func TestWithoutASessionOnlyTheSignInAnswers(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for _, r := range s.console.routes() {
		if r.access == anyone {
			continue
		}
		method, path, _ := strings.Cut(r.pattern, " ")
		path = regexp.MustCompile(`\{[^}]*\}`).ReplaceAllString(path, "1")
		answer := s.browser().do(method, path, nil)
		if to := answer.Header.Get("Location"); answer.StatusCode != http.StatusSeeOther || !strings.HasPrefix(to, "/sign-in") {
			t.Errorf("%s answers %d, %q", r.pattern, answer.StatusCode, to)
		}
		answer = s.browser().do(method, path, nil, "HX-Request", "true")
		if to := answer.Header.Get("HX-Redirect"); answer.StatusCode != http.StatusUnauthorized || !strings.HasPrefix(to, "/sign-in") {
			t.Errorf("%s answers %d, %q to htmx", r.pattern, answer.StatusCode, to)
		}
	}
}

func TestOtherOriginsAreRefused(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for _, headers := range [][]string{
		{"Sec-Fetch-Site", "cross-site"},
		{"Sec-Fetch-Site", "same-site"},
		{"Sec-Fetch-Site", "", "Origin", "https://evil.example"},
	} {
		for _, r := range s.console.routes() {
			method, path, _ := strings.Cut(r.pattern, " ")
			if method == http.MethodGet {
				continue
			}
			path = regexp.MustCompile(`\{[^}]*\}`).ReplaceAllString(path, "1")
			if answer := s.browser().do(method, path, url.Values{"name": {"x"}}, headers...); answer.StatusCode != http.StatusForbidden {
				t.Errorf("%s with %q answers %d", r.pattern, headers, answer.StatusCode)
			}
		}
	}
}
