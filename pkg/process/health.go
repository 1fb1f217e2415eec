package process

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// health is what /readyz tells. It is safe for concurrent use.
type health struct {
	serving atomic.Bool // all parts are ready, and none was asked to stop
	mu      sync.Mutex
	pending map[string]bool
	order   []string
}

func newHealth(parts []Part) *health {
	h := &health{pending: map[string]bool{}}
	for _, p := range parts {
		h.pending[p.Name] = true
		h.order = append(h.order, p.Name)
	}
	return h
}

func (h *health) setReady(name string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.pending, name)
}

// waiting returns the names of the parts that are not ready, in start order.
func (h *health) waiting() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	var names []string
	for _, name := range h.order {
		if h.pending[name] {
			names = append(names, name)
		}
	}
	return names
}

func (h *health) handler(registry *prometheus.Registry, notes func() []string) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, "ok")
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		names := h.waiting()
		switch {
		case h.serving.Load():
			lines := []string{"ready"}
			if notes != nil {
				lines = append(lines, notes()...)
			}
			answer(w, http.StatusOK, strings.Join(lines, "\n"))
		case len(names) > 0:
			answer(w, http.StatusServiceUnavailable, "not ready: "+strings.Join(names, ", "))
		default:
			answer(w, http.StatusServiceUnavailable, "stopping")
		}
	})
	if registry != nil {
		mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{Registry: registry}))
	}
	return mux
}

func answer(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	fmt.Fprintln(w, text)
}
