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

	for _, c := range users {
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
		{"persister", "consume fetched mail", func(ctx context.Context, c *bus.Conn) error {
			_, err := c.JetStream().Consumer(ctx, classifierSource.Stream, classifierSource.Durable)
			return err
		}},
		{"disposer", "create a stream", func(ctx context.Context, c *bus.Conn) error {
			return c.Provision(ctx, bus.DefaultTopology(1).Fit(128<<20))
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
	if !bytes.Equal([]byte(bus.ServerConfig(nil)), []byte(bus.ServerConfig(nil))) {
		t.Error("the configuration is not rendered the same twice")
	}
}
