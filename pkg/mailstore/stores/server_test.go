//go:build full

package stores_test

import (
	"context"
	"crypto/rand"
	"io"
	"net"
	"net/url"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"go.uber.org/zap"

	"github.com/mailyard/mailyard/pkg/fault"
	"github.com/mailyard/mailyard/pkg/mailstore/stores"
	"github.com/mailyard/mailyard/pkg/secret"
)

// gate returns an address that leads to another one while it is open, and hangs
// up otherwise.
func gate(t *testing.T, to string, open *atomic.Bool) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var connections sync.WaitGroup
	connections.Go(func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			if !open.Load() {
				in.Close()
				continue
			}
			out, err := net.Dial("tcp", to)
			if err != nil {
				in.Close()
				continue
			}
			for _, pair := range [][2]net.Conn{{in, out}, {out, in}} {
				connections.Go(func() {
					io.Copy(pair[0], pair[1])
					pair[0].Close()
					pair[1].Close()
				})
			}
		}
	})
	t.Cleanup(func() {
		l.Close()
		connections.Wait()
	})
	return l.Addr().String()
}

// execute runs a statement on a connection of its own, also after the test's context ended.
func execute(t *testing.T, server, statement string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, server)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, statement); err != nil {
		t.Fatal(err)
	}
}

func TestServerThatIsAwayAtTheStartIsUsedWhenItIsBack(t *testing.T) {
	t.Parallel()
	server, err := url.Parse(os.Getenv("MAILYARD_TEST_POSTGRES"))
	if err != nil || server.Host == "" {
		t.Fatal("MAILYARD_TEST_POSTGRES is not set: run deploy/test/servers.sh go test …")
	}
	var open atomic.Bool
	name := "stores_" + strings.ToLower(rand.Text())
	execute(t, server.String(), "CREATE DATABASE "+name)
	t.Cleanup(func() { execute(t, os.Getenv("MAILYARD_TEST_POSTGRES"), "DROP DATABASE "+name+" WITH (FORCE)") })
	server.Host, server.Path = gate(t, server.Host, &open), "/"+name
	all, err := stores.Open(t.Context(), map[string]secret.String{"default": secret.NewString(server.String())}, zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := all.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := stats(t, all["default"]); !fault.IsUnavailable(err) {
		t.Errorf("while it is away: %v", err)
	}
	open.Store(true)
	for deadline := time.Now().Add(time.Minute); ; <-time.After(50 * time.Millisecond) {
		err := stats(t, all["default"])
		if err == nil {
			break
		}
		if !fault.IsUnavailable(err) || time.Now().After(deadline) {
			t.Fatalf("when it is back: %v", err)
		}
	}
	if away := all.Check(t.Context()); len(away) != 0 {
		t.Errorf("away: %v", away)
	}
}
