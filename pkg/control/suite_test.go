package control_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
	"go.uber.org/zap"

	"github.com/mailyard/mailyard/pkg/config"
	"github.com/mailyard/mailyard/pkg/control"
	"github.com/mailyard/mailyard/pkg/secret"
)

func TestMain(m *testing.M) {
	if url := os.Getenv(rotateURL); url != "" {
		rotateUntilKilled(url, os.Getenv(rotateKey))
		return
	}
	goleak.VerifyTestMain(m)
}

const timeout = 30 * time.Second

// password is looked for in everything that is written or printed.
const password = "correct horse battery staple"

var (
	landlord = control.Actor{Name: "lena", Role: control.RoleLandlord, From: "console"}
	admin    = control.Actor{Name: "ann", Role: control.RoleTenantAdmin, Tenant: "acme", From: "192.0.2.1"}
	rival    = control.Actor{Name: "rob", Role: control.RoleTenantAdmin, Tenant: "rival", From: "192.0.2.2"}
	reader   = control.Actor{Name: "rita", Role: control.RoleReader, Tenant: "acme", From: "192.0.2.3"}
	auditor  = control.Actor{Name: "olga", Role: control.RoleReader, From: "console"}
)

// A backend returns the URL of a new, empty control database.
type backend func(t *testing.T) string

func sqliteBackend(t *testing.T) string {
	return "sqlite:" + filepath.Join(t.TempDir(), "control.db")
}

// each runs a test on every backend that this build has.
func each(t *testing.T, test func(t *testing.T, b *bench)) {
	t.Helper()
	t.Parallel()
	for name, backend := range backends() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, newBench(t, backend))
		})
	}
}

type bench struct {
	t      *testing.T
	ctx    context.Context
	url    string
	master *secret.MasterKey
	store  *control.Store
	now    time.Time
}

func newBench(t *testing.T, backend backend) *bench {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	t.Cleanup(cancel)
	master, err := secret.GenerateMasterKey()
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{t: t, ctx: ctx, url: backend(t), master: master, now: time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)}
	b.store = b.replica()
	return b
}

// replica opens the database once more, with the same clock.
func (b *bench) replica() *control.Store {
	b.t.Helper()
	return b.open(control.WithClock(func() time.Time { return b.now }))
}

// open opens the database once more, as another process would.
func (b *bench) open(options ...control.Option) *control.Store {
	b.t.Helper()
	s, err := control.Open(b.ctx, b.url, zap.NewNop(), append([]control.Option{control.WithMasterKey(b.master)}, options...)...)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() {
		if err := s.Close(); err != nil {
			b.t.Error(err)
		}
	})
	return s
}

// must returns the value, or ends the test.
func must[T any](t *testing.T) func(T, error) T {
	t.Helper()
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func tenantDoc(id string) config.Tenant {
	d := config.DefaultTenant()
	d.ID, d.Name = id, "Tenant "+id
	return d
}

func folderDoc(tenant, id string) config.Folder {
	return config.Folder{Tenant: tenant, ID: id, Name: "Folder " + id, Address: id + "@" + tenant + ".example"}
}

func mailboxDoc(tenant, id string, folders ...string) config.Mailbox {
	d := config.DefaultMailbox()
	d.Tenant, d.ID, d.Name, d.Username = tenant, id, "Mailbox "+id, id+"@"+tenant+".example"
	d.IMAP.Host, d.Folders = "imap.example.com", append([]string{}, folders...)
	return d
}

// tenant makes a tenant with a key, a folder "sales" and nothing else.
func (b *bench) tenant(id string) {
	b.t.Helper()
	must[control.Tenant](b.t)(b.store.PutTenant(b.ctx, landlord, tenantDoc(id), 0))
	must[control.Tenant](b.t)(b.store.GenerateTenantKey(b.ctx, landlord, id, 0))
	must[control.Folder](b.t)(b.store.PutFolder(b.ctx, landlord, folderDoc(id, "sales"), 0))
}

// mailbox makes an enabled mailbox of a tenant.
func (b *bench) mailbox(tenant, id string) control.Mailbox {
	b.t.Helper()
	doc := mailboxDoc(tenant, id, "sales")
	doc.Enabled = true
	return must[control.Mailbox](b.t)(b.store.PutMailboxWithPassword(b.ctx, landlord, doc, secret.NewString(password), 0))
}

// wantProblems checks the messages of a refused document.
func wantProblems(t *testing.T, err error, want ...string) {
	t.Helper()
	var problems config.Problems
	if !errors.As(err, &problems) {
		t.Errorf("%v; want problems:\n%s", err, strings.Join(want, "\n"))
		return
	}
	if got := problems.Error(); got != strings.Join(want, "\n") {
		t.Errorf("problems:\n%s\nwant:\n%s", got, strings.Join(want, "\n"))
	}
}
