package console

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/mailyard/mailyard/pkg/config"
)

// serve answers one more route, for tests.
func (s *site) serve(r route) {
	mux := s.console.mux()
	mux.Handle(r.pattern, s.console.handler(r))
	s.handler = s.console.protect(mux)
}

func TestAPanicIsLoggedAndNotShown(t *testing.T) {
	t.Parallel()
	core, logs := observer.New(zap.ErrorLevel)
	s := newSite(t, func(c *Config) { c.Logger = zap.New(core) })
	s.serve(route{pattern: "GET /test", access: anyone, handle: func(*request) error { panic("secret detail") }})
	answer := s.browser().do(http.MethodGet, "/test", nil)
	body := text(t, answer)
	_, reference, found := strings.Cut(body, "Reference for the log: <code>")
	if answer.StatusCode != http.StatusInternalServerError || !found || strings.Contains(body, "secret detail") || strings.Contains(body, "goroutine") {
		t.Fatalf("a panic answers %d: %s", answer.StatusCode, body)
	}
	reference, _, _ = strings.Cut(reference, "<")
	entries := logs.FilterField(zap.String("reference", reference)).All()
	if len(entries) != 1 || !strings.Contains(fmt.Sprint(entries[0].ContextMap()["error"]), "secret detail") {
		t.Errorf("the log has %v", entries)
	}
	part := s.browser().do(http.MethodGet, "/test", nil, "HX-Request", "true")
	if body := text(t, part); part.Header.Get("HX-Retarget") != "#toasts" || !strings.Contains(body, "Reference: ") || strings.Contains(body, "<html") {
		t.Errorf("to htmx it answers %s", body)
	}
}

func TestEveryAnswerHasItsTime(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		long        bool
		least, most time.Duration
	}{{false, 0, answerTime}, {true, answerTime, longTime}} {
		s := newSite(t)
		var left time.Duration
		s.serve(route{pattern: "GET /test", access: anyone, long: c.long, handle: func(r *request) error {
			if end, ok := r.Context().Deadline(); ok {
				left = time.Until(end)
			}
			return errNoPage
		}})
		if s.browser().do(http.MethodGet, "/test", nil); left <= c.least || left > c.most {
			t.Errorf("it has %s, with long %v", left, c.long)
		}
	}
}

// A request that was ended is the browser's doing, or took too long; neither is a
// page that goes on asking.
func TestRequestThatEnded(t *testing.T) {
	t.Parallel()
	core, logs := observer.New(zap.ErrorLevel)
	s := newSite(t, func(c *Config) { c.Logger = zap.New(core) })
	s.serve(route{pattern: "GET /test", access: anyone, handle: func(r *request) error { return fmt.Errorf("asking: %w", r.Context().Err()) }})
	ask := func(ctx context.Context) (int, string) {
		w := httptest.NewRecorder()
		s.handler.ServeHTTP(w, httptest.NewRequestWithContext(ctx, http.MethodGet, "http://127.0.0.1:8420/test", nil))
		return w.Code, w.Body.String()
	}
	gone, leave := context.WithCancel(t.Context())
	leave()
	if ask(gone); logs.Len() != 0 {
		t.Errorf("a browser that left is logged as a fault: %v", logs.All())
	}
	late, cancel := context.WithTimeout(t.Context(), 0)
	defer cancel()
	if status, body := ask(late); status != http.StatusGatewayTimeout || !strings.Contains(body, "It took too long") || logs.Len() != 1 {
		t.Errorf("what took too long is answered %d and logged %d times: %s", status, logs.Len(), body)
	}
}

func TestProblemsHaveTheirStatus(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.landlordBrowser()
	s.tenant("acme", "Acme")
	large := url.Values{"name": {strings.Repeat("x", formLimit+1)}}
	for _, c := range []struct {
		method, path string
		form         url.Values
		status       int
	}{
		{http.MethodGet, "/nowhere", nil, 404},
		{http.MethodGet, "/t/nobody/audit", nil, 404},
		{http.MethodPost, "/audit", nil, 404},
		{http.MethodPost, "/tenants", large, 413},
		{http.MethodPost, "/tenants", url.Values{"id": {"acme"}, "name": {"Other"}, "messaging_database": {"default"}}, 422},
		{http.MethodPost, "/tenants", url.Values{"id": {"-bad-"}, "name": {""}, "limits.mailboxes": {"many"}}, 422},
		{http.MethodPost, "/t/acme/delete", url.Values{"typed": {"Acne"}, "revision": {"1"}}, 422},
		{http.MethodPost, "/t/acme/key/generate", url.Values{"revision": {"999"}}, 412},
		{http.MethodPost, "/t/acme/key/rotate", url.Values{"revision": {"2"}}, 412},
		{http.MethodPost, "/t/acme/key/supply", url.Values{"revision": {"2"}, "key": {"short"}}, 422},
		{http.MethodPost, "/accounts/at/nobody/delete", url.Values{"typed": {"nobody"}, "revision": {"1"}}, 404},
		{http.MethodPost, "/accounts/at/lena/delete", url.Values{"typed": {"lena"}, "revision": {s.control.Sealer("account", "").Seal(1)}}, 409},
		{http.MethodGet, "/audit?since=yesterday&before=x", nil, 422},
	} {
		answer := b.do(c.method, c.path, c.form)
		if body := text(t, answer); answer.StatusCode != c.status {
			t.Errorf("%s %s answers %d, want %d: %s", c.method, c.path, answer.StatusCode, c.status, main(body))
		}
	}
}

