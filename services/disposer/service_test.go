package disposer

import (
	"context"
	"fmt"
	"hash/fnv"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/mailyard/mailyard/pkg/bus"
	"github.com/mailyard/mailyard/pkg/egress"
	"github.com/mailyard/mailyard/pkg/imapconn"
	"github.com/mailyard/mailyard/pkg/imapconn/imaptest"
	"github.com/mailyard/mailyard/pkg/lease"
	"github.com/mailyard/mailyard/pkg/secret"
	"github.com/mailyard/mailyard/schemas"
	"github.com/mailyard/mailyard/schemas/cloudevents"
	"github.com/mailyard/mailyard/schemas/config"
	"github.com/mailyard/mailyard/services/servicetest"
)

const tenant = servicetest.Tenant

type rig struct {
	*servicetest.Bench
	t           *testing.T
	server      *imaptest.Server
	mailbox     config.Mailbox
	uidvalidity uint32
	dials       atomic.Int64
	hungUp      atomic.Int64 // connections that were closed
	disposed    *servicetest.Events[schemas.MailDisposed]
	orders      int
}

// newRig has a mailbox with the mails 1 to n in its inbox, marked in flight.
func newRig(t *testing.T, n uint32) *rig {
	t.Helper()
	r := &rig{Bench: servicetest.New(t), t: t, server: imaptest.Demo(t, imaptest.Options{NoTLS: true})}
	r.PutFolder("support", "support@example.com")
	r.mailbox = servicetest.Mailbox("info", r.server.Target("u1"), "support")
	r.disposed = servicetest.Listen[schemas.MailDisposed](r.Bench, "mail.v1.event.disposed.>")
	r.server.Deliver("u1", imaptest.Messages(1, int(n), 300)...)
	c := r.server.Client("u1")
	defer c.Close()
	data, err := c.Select("INBOX", nil).Wait()
	if err != nil {
		t.Fatal(err)
	}
	r.uidvalidity = data.UIDValidity
	if err := r.Redis.Mark(t.Context(), r.marks(), r.uidvalidity, uids(1, n), time.Hour); err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *rig) marks() lease.Mailbox { return lease.Mailbox{Tenant: tenant, ID: "info", Epoch: "1"} }

func (r *rig) marked(uidvalidity uint32) int {
	r.t.Helper()
	n, err := r.Redis.CountMarks(r.t.Context(), tenant, "info", uidvalidity)
	if err != nil {
		r.t.Fatal(err)
	}
	return n
}

func (r *rig) put() { r.t.Helper(); r.PutMailbox(r.mailbox, secret.NewString("pw1")) }

func (r *rig) run() { r.t.Helper(); r.runSuspicious(0) }

