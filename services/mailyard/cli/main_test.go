package cli_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/mailyard/mailyard/pkg/process"
	"github.com/mailyard/mailyard/pkg/secret"
	"github.com/mailyard/mailyard/services/admin/admintest"
	"github.com/mailyard/mailyard/services/admin/rest"
	"github.com/mailyard/mailyard/services/mailyard/cli"
)

// The test binary plays the program when this is set.
const asProgram = "MAILYARD_CLI_TEST_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		process.Main("mailyard", func(ctx context.Context) error {
			return cli.Run(ctx, os.Args[1:], cli.Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}, os.Environ())
		})
		return
	}
	goleak.VerifyTestMain(m)
}

// A user types command lines for one installation.
type user struct {
	t       *testing.T
	data    string
	environ []string
	in      string // standard input of the next command
}

func newUser(t *testing.T) *user {
	t.Helper()
	return &user{t: t, data: filepath.Join(t.TempDir(), "data"), environ: []string{"IMAP_PASSWORD=hunter2-secret"}}
}

// operator is the token of the host.
const operator = "a token of this machine"

// newOffice returns the landlord, at the command line of a service with two
// tenants.
func newOffice(t *testing.T) (*user, *admintest.Office) {
	t.Helper()
	o := admintest.New(t)
	h, err := rest.New(rest.Config{Desk: o.Desk, Accounts: o.Accounts, Operator: secret.NewString(operator), Version: "test", Logger: o.Logger})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	u := newUser(t)
	u.environ = append(u.environ, "MAILYARD_SERVER="+server.URL, "MAILYARD_TOKEN="+o.Lena.Token)
	return u, o
}

// as is the same command line in front of somebody else.
func (u *user) as(p admintest.Person) *user {
	other := *u
	other.environ = append([]string{"MAILYARD_TOKEN=" + p.Token}, u.environ...)
	return &other
}

// try runs a command and returns what it printed.
func (u *user) try(args ...string) (string, error) {
	u.t.Helper()
	var out bytes.Buffer
	err := cli.Run(u.t.Context(), append([]string{"--data", u.data}, args...), cli.Streams{In: strings.NewReader(u.in), Out: &out, Err: &out}, u.environ)
	for _, secret := range []string{"hunter2", admintest.Password} {
		if strings.Contains(out.String(), secret) || err != nil && strings.Contains(err.Error(), secret) {
			u.t.Errorf("mailyard %v tells the password: %s %v", args, out.String(), err)
		}
	}
	return out.String(), err
}

func (u *user) do(args ...string) string {
	u.t.Helper()
	out, err := u.try(args...)
	if err != nil {
		u.t.Fatalf("mailyard %s: %v", strings.Join(args, " "), err)
	}
	return out
}

// refused runs a command that must fail, with all the fragments in its message.
func (u *user) refused(fragments []string, args ...string) {
	u.t.Helper()
	out, err := u.try(args...)
	if err == nil {
		u.t.Errorf("mailyard %s succeeded: %s", strings.Join(args, " "), out)
		return
	}
	said := fmt.Sprintf("%d: %v", cli.ExitCode(err), err) // the exit code is in front
	for _, f := range fragments {
		if !strings.Contains(said, f) {
			u.t.Errorf("mailyard %s:\n%s\ndoes not say %q", strings.Join(args, " "), said, f)
		}
	}
}

// json runs a command with --json and decodes what it prints.
func (u *user) json(into any, args ...string) {
	u.t.Helper()
	out := u.do(append(args, "--json")...)
	if err := json.Unmarshal([]byte(out), into); err != nil {
		u.t.Fatalf("mailyard %s --json: %v in %s", strings.Join(args, " "), err, out)
	}
}

func (u *user) file(name, text string) string {
	u.t.Helper()
	path := filepath.Join(u.t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		u.t.Fatal(err)
	}
	return path
}
