package bus_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"go.uber.org/zap/zaptest/observer"

	"github.com/mailyard/mailyard/pkg/bus"
	"github.com/mailyard/mailyard/pkg/fault"
	"github.com/mailyard/mailyard/schemas"
)

// startSecured runs a server with the rendered configuration.
func startSecured(t *testing.T) (connect func(name string) (*bus.Conn, *observer.ObservedLogs)) {
	t.Helper()
	const password = "a password for tests"
	const hash = "$2a$04$xfr4bI9lmg89cyUd2XbPf.bvPMi.hEYZRkMmvQfnX9rTgJQqIfaqq" // of password
	passwords := map[string]string{}
	for name := range bus.Permissions() {
		passwords[name] = hash
	}
	file := filepath.Join(t.TempDir(), "nats.conf")
	check(t, os.WriteFile(file, []byte(bus.ServerConfig(passwords)), 0o600))
	opts := must(server.ProcessConfigFile(file))(t)
	opts.Host, opts.Port, opts.HTTPPort = "127.0.0.1", server.RANDOM_PORT, 0
	opts.StoreDir, opts.JetStreamMaxStore, opts.NoSigs, opts.NoLog = t.TempDir(), 256<<20, true, true
	ns := must(server.NewServer(opts))(t)
	ns.Start()
	t.Cleanup(func() { ns.Shutdown(); ns.WaitForShutdown() })
	if !ns.ReadyForConnections(patience) {
		t.Fatal("the server is not ready")
	}
	return func(name string) (*bus.Conn, *observer.ObservedLogs) {
		logger, logs := observed()
		c := must(bus.Connect(testContext(t), bus.Options{URL: ns.ClientURL(), Name: name + "-light", User: name, Password: password, Logger: logger}))(t)
		t.Cleanup(func() { check(t, c.Close(testContext(t))) })
		return c, logs
	}
}

