package servicetest

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/mailyard/mailyard/pkg/bus"
	"github.com/mailyard/mailyard/pkg/bus/bustest"
	"github.com/mailyard/mailyard/pkg/credential"
	"github.com/mailyard/mailyard/pkg/egress"
	"github.com/mailyard/mailyard/pkg/imapconn"
	"github.com/mailyard/mailyard/pkg/imapconn/imaptest"
	"github.com/mailyard/mailyard/pkg/lease"
	"github.com/mailyard/mailyard/pkg/lease/leaseserver"
	"github.com/mailyard/mailyard/pkg/process"
	"github.com/mailyard/mailyard/pkg/secret"
	"github.com/mailyard/mailyard/schemas"
	"github.com/mailyard/mailyard/schemas/config"
)

// Tenant is the tenant of the configuration that Bench writes.
const Tenant = "acme"

// A Bench is what a service runs on. Its methods fail the test.
type Bench struct {
	NATS   *bustest.Server
	Conn   *bus.Conn // the test's own
	Redis  *lease.Client
	Logger *zap.Logger
	Logs   *observer.ObservedLogs // all that was logged, from debug on

	t         testing.TB
	redis     *leaseserver.Server
	master    *secret.MasterKey
	tenantKey *secret.TenantKey
	revision  int64
}

// New starts the servers, which end with the test, and configures the tenant.
func New(t testing.TB) *Bench {
	t.Helper()
	core, logs := observer.New(zap.DebugLevel)
	b := &Bench{t: t, NATS: bustest.Start(t), Logger: zap.New(core), Logs: logs}
	b.Conn = b.NATS.Connect(t, "test", nil)
	var err error
	if b.redis, err = leaseserver.Start(leaseserver.Options{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.redis.Close)
	if b.Redis, err = lease.Dial(t.Context(), b.LeaseOptions()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Redis.Close(); err != nil {
			t.Error(err)
		}
	})
	if b.master, err = secret.GenerateMasterKey(); err != nil {
		t.Fatal(err)
	}
	b.PutTenant("default")
	return b
}

// Bus returns how a service reaches NATS.
func (b *Bench) Bus() bus.Options { return bus.Options{URL: b.NATS.URL(), Logger: b.Logger} }

// LeaseOptions returns how a service reaches Redis.
func (b *Bench) LeaseOptions() lease.Options {
	return lease.Options{URL: b.redis.URL(), Logger: b.Logger}
}

// Group returns lease durations for a test.
func (b *Bench) Group(replica string) lease.GroupOptions {
	return lease.GroupOptions{Replica: replica, TTL: 3 * time.Second, Renew: 500 * time.Millisecond, Heartbeat: 50 * time.Millisecond}
}

