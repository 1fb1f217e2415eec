package process_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/mailyard/mailyard/pkg/process"
)

// listening returns a logger, and a channel that gets the address that an
// HTTPServer with that logger listens on.
func listening() (*zap.Logger, <-chan string) {
	addr := make(chan string, 1)
	core := addrCore{addr: addr}
	return zap.New(core), addr
}

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	client := http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, strings.TrimSpace(string(body))
}

func TestHealthEndpointsFollowTheParts(t *testing.T) {
	t.Parallel()
	logger, addr := listening()
	registry := prometheus.NewRegistry()
	gauge := prometheus.NewGauge(prometheus.GaugeOpts{Name: "mailyard_answer"})
	gauge.Set(42)
	registry.MustRegister(gauge)
	mayServe, mayStop, serving, stopping := make(chan struct{}), make(chan struct{}), make(chan struct{}), make(chan struct{})
	first := process.Func(func(ctx context.Context, ready func()) error {
		<-mayServe
		ready()
		<-ctx.Done()
		return nil
	})
	last := process.Func(func(ctx context.Context, ready func()) error {
		ready()
		close(serving)
		<-ctx.Done()
		close(stopping)
		<-mayStop
		return nil
	})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error, 1)
	go func() {
		ended <- process.Run(ctx, process.Options{Health: "127.0.0.1:0", Registry: registry, Logger: logger, Notes: func() []string { return []string{"one thing is away"} }},
			process.Part{Name: "first", Service: first}, process.Part{Name: "last", Service: last})
	}()
	base := "http://" + <-addr

	check := func(path string, wantStatus int, wantBody string) {
		t.Helper()
		if status, body := get(t, base+path); status != wantStatus || !strings.Contains(body, wantBody) {
			t.Errorf("GET %s = %d %q; want %d %q", path, status, body, wantStatus, wantBody)
		}
	}
	check("/readyz", 503, "not ready: first, last")
	check("/healthz", 200, "ok")
	check("/metrics", 200, "mailyard_answer 42")
	close(mayServe)
	<-serving
	for {
		if status, _ := get(t, base+"/readyz"); status == 200 {
			break
		}
	}
	check("/readyz", 200, "ready\none thing is away")
	cancel()
	<-stopping
	check("/readyz", 503, "stopping")
	check("/healthz", 200, "ok")
	close(mayStop)
	if err := <-ended; err != nil {
		t.Errorf("Run = %v", err)
	}
}

func TestHealthAddressInUseIsAnError(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	err = process.Run(t.Context(), process.Options{Health: l.Addr().String()})
	if err == nil || !strings.HasPrefix(err.Error(), "health: listening on "+l.Addr().String()) {
		t.Errorf("Run = %v; want an error that names health and the address", err)
	}
}

func TestHTTPServerFinishesRequestsUntilTheHardStop(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name       string
		hard       bool
		wantFinish bool
	}{{"soft", false, true}, {"hard", true, false}} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			logger, addr := listening()
			entered, finish := make(chan struct{}), make(chan struct{})
			handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				close(entered)
				select {
				case <-finish:
				case <-r.Context().Done():
				}
				io.WriteString(w, "finished")
			})
			soft, stop := context.WithCancel(t.Context())
			hard, cut := context.WithCancel(t.Context())
			defer cut()
			ended := make(chan error, 1)
			go func() {
				s := &process.HTTPServer{Addr: "127.0.0.1:0", Handler: handler, Logger: logger}
				ended <- s.Run(process.WithHard(soft, hard), func() {})
			}()
			base := "http://" + <-addr
			got := make(chan error, 1)
			go func() {
				client := http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
				resp, err := client.Get(base)
				if err == nil {
					resp.Body.Close()
				}
				got <- err
			}()
			<-entered
			stop()
			if c.hard {
				cut()
			} else {
				close(finish)
			}
			if err := <-got; (err == nil) != c.wantFinish {
				t.Errorf("request ended with %v", err)
			}
			if err := <-ended; (err == nil) != c.wantFinish {
				t.Errorf("server ended with %v", err)
			}
		})
	}
}
