package disposer

import (
	"context"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/mailyard/mailyard/pkg/bus"
	"github.com/mailyard/mailyard/pkg/imapconn"
	"github.com/mailyard/mailyard/schemas"
)

// runHung runs a disposer whose mail server accepts connections and says
// nothing, with orders for n mails, of which the first is worked on.
func (r *rig) runHung(times times, n int) (stop func() error) {
	r.t.Helper()
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { silent.Close() })
	r.mailbox.IMAP.Port = silent.Addr().(*net.TCPAddr).Port
	r.put()
	mail := r.Mail()
	dial := func(ctx context.Context, network, addr string) (net.Conn, error) {
		r.dials.Add(1)
		return mail.Dial(ctx, network, addr)
	}
	s := New(Config{Bus: r.Bus(), Redis: r.LeaseOptions(), Group: r.Group("one"), Mail: mail, IMAP: imapconn.Options{Dial: dial, GreetingTimeout: time.Minute}, Logger: r.Logger})
	s.times = times
	stop = r.Run(s)
	for uid := range uint32(n) {
		r.order("info", r.uidvalidity, schemas.ActionPersisted, uid+1)
		// The others wait behind the first.
		r.Eventually("the silent server is dialled", func() bool { return r.dials.Load() == 1 })
	}
	r.Eventually("all orders are taken", func() bool { return r.consumer().NumAckPending == n })
	return stop
}

// consumer returns the state of the consumer of the mailbox's partition.
func (r *rig) consumer() *jetstream.ConsumerInfo {
	r.t.Helper()
	c, err := r.Conn.JetStream().Consumer(r.t.Context(), schemas.StreamDispose, bus.DurableDispose(int(partitionOf("info"))))
	if err != nil {
		r.t.Fatal(err)
	}
	return c.CachedInfo()
}

// Every delivery is one of the few that an order has.
func TestOrderBehindASlowServerIsNotDeliveredAgain(t *testing.T) {
	t.Parallel()
	r := newRig(t, 3)
	var mu sync.Mutex
	extended := map[string]int{} // by delivery
	acks, err := r.Conn.NATS().Subscribe("$JS.ACK."+schemas.StreamDispose+".>", func(m *nats.Msg) {
		if string(m.Data) == "+WPI" {
			mu.Lock()
			defer mu.Unlock()
			extended[m.Subject]++
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = acks.Unsubscribe() }()
	r.runHung(times{keepAlive: 100 * time.Millisecond, grace: 100 * time.Millisecond}, 3)
	r.Eventually("the ack wait of every order is extended again and again", func() bool {
		mu.Lock()
		defer mu.Unlock()
		often := 0
		for _, n := range extended {
			if n >= 3 {
				often++
			}
		}
		return often == 3
	})
	if info := r.consumer(); info.NumRedelivered != 0 || info.Delivered.Consumer != 3 {
		t.Errorf("%d orders were delivered again, there were %d deliveries of 3 orders", info.NumRedelivered, info.Delivered.Consumer)
	}
}

// One mailbox that is slow must not keep a partition from its next owner.
func TestPartitionIsHandedOverWhileAServerHangs(t *testing.T) {
	t.Parallel()
	r := newRig(t, 3)
	stop := r.runHung(times{keepAlive: time.Second, grace: 300 * time.Millisecond}, 3)
	began := time.Now()
	if err := stop(); err != nil {
		t.Error(err)
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("it stopped after %s", took)
	}
	// What was ordered is there for the next owner at once, and no attempt is counted.
	if left, retries := r.Left(schemas.StreamDispose), r.Left(schemas.StreamRetry); left != 3 || retries != 0 {
		t.Errorf("%d orders are left of 3, %d wait for a retry", left, retries)
	}
	r.mailbox.IMAP.Port = r.server.Target("u1").Port
	r.run()
	r.Eventually("the next owner does it", func() bool {
		return r.Left(schemas.StreamDispose) == 0 && r.server.Count("u1", "PersistedCCSPItems") == 3
	})
	if took := time.Since(began); took > 20*time.Second {
		t.Errorf("it took %s", took)
	}
}

func TestWorkersThatEndedAreForgotten(t *testing.T) {
	t.Parallel()
	p := &partition{running: &running{logger: newRig(t, 1).Logger, suspicions: newSuspicions()}, keeper: newKeeper(), workers: map[string]*worker{}}
	o := order{Dispose: schemas.Dispose{Tenant: tenant, Mailbox: "info"}}
	first := p.assign(o)
	if first == nil || p.assign(o) != nil {
		t.Fatal("the second order of a mailbox needs a worker of its own")
	}
	first.take(true)
	second := p.assign(o)
	if second == nil {
		t.Fatal("a worker that ended took an order")
	}
	if p.forget(first); len(p.workers) != 1 {
		t.Error("the worker that runs was forgotten")
	}
	if p.forget(second); len(p.workers) != 0 {
		t.Errorf("%d workers are remembered that have ended", len(p.workers))
	}
}
