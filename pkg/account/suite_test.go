package account_test

import (
	"context"
	"encoding/json"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
	"go.uber.org/zap"

	"github.com/mailyard/mailyard/pkg/account"
	"github.com/mailyard/mailyard/pkg/config"
	"github.com/mailyard/mailyard/pkg/control"
	"github.com/mailyard/mailyard/pkg/secret"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const timeout = 60 * time.Second

// cheap makes tests quick; it protects nothing.
var cheap = account.Cost{Memory: 8, Passes: 1, Threads: 1}

// password is everybody's, and looked for in everything that is written.
var password = secret.NewString("correct horse battery staple")

const office = "192.0.2.7"

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
	*account.Store
	t    *testing.T
	ctx  context.Context
	url  string
	now  time.Time
	db   *control.Store
	lena control.Actor // the landlord
}

func newBench(t *testing.T, backend backend) *bench {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	t.Cleanup(cancel)
	b := &bench{t: t, ctx: ctx, url: backend(t), now: time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)}
	b.db, b.Store = b.open(account.Options{Cost: cheap})
	return b
}

// open opens the database once more, as another process would.
func (b *bench) open(o account.Options) (*control.Store, *account.Store) {
	b.t.Helper()
	db, err := control.Open(b.ctx, b.url, zap.NewNop(), control.WithClock(func() time.Time { return b.now }))
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() {
		if err := db.Close(); err != nil {
			b.t.Error(err)
		}
	})
	return db, account.New(db, o)
}

// staffed makes the landlord lena, the tenants acme and rival, and of acme the
// administrator ann and the reader rita, of rival the administrator rob.
func staffed(t *testing.T, b *bench) {
	t.Helper()
	link := must[account.Link](t)(b.NewSetupLink(b.ctx))
	session := must[account.Session](t)(b.CompleteSetup(b.ctx, link.Token.Reveal(), "lena", password, office))
	b.lena = session.Actor
	b.tenant("acme")
	b.tenant("rival")
	b.person("ann", control.RoleTenantAdmin, "acme")
	b.person("rita", control.RoleReader, "acme")
	b.person("rob", control.RoleTenantAdmin, "rival")
}

func (b *bench) tenant(id string) {
	b.t.Helper()
	doc := config.DefaultTenant()
	doc.ID, doc.Name = id, "Tenant "+id
	must[control.Tenant](b.t)(b.db.PutTenant(b.ctx, control.Actor{Name: "lena", Role: control.RoleLandlord}, doc, 0))
}

// person makes an account with the password, by invitation.
func (b *bench) person(name string, role control.Role, tenant string) account.Session {
	b.t.Helper()
	must[account.Account](b.t)(b.PutAccount(b.ctx, b.lena, account.Document{Name: name, Role: role, Tenant: tenant}, control.IfNew))
	link := must[account.Link](b.t)(b.ResetLink(b.ctx, b.lena, name))
	return must[account.Session](b.t)(b.CompleteReset(b.ctx, link.Token.Reveal(), password, office))
}

// actor is the actor that an account is.
func (b *bench) actor(name string) control.Actor {
	b.t.Helper()
	return must[account.Account](b.t)(b.Account(b.ctx, b.lena, name)).Actor(office)
}

func (b *bench) signIn(name string) account.Session {
	b.t.Helper()
	return must[account.Session](b.t)(b.SignIn(b.ctx, name, password, office))
}

// works reports whether the session of a cookie goes on.
func (b *bench) works(s account.Session) bool {
	b.t.Helper()
	_, err := b.Session(b.ctx, s.Cookie.Reveal())
	if err != nil && !errors.Is(err, account.ErrSignedOut) {
		b.t.Fatal(err)
	}
	return err == nil
}

// audit returns what the audit tells, the newest first, as
// "actor kind tenant/document change path=value …".
func (b *bench) audit() []string {
	b.t.Helper()
	var lines []string
	for _, e := range must[[]control.AuditEntry](b.t)(b.db.Audit(b.ctx, control.Actor{Name: "test", Role: control.RoleLandlord}, control.AuditQuery{Limit: 1000})) {
		line := e.Actor + " " + string(e.Kind) + " " + e.Tenant + "/" + e.Document + " " + e.Change
		for _, f := range e.Fields {
			line += " " + f.Path + "=" + text(f.Before) + ">" + text(f.After)
		}
		lines = append(lines, line)
	}
	return lines
}

func text(raw json.RawMessage) string { return strings.Trim(string(raw), `"`) }

// wantAudit checks what the newest entries begin with, the newest first.
func (b *bench) wantAudit(want ...string) {
	b.t.Helper()
	got := b.audit()
	for i := range want {
		if i >= len(got) || !strings.HasPrefix(got[i], want[i]) {
			b.t.Errorf("audit, newest first:\n%s\nwant:\n%s", strings.Join(got[:min(len(got), len(want)+2)], "\n"), strings.Join(want, "\n"))
			return
		}
	}
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

// wantProblem checks that one value was refused.
func wantProblem(t *testing.T, err error, path, part string) {
	t.Helper()
	var problems config.Problems
	if !errors.As(err, &problems) || !slices.ContainsFunc(problems, func(p config.Problem) bool { return p.Path == path && strings.Contains(p.Message, part) }) {
		t.Errorf("%v; want a problem of %s: %q", err, path, part)
	}
}

// wantError checks which error it is.
func wantError(t *testing.T, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%v; want %v", err, want)
	}
}