func TestPermissionsSuffice(t *testing.T) {
	t.Parallel()
	connect := startSecured(t)
	ctx := testContext(t)
	users := map[string]*bus.Conn{}
	logs := map[string]*observer.ObservedLogs{}
	for name := range bus.Permissions() {
		users[name], logs[name] = connect(name)
	}
	admin, fetcher, classifier, persister, disposer := users["admin"], users["fetcher"], users["classifier"], users["persister"], users["disposer"]
	check(t, admin.Provision(ctx, bus.DefaultTopology(1).Fit(256<<20)))
	running, stop := context.WithCancel(ctx)
	ended := make(chan error, 2)
	go func() { ended <- admin.RunAdvisories(running) }()
	go func() { ended <- disposer.RunRetryPump(running) }()

	for name, c := range users {
		if name == bus.Configurator {
			continue
		}
		c.RetrySoon()
		check(t, c.AwaitTopology(ctx))
	}

	// fetcher
	must(fetcher.Epoch(ctx))(t)
	parked := watchParked(t, fetcher)
	must(must(fetcher.JetStream().KeyValue(ctx, schemas.BucketConfig))(t).Keys(ctx))
	putBlob(t, must(fetcher.Blobs(ctx))(t), "mail", 8<<20)
	check(t, fetcher.GiveUp(ctx, schemas.StageFetcher, key(3), 3, errors.New("it cannot be downloaded")))
	publishFetched(t, fetcher, 1, 2)
	check(t, fetcher.Publish(ctx, schemas.SubjectMailboxState(schemas.StatusLive, tenant, mailbox), fetched(1, ""), ""))

	// classifier: one mail goes on, one dies
	s := subscribe(t, classifier, classifierSource)
	m := receive(t, s)
	check(t, m.InProgress())
	check(t, m.Settle(ctx, errors.New("busy")))
	retry := receive(t, subscribe(t, classifier, retrySource))
	check(t, classifier.Publish(ctx, schemas.SubjectClassified(schemas.Light, tenant, mailbox), fetched(1, "x"), "c:1"))
	check(t, retry.Ack())
	check(t, receive(t, s).Settle(ctx, fault.Permanent(errors.New("no"))))
	check(t, admin.AnnounceProbe(ctx, probe))
	if known := must(classifier.KnowsProbe(ctx, probe))(t); !known {
		t.Error("the classifier does not know a test mail")
	}
	eventually(t, "the fetcher sees the parked mail", func() bool { return parked.Has(key(2)) })

	// persister
	m = receive(t, subscribe(t, persister, bus.Source{Stage: schemas.StagePersister, Stream: schemas.StreamClassifiedLight, Durable: "persister-light"}))
	blobs := must(persister.Blobs(ctx))(t)
	r := must(blobs.Get(ctx, "mail"))(t)
	if n := must(io.Copy(io.Discard, r))(t); n != 8<<20 {
		t.Errorf("the persister read %d bytes", n)
	}
	check(t, r.Close())
	check(t, persister.Publish(ctx, schemas.SubjectDispose(tenant, mailbox), disposal(schemas.ActionPersisted, 1), "d:1"))
	check(t, persister.Publish(ctx, schemas.SubjectPersisted(tenant, "folder"), fetched(1, ""), ""))
	check(t, persister.Publish(ctx, schemas.SubjectRejected(tenant, mailbox), fetched(1, ""), ""))
	check(t, blobs.Delete(ctx, "mail"))
	check(t, m.Ack())

	// disposer, with a detour by RETRY
	var partitions []*bus.Subscription
	for p := range schemas.DisposePartitions {
		partitions = append(partitions, subscribe(t, disposer, bus.Source{Stage: schemas.StageDisposer, Stream: schemas.StreamDispose, Durable: bus.DurableDispose(p)}))
	}
	check(t, receiveAny(t, partitions).Settle(ctx, errors.New("busy")))
	m = receiveAny(t, partitions)
	check(t, disposer.Publish(ctx, schemas.SubjectDisposed(tenant, mailbox), disposal(schemas.ActionPersisted, 1), ""))
	check(t, m.Ack())
	disposed := subscribe(t, persister, bus.Source{Stage: schemas.StagePersister, Stream: schemas.StreamEvents, Durable: bus.DurablePersisterDisposed})
	check(t, receive(t, disposed).Settle(ctx, errors.New("busy")))
	receiveAck(t, subscribe(t, persister, bus.Source{Stage: schemas.StagePersister, Stream: schemas.StreamRetry, Durable: bus.DurablePersisterDisposed}))

	// admin
	check(t, admin.Replay(ctx, letters(t, admin, bus.DeadQuery{Stage: schemas.StageClassifier})[0].Sequence))
	must(must(admin.JetStream().KeyValue(ctx, schemas.BucketConfig))(t).Put(ctx, "tenant.acme", []byte("{}")))(t)
	check(t, admin.Publish(ctx, schemas.SubjectConfigChanged(tenant, schemas.KindTenant, tenant), fetched(1, ""), ""))
	check(t, fetcher.Publish(ctx, schemas.SubjectMailboxState(schemas.StatusPaused, tenant, mailbox), stateEvent(tenant, mailbox, schemas.StatusPaused, 0), ""))
	if states := must(admin.StateHistory(ctx, tenant, mailbox, 1))(t); len(states) != 1 || states[0].Status != schemas.StatusPaused {
		t.Errorf("the admin reads the states %+v", states)
	}
	must(admin.Backlogs(ctx))(t)
	must(admin.CountDeadOf(ctx, tenant))(t)

	// discovery: every service announces itself, and the admin asks
	for name, c := range users {
		if name != bus.Configurator {
			t.Cleanup(must(c.Announce(ctx, name, "v1.2.3-4-gabc", name+"-1"))(t))
		}
	}
	var found []bus.ServiceInfo
	eventually(t, "all services answer in the time that is waited for them", func() bool {
		found = must(admin.Services(ctx))(t)
		return len(found) == 5
	})
	if found[0].Name != "admin" || found[2].Replica != "disposer-1" || found[4].Version != "v1.2.3-4-gabc" || found[3].Started.IsZero() {
		t.Errorf("the services are %+v", found)
	}

	// configurator: asks the admin
	serve(t, admin, endpoint(), func(_ context.Context, r bus.Request) []byte {
		return append([]byte(r.Value("authorization")+" "), r.Body...)
	})
	if got := ask(t, users[bus.Configurator], "config.v1.apply.mailbox", "{}"); got != "Bearer x {}" {
		t.Errorf("the configurator was answered %q", got)
	}

	stop()
	for range cap(ended) {
		check(t, <-ended)
	}
	for name, l := range logs {
		for _, e := range l.FilterMessage("NATS reports an error").All() {
			t.Errorf("%s: %v", name, e.ContextMap())
		}
	}
}

func receiveAny(t *testing.T, subs []*bus.Subscription) *bus.Message {
	t.Helper()
	got := make(chan *bus.Message)
	done := make(chan struct{})
	var wg sync.WaitGroup
	defer wg.Wait() // none may take a message that comes later
	defer close(done)
	for _, s := range subs {
		wg.Go(func() {
			select {
			case m := <-s.Messages():
				select {
				case got <- m:
				case <-done:
				}
			case <-done:
			}
		})
	}
	select {
	case m := <-got:
		return m
	case <-time.After(patience):
		t.Fatal("no partition got a message")
	}
	return nil
}

