package bustest

import (
	"context"
	"os"
	"sync"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/mailyard/mailyard/pkg/bus"
	"github.com/mailyard/mailyard/pkg/bus/busserver"
)

// Server is a NATS server for one test, on a loopback port that stays the same
// when the server is restarted.
type Server struct {
	dir   string
	store int64
	start func(tb testing.TB, s *Server) (url string, stop func())

	mu   sync.Mutex
	url  string
	stop func() // nil while the server is down
}

const (
	storeBytes = 4 << 30 // reserved, not used
	timeout    = 20 * time.Second
)

// Start starts an embedded server and provisions it with DefaultTopology, made
// to fit. It is shut down when the test ends.
func Start(tb testing.TB) *Server {
	tb.Helper()
	s := &Server{dir: tb.TempDir(), store: storeBytes, start: startEmbedded}
	s.up(tb)
	tb.Cleanup(s.Stop)
	s.Provision(tb)
	return s
}

func startEmbedded(tb testing.TB, s *Server) (string, func()) {
	tb.Helper()
	listen := "127.0.0.1:0"
	if s.url != "" {
		listen = s.url[len("nats://"):]
	}
	ns, err := busserver.Start(busserver.Options{Dir: s.dir, Listen: listen, MaxStore: s.store, Logger: zap.NewNop()})
	if err != nil {
		tb.Fatal(err)
	}
	return ns.ClientURL(), ns.Shutdown
}

func (s *Server) up(tb testing.TB) {
	tb.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.url, s.stop = s.start(tb, s)
}

// URL returns the URL that clients connect to.
func (s *Server) URL() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.url
}

// Connect returns a new connection, closed when the test ends. The logger may
// be nil.
func (s *Server) Connect(tb testing.TB, name string, logger *zap.Logger) *bus.Conn {
	tb.Helper()
	if logger == nil {
		logger = zap.NewNop()
	}
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	c, err := bus.Connect(ctx, bus.Options{URL: s.URL(), Name: name, Logger: logger})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		// The server may be gone by now; then there is nothing to flush.
		ctx, cancel := context.WithTimeout(context.Background(), timeout)
		defer cancel()
		if err := c.Close(ctx); err != nil {
			tb.Logf("closing connection %s: %v", name, err)
		}
	})
	return c
}

// Topology returns what Provision provisions.
func (s *Server) Topology() bus.Topology { return bus.DefaultTopology(1).Fit(s.store) }

// Provision makes the streams and consumers.
func (s *Server) Provision(tb testing.TB) {
	tb.Helper()
	s.ProvisionWith(tb, s.Topology())
}

// ProvisionWith makes those of another topology.
func (s *Server) ProvisionWith(tb testing.TB, t bus.Topology) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	c, err := bus.Connect(ctx, bus.Options{URL: s.URL(), Name: "provisioner", Logger: zap.NewNop()})
	if err != nil {
		tb.Fatal(err)
	}
	defer c.Close(ctx)
	if err := c.Provision(ctx, t); err != nil {
		tb.Fatal(err)
	}
}

// Stop shuts the server down and waits until it has ended.
func (s *Server) Stop() {
	s.mu.Lock()
	stop := s.stop
	s.stop = nil
	s.mu.Unlock()
	if stop != nil {
		stop()
	}
}

// Restart stops the server and starts it again with the same store.
func (s *Server) Restart(tb testing.TB) {
	tb.Helper()
	s.Stop()
	s.up(tb)
}

// Wipe stops the server, deletes its store, and starts it again. Nothing is
// provisioned: call Provision.
func (s *Server) Wipe(tb testing.TB) {
	tb.Helper()
	s.Stop()
	if err := os.RemoveAll(s.dir); err != nil {
		tb.Fatal(err)
	}
	s.up(tb)
}
