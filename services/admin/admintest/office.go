package admintest

import (
	"context"
	"errors"
	"net"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/mailyard/mailyard/pkg/account"
	"github.com/mailyard/mailyard/pkg/bus"
	"github.com/mailyard/mailyard/pkg/bus/bustest"
	"github.com/mailyard/mailyard/pkg/control"
	"github.com/mailyard/mailyard/pkg/credential"
	"github.com/mailyard/mailyard/pkg/doctor"
	"github.com/mailyard/mailyard/pkg/lease"
	"github.com/mailyard/mailyard/pkg/lease/leaseserver"
	"github.com/mailyard/mailyard/pkg/mailstore/sqlitestore"
	"github.com/mailyard/mailyard/pkg/mailstore/stores"
	"github.com/mailyard/mailyard/pkg/secret"
	"github.com/mailyard/mailyard/services/admin/operation"
)

// Password is everybody's, and every mailbox's: it must never be seen.
const Password = "correct horse battery staple"

// From is where everybody signs in.
const From = "192.0.2.7"

// An Office is what the doors lead to. Its methods fail the test.
type Office struct {
	Desk     *operation.Desk
	Accounts *account.Store
	Control  *control.Store
	Store    *sqlitestore.Store
	NATS     *bustest.Server
	Conn     *bus.Conn
	Logger   *zap.Logger
	Logs     *observer.ObservedLogs // all that was logged, from debug on

	Lena  Person // the landlord
	Ann   Person // administrator of acme
	Rita  Person // reader of acme
	Rob   Person // administrator of rival
	Acme  Ids
	Rival Ids

	t testing.TB
}

// A Person has an account and an API token.
type Person struct {
	Name    string
	Actor   control.Actor
	Token   string // a secret
	ID      string // of the token
	Session string // its id
	Cookie  string // of a session
}

// errNoMail is what every connection to a mail server ends with.
var errNoMail = errors.New("there are no mail servers in tests")

// New furnishes an office. What it holds ends with the test.
func New(t testing.TB) *Office {
	t.Helper()
	core, logs := observer.New(zap.DebugLevel)
	o := &Office{t: t, Logger: zap.New(core), Logs: logs, NATS: bustest.Start(t)}
	o.Conn = o.NATS.Connect(t, "admin", nil)
	redis := must[*leaseserver.Server](t)(leaseserver.Start(leaseserver.Options{}))
	t.Cleanup(redis.Close)
	leases := must[*lease.Client](t)(lease.Dial(t.Context(), lease.Options{URL: redis.URL(), Logger: o.Logger}))
	t.Cleanup(func() { check(t, leases.Close()) })
	key := must[*secret.MasterKey](t)(secret.GenerateMasterKey())
	dir := t.TempDir()
	o.Control = must[*control.Store](t)(control.Open(t.Context(), "sqlite:"+filepath.Join(dir, "control.db"), o.Logger, control.WithMasterKey(key), control.WithMessagingDatabases("default")))
	t.Cleanup(func() { check(t, o.Control.Close()) })
	o.Store = must[*sqlitestore.Store](t)(sqlitestore.Open(t.Context(), filepath.Join(dir, "messaging.db"), o.Logger))
	t.Cleanup(func() { check(t, o.Store.Close()) })
	o.Accounts = account.New(o.Control, account.Options{Cost: account.Cost{Memory: 8, Passes: 1, Threads: 1}})
	o.Desk = &operation.Desk{
		Control: o.Control, Accounts: o.Accounts, Stores: stores.Stores{"default": o.Store}, Bus: o.Conn, Leases: leases,
		Doctor: doctor.Doctor{
			Dial:   func(context.Context, string, string) (net.Conn, error) { return nil, errNoMail },
			Logger: o.Logger,
		},
		Mail:      credential.Source{MasterKey: key, Insecure: func(string, int) bool { return false }},
		Databases: []string{"default"}, Version: "test", Logger: o.Logger,
	}
	o.people()
	return o
}

func (o *Office) people() {
	t := o.t
	t.Helper()
	link := must[account.Link](t)(o.Accounts.NewSetupLink(t.Context()))
	session := must[account.Session](t)(o.Accounts.CompleteSetup(t.Context(), link.Token.Reveal(), "lena", secret.NewString(Password), From))
	o.Lena = o.equip(session)
	o.Acme, o.Rival = o.tenant("acme"), o.tenant("rival")
	o.Ann = o.person("ann", control.RoleTenantAdmin, "acme")
	o.Rita = o.person("rita", control.RoleReader, "acme")
	o.Rob = o.person("rob", control.RoleTenantAdmin, "rival")
}

func (o *Office) person(name string, role control.Role, tenant string) Person {
	t := o.t
	t.Helper()
	must[account.Account](t)(o.Accounts.PutAccount(t.Context(), o.Lena.Actor, account.Document{Name: name, Role: role, Tenant: tenant}, control.IfNew))
	link := must[account.Link](t)(o.Accounts.ResetLink(t.Context(), o.Lena.Actor, name))
	return o.equip(must[account.Session](t)(o.Accounts.CompleteReset(t.Context(), link.Token.Reveal(), secret.NewString(Password), From)))
}

// equip gives whoever signed in an API token.
func (o *Office) equip(s account.Session) Person {
	o.t.Helper()
	p := Person{Name: s.Account.Name, Actor: s.Actor, Cookie: s.Cookie.Reveal(), Session: s.ID}
	p.Token, p.ID = o.NewToken(p, "laptop", time.Now().Add(time.Hour))
	return p
}

// NewToken makes an API token.
func (o *Office) NewToken(p Person, name string, expires time.Time) (token, id string) {
	o.t.Helper()
	text, made, err := o.Accounts.CreateToken(o.t.Context(), p.Actor, account.TokenSpec{Name: name, Role: p.Actor.Role, Tenant: p.Actor.Tenant, Expires: expires})
	check(o.t, err)
	return text.Reveal(), made.ID
}

// ExpiredToken makes an API token whose time is over.
func (o *Office) ExpiredToken(p Person) string {
	o.t.Helper()
	token, id := o.NewToken(p, "expired", time.Now().Add(time.Hour))
	check(o.t, o.Control.Update(o.t.Context(), p.Actor, func(tx *control.Tx) error {
		_, err := tx.Exec(o.t.Context(), `UPDATE account_tokens SET expires_at = ? WHERE id = ?`, control.FormatTime(time.Now().Add(-time.Second)), id)
		return err
	}))
	return token
}

// Letter returns the id of a tenant's dead letter, as the doors show it.
func (o *Office) Letter(tenant string, d bus.DeadLetter) string {
	return o.Control.Sealer("dead-letter", tenant).Seal(int64(d.Sequence))
}

// Revision returns the revision of a tenant's document as the doors show it.
func (o *Office) Revision(tenant string, revision int64) string {
	return o.Control.Sealer("revision", tenant).Seal(revision)
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func must[V any](t testing.TB) func(V, error) V {
	return func(v V, err error) V {
		t.Helper()
		check(t, err)
		return v
	}
}