// Mail opens the mailboxes' passwords; mail servers are on loopback, and clear
// text is allowed to all of them.
func (b *Bench) Mail() credential.Source {
	b.t.Helper()
	loopback, err := egress.ParsePolicy([]string{"127.0.0.0/8:*"}, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	return credential.Source{
		MasterKey: b.master, Insecure: func(string, int) bool { return true }, Egress: egress.New(loopback, egress.Options{}),
		Connections: credential.DefaultConnections,
	}
}

// PutTenant writes the tenant with its messaging database.
func (b *Bench) PutTenant(database string) {
	b.t.Helper()
	doc := config.DefaultTenant()
	doc.ID, doc.Name, doc.MessagingDatabase = Tenant, "Acme", database
	wrapped, err := b.master.NewTenantKey(Tenant)
	if err != nil {
		b.t.Fatal(err)
	}
	if b.tenantKey, err = b.master.TenantKey(Tenant, wrapped); err != nil {
		b.t.Fatal(err)
	}
	b.put(config.TenantRecordKey(Tenant), config.TenantRecord{Document: doc, Revision: b.next(), WrappedKey: wrapped})
}

// PutFolder writes a folder with its address.
func (b *Bench) PutFolder(id, address string) {
	b.t.Helper()
	doc := config.Folder{Tenant: Tenant, ID: id, Name: "Folder " + id, Address: address}
	b.put(config.FolderRecordKey(Tenant, id), config.FolderRecord{Document: doc, Revision: b.next()})
}

// Mailbox returns an enabled mailbox that is at a target.
func Mailbox(id string, t imapconn.Target, folders ...string) config.Mailbox {
	m := config.DefaultMailbox()
	m.Tenant, m.ID, m.Name, m.Username, m.Enabled, m.Folders = Tenant, id, "Mailbox "+id, t.Username, true, folders
	m.IMAP = config.Server{Host: t.Host, Port: t.Port, Security: t.Security, CA: t.CA}
	return m
}

// PutMailbox writes a mailbox with its password.
func (b *Bench) PutMailbox(doc config.Mailbox, password secret.String) {
	b.t.Helper()
	now := time.Now()
	b.put(config.MailboxRecordKey(Tenant, doc.ID), b.record(doc, password, &now))
}

// DeleteMailbox marks a mailbox as deleted, as the control database does.
func (b *Bench) DeleteMailbox(doc config.Mailbox, password secret.String) {
	b.t.Helper()
	now := time.Now()
	r := b.record(doc, password, &now)
	r.DeletedAt = &now
	b.put(config.MailboxRecordKey(Tenant, doc.ID), r)
}

func (b *Bench) record(doc config.Mailbox, password secret.String, enabled *time.Time) config.MailboxRecord {
	b.t.Helper()
	sealed, err := b.tenantKey.Seal(Tenant, doc.ID, password)
	if err != nil {
		b.t.Fatal(err)
	}
	return config.MailboxRecord{Document: doc, Revision: b.next(), Password: sealed, EnabledAt: enabled}
}

func (b *Bench) next() int64 {
	b.revision++
	return b.revision
}

func (b *Bench) put(key string, value any) {
	b.t.Helper()
	raw, err := json.Marshal(value)
	if err != nil {
		b.t.Fatal(err)
	}
	kv, err := b.Conn.JetStream().KeyValue(b.t.Context(), schemas.BucketConfig)
	if err != nil {
		b.t.Fatal(err)
	}
	if _, err := kv.Put(b.t.Context(), key, raw); err != nil {
		b.t.Fatal(err)
	}
}

// Run runs a service until stop is called or the test ends, and returns when it
// serves. stop returns the service's error.
func (b *Bench) Run(s process.Service) (stop func() error) {
	b.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	hard, cut := context.WithCancel(context.Background())
	ready, ended := make(chan struct{}), make(chan error, 1)
	go func() { ended <- s.Run(process.WithHard(ctx, hard), func() { close(ready) }) }()
	stopped := false
	stop = func() error {
		if stopped {
			return nil
		}
		stopped = true
		cancel()
		defer cut()
		grace := time.AfterFunc(20*time.Second, cut)
		defer grace.Stop()
		return <-ended
	}
	select {
	case <-ready:
	case err := <-ended:
		cancel()
		cut()
		b.t.Fatalf("the service ended before it served: %v", err)
	case <-time.After(time.Minute): // a machine may have much else to do
		_ = stop() // that it never served says more
		b.t.Fatal("the service never served")
	}
	b.t.Cleanup(func() {
		if err := stop(); err != nil {
			b.t.Errorf("the service ended with: %v", err)
		}
	})
	return stop
}

// Left returns how many messages a stream holds: those of a work queue that are
// not acknowledged.
func (b *Bench) Left(stream string) uint64 {
	b.t.Helper()
	s, err := b.Conn.JetStream().Stream(b.t.Context(), stream)
	if err != nil {
		b.t.Fatal(err)
	}
	return s.CachedInfo().State.Msgs
}

// Eventually polls until a condition holds.
func (b *Bench) Eventually(what string, condition func() bool) {
	b.t.Helper()
	imaptest.Eventually(b.t, what, condition)
}