// runSuspicious runs a disposer that has lost so many connections to the mailbox.
func (r *rig) runSuspicious(losses int) {
	r.t.Helper()
	r.put()
	mail := r.Mail()
	dial := func(ctx context.Context, network, addr string) (net.Conn, error) {
		r.dials.Add(1)
		conn, err := mail.Dial(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		return &watched{Conn: conn, hungUp: sync.OnceFunc(func() { r.hungUp.Add(1) })}, nil
	}
	s := New(Config{Bus: r.Bus(), Redis: r.LeaseOptions(), Group: r.Group("one"), Mail: mail, IMAP: imapconn.Options{Dial: dial}, Logger: r.Logger})
	for range losses {
		s.suspicions.lost(tenant + "/info")
	}
	r.Run(s)
}

// publishRetried publishes an order of which so many attempts failed.
func (r *rig) publishRetried(event schemas.MailDispose, attempts int) {
	r.t.Helper()
	header, payload, err := cloudevents.Encode(event)
	if err != nil {
		r.t.Fatal(err)
	}
	m := &nats.Msg{Subject: schemas.SubjectDispose(tenant, event.Data.Mailbox), Header: header, Data: payload}
	m.Header.Set(bus.HeaderRetryAttempt, strconv.Itoa(attempts))
	if _, err := r.Conn.JetStream().PublishMsg(r.t.Context(), m); err != nil {
		r.t.Fatal(err)
	}
}

// watched tells when a connection is closed.
type watched struct {
	net.Conn
	hungUp func()
}

func (w *watched) Close() error {
	w.hungUp()
	return w.Conn.Close()
}

func (r *rig) order(mailbox string, uidvalidity uint32, a schemas.Action, uids ...uint32) {
	r.t.Helper()
	r.orderOf("", mailbox, uidvalidity, a, uids...)
}

func (r *rig) orderOf(origin, mailbox string, uidvalidity uint32, a schemas.Action, uids ...uint32) {
	r.t.Helper()
	r.orders++
	key := schemas.MailKey{Tenant: tenant, Mailbox: mailbox, UIDValidity: uidvalidity, UID: uids[0]}
	id := fmt.Sprintf("%s.%d", key.ID(), r.orders)
	event := schemas.MailDispose{
		Attributes: schemas.NewAttributes(schemas.TypeMailDispose, key.Source(), fmt.Sprint(uidvalidity), id, schemas.ContentJSON, time.Now()),
		Data:       schemas.Dispose{Tenant: tenant, Mailbox: mailbox, UIDValidity: uidvalidity, Origin: origin, Action: a, UIDs: uids},
	}
	if err := r.Conn.Publish(r.t.Context(), schemas.SubjectDispose(tenant, mailbox), event, ""); err != nil {
		r.t.Fatal(err)
	}
}

func TestBothVerdictsFollowTheirPolicies(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		persisted, invalid config.Method
		wantIn             map[string]int
	}{
		"move both":        {config.MethodMove, config.MethodMove, map[string]int{"PersistedCCSPItems": 2, "InvalidCCSPItems": 1}},
		"delete persisted": {config.MethodDelete, config.MethodMove, map[string]int{"PersistedCCSPItems": 0, "InvalidCCSPItems": 1, "DeletedCCSPItems": 0}},
		"delete invalid":   {config.MethodMove, config.MethodDelete, map[string]int{"PersistedCCSPItems": 2, "InvalidCCSPItems": 0, "DeletedCCSPItems": 0}},
		"delete both":      {config.MethodDelete, config.MethodDelete, map[string]int{"PersistedCCSPItems": 0, "InvalidCCSPItems": 0, "DeletedCCSPItems": 0}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, 4)
			r.mailbox.PersistedMethod, r.mailbox.InvalidMethod = test.persisted, test.invalid
			r.run()
			r.order("info", r.uidvalidity, schemas.ActionPersisted, 1, 2)
			r.order("info", r.uidvalidity, schemas.ActionInvalid, 3)
			r.Eventually("it is disposed of", func() bool { return r.Left(schemas.StreamDispose) == 0 && r.disposed.Len() == 2 })
			for folder, want := range test.wantIn {
				if n := r.server.Count("u1", folder); n != want {
					t.Errorf("%s holds %d mails; want %d", folder, n, want)
				}
			}
			if left := r.server.UIDs("u1", "INBOX"); !slices.Equal(left, []uint32{4}) {
				t.Errorf("the inbox holds %v; want 4 alone", left)
			}
			if n := r.marked(r.uidvalidity); n != 1 {
				t.Errorf("%d mails are marked in flight; want 1", n)
			}
			for _, e := range r.disposed.All() {
				want := test.persisted
				if e.Data.Action == schemas.ActionInvalid {
					want = test.invalid
				}
				if e.Data.Method != string(want) {
					t.Errorf("told %s for %s", e.Data.Method, e.Data.Action)
				}
			}
		})
	}
}

func TestRepeatedOrderIsHarmless(t *testing.T) {
	t.Parallel()
	r := newRig(t, 2)
	r.run()
	for range 3 {
		r.order("info", r.uidvalidity, schemas.ActionPersisted, 1, 2)
		r.Eventually("it is done", func() bool { return r.Left(schemas.StreamDispose) == 0 })
	}
	if n := r.server.Count("u1", "PersistedCCSPItems"); n != 2 || r.Left(schemas.StreamRetry) != 0 {
		t.Errorf("the folder holds %d mails; want 2", n)
	}
}

