package cli_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mailyard/mailyard/services/mailyard/cli"
)

// start runs a command line until the test ends, and returns what it prints.
func start(t *testing.T, environ []string, args ...string) *bufio.Reader {
	t.Helper()
	out, in := io.Pipe()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		err := cli.Run(ctx, args, cli.Streams{Out: in, Err: in}, environ)
		in.CloseWithError(io.EOF)
		done <- err
	}()
	t.Cleanup(func() {
		cancel()
		out.Close()
		if err := <-done; err != nil {
			t.Errorf("mailyard %v: %v", args, err)
		}
	})
	return bufio.NewReader(out)
}

// freeAddr returns a loopback address on which nobody listens.
func freeAddr(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func TestDemoServeTakesMailAndTheGivenPassword(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "password")
	if err := os.WriteFile(file, []byte("not so well known\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	health := freeAddr(t)
	environ := []string{"MAILYARD_HEALTH_ADDR=" + health}
	out := start(t, environ, "demo", "serve", "--data", dir, "--listen", "127.0.0.1:0", "--password-file", file)
	line, err := out.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(line, "listens on ")
	addr, _, found := strings.Cut(rest, ";")
	if !found {
		t.Fatalf("the first line is %q", line)
	}
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	answers := bufio.NewReader(conn)
	ask := func(tag, command string) string {
		t.Helper()
		if _, err := io.WriteString(conn, tag+" "+command+"\r\n"); err != nil {
			t.Fatal(err)
		}
		for {
			answer, err := answers.ReadString('\n')
			if err != nil {
				t.Fatal(err)
			}
			if rest, ok := strings.CutPrefix(answer, tag+" "); ok {
				return rest
			}
		}
	}
	if a := ask("a", `LOGIN info@demo.example "demo"`); !strings.HasPrefix(a, "NO ") {
		t.Errorf("the well-known password gets %q", a)
	}
	if a := ask("b", `LOGIN info@demo.example "not so well known"`); !strings.HasPrefix(a, "OK ") {
		t.Errorf("the password of the file gets %q", a)
	}
	if a := ask("c", "SELECT INBOX"); !strings.HasPrefix(a, "OK ") {
		t.Errorf("the inbox gets %q", a)
	}
	if err := cli.Run(t.Context(), []string{"healthcheck"}, cli.Streams{Out: io.Discard, Err: io.Discard}, environ); err != nil {
		t.Error(err)
	}
}

func TestHealthcheckOfNothingFails(t *testing.T) {
	t.Parallel()
	for _, environ := range [][]string{nil, {"MAILYARD_HEALTH_ADDR=" + freeAddr(t)}} {
		err := cli.Run(t.Context(), []string{"healthcheck"}, cli.Streams{Out: io.Discard, Err: io.Discard}, environ)
		if err == nil || !strings.Contains(err.Error(), "checking health") {
			t.Errorf("with %v: %v", environ, err)
		}
	}
}
