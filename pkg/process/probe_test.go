package process_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/mailyard/mailyard/pkg/process"
)

func TestProbeTellsAHealthyProcessFromOthers(t *testing.T) {
	t.Parallel()
	healthy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/healthz" {
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(healthy.Close)
	sick := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "stuck", http.StatusServiceUnavailable)
	}))
	t.Cleanup(sick.Close)
	gone := httptest.NewServer(nil)
	gone.Close()
	addr := func(s *httptest.Server) string { return strings.TrimPrefix(s.URL, "http://") }
	port := strings.TrimPrefix(addr(healthy), "127.0.0.1")
	cases := []struct{ name, addr, want string }{
		{"healthy", addr(healthy), ""},
		{"on all addresses", port, ""},
		{"on all IPv4 addresses", "0.0.0.0" + port, ""},
		{"sick", addr(sick), "503 Service Unavailable: stuck"},
		{"gone", addr(gone), "refused"},
		{"no address", "", "MAILYARD_HEALTH_ADDR"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			err := process.Probe(t.Context(), c.addr)
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("got %v; want %q", err, c.want)
			}
		})
	}
}