func TestOrderOfAnotherUIDValidityTouchesNothing(t *testing.T) {
	t.Parallel()
	r := newRig(t, 2)
	if err := r.Redis.Mark(t.Context(), r.marks(), r.uidvalidity-1, uids(1, 2), time.Hour); err != nil {
		t.Fatal(err)
	}
	r.run()
	r.order("info", r.uidvalidity-1, schemas.ActionPersisted, 1, 2)
	r.Eventually("the order is done with", func() bool { return r.Left(schemas.StreamDispose) == 0 })
	if n := r.server.Count("u1", "INBOX"); n != 2 || r.disposed.Len() != 0 {
		t.Errorf("%d of 2 mails are left, %d disposals were told", n, r.disposed.Len())
	}
	if n := r.marked(r.uidvalidity - 1); n != 0 {
		t.Errorf("%d marks are left", n)
	}
}

func TestOrderOfAnotherAccountTouchesNothing(t *testing.T) {
	t.Parallel()
	r := newRig(t, 2)
	r.run()
	r.orderOf("0123456789abcdef", "info", r.uidvalidity, schemas.ActionPersisted, 1, 2)
	r.Eventually("the order is done with", func() bool { return r.Left(schemas.StreamDispose) == 0 })
	if n := r.server.Count("u1", "INBOX"); n != 2 || r.disposed.Len() != 0 || r.dials.Load() != 0 {
		t.Errorf("%d of 2 mails are left, %d disposals were told, %d connections were made", n, r.disposed.Len(), r.dials.Load())
	}
}

func TestReleaseOnlyClearsTheMarks(t *testing.T) {
	t.Parallel()
	r := newRig(t, 2)
	r.run()
	r.order("info", r.uidvalidity, schemas.ActionRelease, 2)
	r.Eventually("the mark is gone", func() bool { return r.marked(r.uidvalidity) == 1 })
	if n := r.server.Count("u1", "INBOX"); n != 2 || r.disposed.Len() != 0 || r.dials.Load() != 0 {
		t.Errorf("%d of 2 mails are left, %d disposals were told, %d connections were made", n, r.disposed.Len(), r.dials.Load())
	}
}

func TestDisposalOfADisabledMailboxWaits(t *testing.T) {
	t.Parallel()
	r := newRig(t, 2)
	r.mailbox.Enabled = false
	r.run()
	r.order("info", r.uidvalidity, schemas.ActionPersisted, 1)
	r.Eventually("it waits", func() bool { return r.Left(schemas.StreamRetry) == 1 && r.Left(schemas.StreamDispose) == 0 })
	if n := r.server.Count("u1", "INBOX"); n != 2 || r.dials.Load() != 0 {
		t.Errorf("%d of 2 mails are left, %d connections were made", n, r.dials.Load())
	}
	if n := r.marked(r.uidvalidity); n != 2 {
		t.Errorf("%d marks are left of 2", n)
	}
}

func TestDisposalWaitsForAHostThatMayNotBeDialled(t *testing.T) {
	t.Parallel()
	r := newRig(t, 1)
	port := r.mailbox.IMAP.Port
	policy, err := egress.ParsePolicy([]string{fmt.Sprintf("127.0.0.1:%d", port)}, nil)
	if err != nil {
		t.Fatal(err)
	}
	mail := r.Mail()
	mail.Egress = egress.New(policy, egress.Options{})
	r.mailbox.IMAP.Port = port%65535 + 1
	r.put()
	r.Run(New(Config{Bus: r.Bus(), Redis: r.LeaseOptions(), Group: r.Group("one"), Mail: mail, Logger: r.Logger}))
	r.order("info", r.uidvalidity, schemas.ActionPersisted, 1)
	r.Eventually("it waits", func() bool { return r.Left(schemas.StreamRetry) == 1 && r.Left(schemas.StreamDispose) == 0 })
	told := r.Logs.FilterMessage("connecting for disposal").All()
	if len(told) != 1 || !strings.Contains(fmt.Sprint(told[0].ContextMap()["detail"]), "127.0.0.1 ") {
		t.Errorf("the landlord reads %v", told)
	}
	r.mailbox.IMAP.Port = port
	r.put()
	r.Eventually("it is moved", func() bool {
		if r.disposed.Len() == 0 && r.Left(schemas.StreamDispose) == 0 { // the change may come after an order, which then waits
			r.order("info", r.uidvalidity, schemas.ActionPersisted, 1)
		}
		return r.disposed.Len() > 0
	})
}