// main is the text of the content of a page.
func main(body string) string {
	_, body, _ = strings.Cut(body, "<main")
	body, _, _ = strings.Cut(body, "</main>")
	return strings.Join(strings.Fields(regexp.MustCompile(`<[^>]*>`).ReplaceAllString(body, " ")), " ")
}

func TestStream(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.serve(route{pattern: "POST /test", access: anyone, handle: func(r *request) error {
		stream := r.stream()
		if err := stream.send("step", step{ID: "one", Tone: toneOK, Title: "a\x1eb <i>"}); err != nil {
			return err
		}
		return stream.fail(errors.New("an inner detail"))
	}})
	answer := s.browser().do(http.MethodPost, "/test", nil, "X-Stream", "true")
	parts := strings.Split(text(t, answer), "\x1e")
	if len(parts) != 3 || parts[2] != "" || !strings.Contains(parts[0], "a b &lt;i&gt;") || !strings.Contains(parts[1], `data-into="#toasts"`) || strings.Contains(parts[1], "inner detail") {
		t.Errorf("the stream is %q", parts)
	}
}

func TestToastsComeWithTheNextPage(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.browser()
	s.serve(route{pattern: "POST /test", access: anyone, handle: func(r *request) error {
		r.tell(toneOK, "saved <b>%s</b> äöü", strings.Repeat("long ", 500))
		return r.redirect("/sign-in")
	}})
	b.do(http.MethodPost, "/test", nil)
	if c := b.cookies["mailyard-flash"]; c == nil || len(c.Value) > 3000 {
		t.Fatalf("the cookie is %v", c)
	}
	if body := text(t, b.do(http.MethodGet, "/sign-in", nil)); !strings.Contains(body, "Saved &lt;b&gt;long long") {
		t.Error("the next page does not tell it")
	}
	if body := text(t, b.do(http.MethodGet, "/sign-in", nil)); strings.Contains(body, "Saved") {
		t.Error("it is told twice")
	}
	part := b.do(http.MethodPost, "/test", nil, "HX-Request", "true")
	if part.StatusCode != http.StatusNoContent || part.Header.Get("HX-Redirect") != "/sign-in" {
		t.Errorf("to htmx it answers %d, %q", part.StatusCode, part.Header.Get("HX-Redirect"))
	}
}

func FuzzFlash(f *testing.F) {
	for _, s := range []string{"", "W10", "W3sidG9uZSI6Im9rIiwidGV4dCI6IngifV0", "bnVsbA", "%%%", "W3sidG9uZSI6IlwiPjxzY3JpcHQ-IiwidGV4dCI6IjxzY3JpcHQ-In1d"} {
		f.Add(s)
	}
	s := newSite(f)
	scripts := strings.Count(text(f, s.browser().do(http.MethodGet, "/sign-in", nil)), "<script")
	f.Fuzz(func(t *testing.T, value string) {
		b := (&site{t: t, handler: s.handler}).browser()
		b.cookies["mailyard-flash"] = &http.Cookie{Name: "mailyard-flash", Value: value}
		answer := b.do(http.MethodGet, "/sign-in", nil)
		if body := text(t, answer); answer.StatusCode != http.StatusOK || strings.Count(body, "<script") != scripts {
			t.Errorf("%q answers %d: %s", value, answer.StatusCode, body)
		}
	})
}

func TestProblemsStandBesideTheirFields(t *testing.T) {
	t.Parallel()
	f := form{Groups: []fieldset{{Fields: []field{{Name: "imap.port"}}}, {Closed: true, Fields: []field{{Name: "folders"}}}}}
	if !f.refuse(config.Problems{{Path: "imap.port", Message: "is no port"}, {Path: "folders[1]", Message: "does not exist"}, {Path: "smtp.host", Message: "is long"}, {Message: "it is odd"}}) {
		t.Fatal("the problems are not taken")
	}
	if got := f.Groups[0].Fields[0].Problems; len(got) != 1 || got[0] != "is no port" {
		t.Errorf("imap.port has %v", got)
	}
	if g := f.Groups[1]; len(g.Fields[0].Problems) != 1 || g.Closed {
		t.Errorf("folders has %v, closed %v", g.Fields[0].Problems, g.Closed)
	}
	if want := "Smtp.host: is long; it is odd."; f.Detail != want {
		t.Errorf("the rest is %q, want %q", f.Detail, want)
	}
	if (&form{}).refuse(errors.New("something inside")) {
		t.Error("an inner error is taken for the input's fault")
	}
}
