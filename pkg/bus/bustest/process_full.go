//go:build full

package bustest

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
)

// EnvServer names the environment variable with the path of a nats-server binary.
const EnvServer = "MAILYARD_TEST_NATS_SERVER"

// StartProcess is Start with a nats-server process instead of an embedded one.
func StartProcess(tb testing.TB) *Server {
	tb.Helper()
	binary := os.Getenv(EnvServer)
	if binary == "" {
		tb.Fatalf("%s is not set: it must be the path of a nats-server binary", EnvServer)
	}
	s := &Server{dir: tb.TempDir(), store: storeBytes}
	s.start = func(tb testing.TB, s *Server) (string, func()) { return startProcess(tb, s, binary) }
	s.up(tb)
	tb.Cleanup(s.Stop)
	s.Provision(tb)
	return s
}

const processConfig = `listen: %q
max_payload: 1MB
jetstream {
  store_dir: %q
  max_file_store: %d
  sync_interval: "1s"
}
`

func startProcess(tb testing.TB, s *Server, binary string) (string, func()) {
	tb.Helper()
	address := strings.TrimPrefix(s.url, "nats://")
	if address == "" {
		address = freeAddress(tb)
	}
	file := filepath.Join(tb.TempDir(), "nats.conf")
	if err := os.WriteFile(file, fmt.Appendf(nil, processConfig, address, s.dir, s.store), 0o600); err != nil {
		tb.Fatal(err)
	}
	cmd := exec.Command(binary, "-c", file)
	if err := cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	stop := func() {
		if err := cmd.Process.Signal(os.Interrupt); err != nil {
			tb.Logf("stopping nats-server: %v", err)
		}
		if err := cmd.Wait(); err != nil {
			tb.Logf("nats-server ended: %v", err)
		}
	}
	if err := awaitServer("nats://" + address); err != nil {
		stop()
		tb.Fatal(err)
	}
	return "nats://" + address, stop
}

func freeAddress(tb testing.TB) string {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func awaitServer(url string) error {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		nc, err := nats.Connect(url)
		if err == nil {
			_, err = nc.Request("$JS.API.INFO", nil, time.Second)
			nc.Close()
		}
		if err == nil {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("waiting for nats-server: %w", err)
		}
	}
}
