package e2e_test

import (
	"context"
	"database/sql"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"

	"github.com/mailyard/mailyard/pkg/credential"
	"github.com/mailyard/mailyard/pkg/lease"
	"github.com/mailyard/mailyard/pkg/process"
	"github.com/mailyard/mailyard/services/fetcher"
	"github.com/mailyard/mailyard/services/mailyard"
)

// embedded is an installation in this process: embedded NATS, miniredis, SQLite.
type embedded struct {
	in      *mailyard.Installation
	redis   string
	store   string // path of the messaging database
	logger  *zap.Logger
	streams jetstream.JetStream
	urls    []string
}

// openEmbedded opens and runs an installation that ends with the test.
func openEmbedded(t testing.TB, seen func(map[string]int)) *site {
	t.Helper()
	home := mailyard.Home{Dir: filepath.Join(t.TempDir(), "home")}
	settings := home.Defaults()
	settings.Health = freeAddress(t)
	settings.Grace = 20 * time.Second
	settings.MailNetworks = loopback
	logger := newLog(t, "mailyard")
	in := must(mailyard.Open(t.Context(), home, settings, logger))(t)
	t.Cleanup(func() { check(t, in.Close()) })
	run(t, func(ctx context.Context, last process.Part) error { return in.Run(ctx, last) })
	endpoints, _, err := home.Endpoints()
	check(t, err)
	e := &embedded{
		in: in, redis: endpoints.RedisURL, store: filepath.Join(home.Dir, "messaging.db"), logger: logger,
		urls: []string{"http://" + settings.Health + "/metrics"},
	}
	s := newSite(t, e, access{control: in.Control, store: in.Stores["default"], bus: in.Bus, redisURL: e.redis, doors: doors{url: endpoints.AdminURL, token: endpoints.AdminToken}}, seen)
	e.streams = s.bus.JetStream()
	return s
}

// run runs parts until the test ends. It returns when the last part, which it
// gives to the function, was started, and so all before it are ready.
func run(t testing.TB, f func(ctx context.Context, last process.Part) error) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ready, done := make(chan struct{}), make(chan error, 1)
	last := process.Part{Name: "test", Service: process.Func(func(ctx context.Context, r func()) error {
		r()
		close(ready)
		<-ctx.Done()
		return nil
	})}
	go func() { done <- f(ctx, last) }()
	stop = sync.OnceFunc(func() {
		cancel()
		select {
		case err := <-done:
			if err != nil {
				t.Errorf("running mailyard: %v", err)
			}
		case <-time.After(patience):
			t.Errorf("mailyard does not stop")
		}
	})
	t.Cleanup(stop)
	select {
	case <-ready:
	case err := <-done:
		done <- nil
		t.Fatalf("mailyard ended at once: %v", err)
	case <-time.After(patience):
		t.Fatal("mailyard does not become ready")
	}
	return stop
}

func (e *embedded) metricURLs() []string { return e.urls }

func (e *embedded) addFetcher(t testing.TB) (stop func()) {
	t.Helper()
	mail := must(credential.Open(e.in.Settings))(t)
	group := lease.GroupOptions{Replica: "second", TTL: e.in.Settings.LeaseTTL, Heartbeat: 300 * time.Millisecond}
	second := fetcher.New(fetcher.Config{Bus: e.in.Bus, Redis: lease.Options{URL: e.redis, Logger: e.logger}, Group: group, Mail: mail, Logger: e.logger.Named("second")})
	return run(t, func(ctx context.Context, last process.Part) error {
		return process.Run(ctx, process.Options{Logger: e.logger}, process.Part{Name: "fetcher", Service: second}, last)
	})
}

// wipeNATS deletes every stream, and with them consumers and buckets, under the
// hands of the running services.
func (e *embedded) wipeNATS(t testing.TB) {
	t.Helper()
	names := e.streams.StreamNames(t.Context())
	for name := range names.Name() {
		check(t, e.streams.DeleteStream(t.Context(), name))
	}
	check(t, names.Err())
}

// stopStore takes the write lock of the messaging database.
func (e *embedded) stopStore(t testing.TB) (resume func()) {
	t.Helper()
	db := must(sql.Open("sqlite", "file:"+e.store+"?_busy_timeout=10000"))(t)
	conn := must(db.Conn(t.Context()))(t)
	_, err := conn.ExecContext(t.Context(), "BEGIN IMMEDIATE")
	check(t, err)
	return func() {
		t.Helper()
		_, err := conn.ExecContext(t.Context(), "ROLLBACK")
		check(t, err)
		check(t, conn.Close())
		check(t, db.Close())
	}
}

const overdue = `UPDATE undisposed SET due_at = persisted_at WHERE due_at IS NOT NULL`

func (e *embedded) makeOverdue(t testing.TB) {
	t.Helper()
	db := must(sql.Open("sqlite", "file:"+e.store+"?_busy_timeout=10000"))(t)
	_, err := db.ExecContext(t.Context(), overdue)
	check(t, err)
	check(t, db.Close())
}

func (e *embedded) kill(t testing.TB, service string) (restart func()) {
	t.Fatalf("%s cannot be killed alone: it shares a process with this test", service)
	return nil
}
