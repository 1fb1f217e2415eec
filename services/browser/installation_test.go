//go:build full

package browser_test

import (
	"bytes"
	"context"
	"io"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mailyard/mailyard/services/mailyard/cli"
)

// An installation is `mailyard up --demo` in this process, as a new user starts it.
type installation struct {
	t     testing.TB
	data  string
	base  string // address of the console
	setup string // the one-time link that makes the landlord's account

	environment []string

	mu  sync.Mutex
	out bytes.Buffer
}

// Write collects what it prints.
func (i *installation) Write(b []byte) (int, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.out.Write(b)
}

func (i *installation) printed() string {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.out.String()
}

var setupLink = regexp.MustCompile(`(http://127\.0\.0\.1:\d+)/link#\S+`)

// up starts mailyard, with environment variables besides those of the test, and
// returns when it said where the console is. It ends with the test.
func up(t testing.TB, environment ...string) *installation {
	t.Helper()
	i := &installation{t: t, data: t.TempDir(), environment: append(os.Environ(), environment...)}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		ended <- cli.Run(ctx, []string{"up", "--demo", "--data", i.data}, cli.Streams{In: strings.NewReader(""), Out: i, Err: i}, append(i.environment, "MAILYARD_ADMIN_LISTEN=127.0.0.1:0"))
	}()
	t.Cleanup(func() {
		stop()
		select {
		case err := <-ended:
			if err != nil {
				t.Errorf("mailyard ended with: %v", err)
			}
		case <-time.After(time.Minute):
			t.Errorf("mailyard does not end; it printed:\n%s", i.printed())
		}
	})
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(time.Minute)
	for {
		if m := setupLink.FindStringSubmatch(i.printed()); m != nil {
			i.setup, i.base = m[0], m[1]
			return i
		}
		select {
		case err := <-ended:
			ended <- err
			t.Fatalf("mailyard ended with %v; it printed:\n%s", err, i.printed())
		case <-deadline:
			t.Fatalf("mailyard does not say where the console is; it printed:\n%s", i.printed())
		case <-tick.C:
		}
	}
}

// in goes on with the installation in another test, usually one within its own.
func (i *installation) in(t testing.TB) {
	before := i.t
	i.t = t
	t.Cleanup(func() { i.t = before })
}

// run runs another command of mailyard on the installation.
func (i *installation) run(args ...string) string {
	i.t.Helper()
	var out bytes.Buffer
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := cli.Run(ctx, append([]string{"--data", i.data}, args...), cli.Streams{In: strings.NewReader(""), Out: &out, Err: io.Discard}, i.environment); err != nil {
		i.t.Fatalf("mailyard %s: %v", strings.Join(args, " "), err)
	}
	return out.String()
}