func TestDisposalIsInTheProtocolLog(t *testing.T) {
	t.Parallel()
	r := newRig(t, 2)
	if err := r.Redis.SwitchProtocolLog(t.Context(), tenant, "info", time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	r.run()
	r.order("info", r.uidvalidity, schemas.ActionPersisted, 1)
	r.Eventually("it is logged", func() bool {
		lines, _, err := r.Redis.ProtocolLog(t.Context(), tenant, "info", 0)
		return err == nil && slices.ContainsFunc(lines, func(l lease.ProtocolLine) bool {
			return l.Connection == "disposal 1" && l.Direction == "C" && strings.Contains(l.Text, `UID MOVE 1 "PersistedCCSPItems"`)
		})
	})
}

func TestDisposalOfADeletedMailboxIsFinished(t *testing.T) {
	t.Parallel()
	r := newRig(t, 1)
	r.run()
	r.DeleteMailbox(r.mailbox, secret.NewString("pw1"))
	r.order("info", r.uidvalidity, schemas.ActionPersisted, 1)
	r.Eventually("it is moved", func() bool { return r.disposed.Len() == 1 })
}

func TestOrdersInARowShareAConnection(t *testing.T) {
	t.Parallel()
	r := newRig(t, 2)
	r.run()
	for uid := uint32(1); uid <= 2; uid++ {
		r.order("info", r.uidvalidity, schemas.ActionPersisted, uid)
		r.Eventually("it is moved", func() bool { return r.disposed.Len() == int(uid) })
	}
	if n := r.dials.Load(); n != 1 {
		t.Errorf("%d connections for two orders in a row", n)
	}
}

func TestWorkerEndsWhenIdleAndALaterOrderStartsAnother(t *testing.T) {
	t.Parallel()
	r := newRig(t, 2)
	r.mailbox.MaxIdleSeconds = 1
	r.run()
	r.order("info", r.uidvalidity, schemas.ActionPersisted, 1)
	r.Eventually("the worker is idle and hangs up", func() bool { return r.hungUp.Load() == 1 })
	r.order("info", r.uidvalidity, schemas.ActionPersisted, 2)
	r.Eventually("both are moved", func() bool { return r.disposed.Len() == 2 })
	if n := r.dials.Load(); n != 2 {
		t.Errorf("%d connections; want a second after the idle time", n)
	}
}

func TestServerThatHangsDoesNotDelayAnotherMailboxOfThePartition(t *testing.T) {
	t.Parallel()
	r := newRig(t, 1)
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	other := r.mailbox
	other.ID, other.Username = neighbour("info"), "silent"
	other.IMAP.Port = silent.Addr().(*net.TCPAddr).Port
	r.PutMailbox(other, secret.NewString("pw"))
	r.run()
	r.order(other.ID, 1, schemas.ActionPersisted, 1)
	r.Eventually("the silent server is dialled", func() bool { return r.dials.Load() == 1 })
	r.order("info", r.uidvalidity, schemas.ActionPersisted, 1)
	r.Eventually("the other mailbox's mail is moved", func() bool { return r.disposed.Len() == 1 })
	if r.Logs.FilterMessage("disposing of mail").Len() > 0 {
		t.Error("it waited until the silent server was given up")
	}
}

// partitionOf returns the partition of a mailbox: nats-server hashes the tokens
// with FNV-1a.
func partitionOf(mailbox string) uint32 {
	h := fnv.New32a()
	h.Write([]byte(tenant + mailbox))
	return h.Sum32() % schemas.DisposePartitions
}

// neighbour returns a mailbox of the same partition.
func neighbour(mailbox string) string {
	for i := 0; ; i++ {
		if id := fmt.Sprintf("other-%d", i); partitionOf(id) == partitionOf(mailbox) {
			return id
		}
	}
}