func TestPermissionsRefuse(t *testing.T) {
	t.Parallel()
	connect := startSecured(t)
	admin, _ := connect("admin")
	check(t, admin.Provision(testContext(t), bus.DefaultTopology(1).Fit(256<<20)))
	for _, step := range []struct {
		user, what string
		try        func(context.Context, *bus.Conn) error
	}{
		{"fetcher", "publish what the persister publishes", func(ctx context.Context, c *bus.Conn) error {
			return c.Publish(ctx, schemas.SubjectDispose(tenant, mailbox), disposal(schemas.ActionPersisted, 1), "")
		}},
		{"fetcher", "write the configuration", func(ctx context.Context, c *bus.Conn) error {
			_, err := c.JetStream().Publish(ctx, "$KV.CONFIG.tenant.acme", nil)
			return err
		}},
		{"classifier", "read a blob", func(ctx context.Context, c *bus.Conn) error {
			b, err := c.Blobs(ctx)
			if err == nil {
				_, err = b.Get(ctx, "mail")
			}
			return err
		}},
		{"classifier", "write another stage's dead letter", func(ctx context.Context, c *bus.Conn) error {
			return c.Publish(ctx, schemas.SubjectDead(schemas.StagePersister, tenant, mailbox), fetched(1, ""), "")
		}},
		{"classifier", "announce a test mail", func(ctx context.Context, c *bus.Conn) error {
			return c.AnnounceProbe(ctx, probe)
		}},
		{"persister", "consume fetched mail", func(ctx context.Context, c *bus.Conn) error {
			_, err := c.JetStream().Consumer(ctx, classifierSource.Stream, classifierSource.Durable)
			return err
		}},
		{"disposer", "create a stream", func(ctx context.Context, c *bus.Conn) error {
			return c.Provision(ctx, bus.DefaultTopology(1).Fit(128<<20))
		}},
		{"configurator", "read the configuration", func(ctx context.Context, c *bus.Conn) error {
			_, err := c.JetStream().KeyValue(ctx, schemas.BucketConfig)
			return err
		}},
		{"configurator", "listen to the requests of others", func(ctx context.Context, c *bus.Conn) error {
			return listen(ctx, c, "config.v1.apply.*")
		}},
		{"configurator", "listen to the answers of the services", func(ctx context.Context, c *bus.Conn) error {
			return listen(ctx, c, "_INBOX_admin.>")
		}},
		{"configurator", "ask for services", func(ctx context.Context, c *bus.Conn) error {
			return refusedWhenEmpty(c.Services(ctx))
		}},
		{"fetcher", "change the configuration by a request", func(ctx context.Context, c *bus.Conn) error {
			_, err := c.NATS().RequestWithContext(ctx, "config.v1.apply.mailbox", nil)
			return err
		}},
		{"fetcher", "announce itself as another service", func(ctx context.Context, c *bus.Conn) error {
			stop, err := c.Announce(ctx, "disposer", "1", "1")
			if err == nil {
				stop()
				err = errors.New("announced in vain") // others are not told by an error
			}
			return err
		}},
		{"disposer", "replay", func(ctx context.Context, c *bus.Conn) error { return c.Replay(ctx, 1) }},
	} {
		t.Run(step.user+"/"+step.what, func(t *testing.T) {
			t.Parallel()
			c, logs := connect(step.user)
			ctx, cancel := context.WithTimeout(testContext(t), time.Second)
			defer cancel()
			if err := step.try(ctx, c); err == nil {
				t.Error("it was allowed")
			}
			eventually(t, "the refusal is logged", func() bool {
				return slices.ContainsFunc(logs.FilterMessage("NATS reports an error").All(), func(e observer.LoggedEntry) bool {
					return strings.Contains(strings.ToLower(e.ContextMap()["error"].(string)), "permissions violation")
				})
			})
		})
	}
}

func refusedWhenEmpty(found []bus.ServiceInfo, err error) error {
	if err == nil && len(found) == 0 {
		err = errors.New("nobody answered")
	}
	return err
}

// listen subscribes and fails if that is refused.
func listen(ctx context.Context, c *bus.Conn, subject string) error {
	s, err := c.NATS().SubscribeSync(subject)
	if err != nil {
		return err
	}
	_, err = s.NextMsgWithContext(ctx)
	return err
}

func TestServerConfig(t *testing.T) {
	t.Setenv("TEST_FETCHER_PASSWORD", "word")
	file := filepath.Join(t.TempDir(), "nats.conf")
	check(t, os.WriteFile(file, []byte(bus.ServerConfig(map[string]string{"fetcher": "$TEST_FETCHER_PASSWORD", "nobody": "x"})), 0o600))
	opts := must(server.ProcessConfigFile(file))(t)
	if len(opts.Users) != 1 || opts.Users[0].Username != "fetcher" || opts.Users[0].Password != "word" {
		t.Errorf("the users are %+v; want the fetcher with the variable's value", opts.Users)
	}
	if opts.MaxPayload != 1<<20 || !opts.JetStream || opts.SyncInterval != time.Second {
		t.Errorf("max_payload %d, JetStream %t, sync_interval %s", opts.MaxPayload, opts.JetStream, opts.SyncInterval)
	}
	own := bus.ServerConfig(map[string]string{"configurator-acme": "x", "configurator-a b": "x"})
	if !strings.Contains(own, `"_INBOX_configurator-acme.>"`) || strings.Contains(own, "a b") {
		t.Errorf("a configurator of its own is rendered as\n%s", own)
	}
	if !bytes.Equal([]byte(bus.ServerConfig(nil)), []byte(bus.ServerConfig(nil))) {
		t.Error("the configuration is not rendered the same twice")
	}
}
