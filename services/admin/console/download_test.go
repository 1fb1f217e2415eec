package console

import (
	"mime"
	"net/http"
	"strings"
	"testing"

	"github.com/mailyard/mailyard/services/admin/operation"
)

func TestFilesAreSavedNotShown(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"invoice.pdf":                   "invoice.pdf",
		"../../etc/passwd":              "_.._etc_passwd",
		"":                              "file",
		"...":                           "file",
		"a\r\nX: y.html":                "a__X_ y.html",
		"Rechnung für März.pdf":         "Rechnung für März.pdf",
		"gpj.\u202eexe":                 "gpj._exe",
		"x\xff\x00.svg":                 "x__.svg",
		strings.Repeat("ä", 400) + ".x": strings.Repeat("ä", 119) + "…",
	} {
		s := newSite(t)
		s.serve(route{pattern: "GET /test", access: anyone, handle: func(r *request) error {
			return r.download(operation.File{Name: name, ContentType: "text/html", Content: []byte("<script>")})
		}})
		answer := s.browser().do(http.MethodGet, "/test", nil)
		kind, params, err := mime.ParseMediaType(answer.Header.Get("Content-Disposition"))
		if err != nil || kind != "attachment" || params["filename"] != want {
			t.Errorf("%q is saved as %q (%s, %v), want %q", name, params["filename"], kind, err, want)
		}
		if answer.Header.Get("Content-Type") != "application/octet-stream" || !strings.Contains(answer.Header.Get("Content-Security-Policy"), "sandbox") {
			t.Errorf("%q has the headers %v", name, answer.Header)
		}
	}
}

func TestFramesAreSandboxed(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.serve(route{pattern: "GET /test", access: anyone, handle: func(r *request) error { return r.framed([]byte("<p>hello")) }})
	h := s.browser().do(http.MethodGet, "/test", nil).Header
	policy := h.Get("Content-Security-Policy")
	if h.Get("X-Frame-Options") != "SAMEORIGIN" || !strings.Contains(policy, "sandbox;") || !strings.Contains(policy, "default-src 'none'") || !strings.Contains(policy, "frame-ancestors 'self'") || strings.Contains(policy, "script-src") {
		t.Errorf("headers are %v", h)
	}
}
