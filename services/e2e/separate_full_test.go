//go:build full

package e2e_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"go.uber.org/zap"

	"github.com/mailyard/mailyard/pkg/bus"
	"github.com/mailyard/mailyard/pkg/control"
	"github.com/mailyard/mailyard/pkg/mailstore/stores"
	"github.com/mailyard/mailyard/pkg/secret"
)

// separate is an installation of one process per service, nats-server and Redis,
// and databases of its own in PostgreSQL.
type separate struct {
	binaries     string
	dir          string
	env          []string
	nats         *proc
	natsStore    string
	services     map[string]*proc
	urls         []string
	messaging    string // name of the database
	messagingURL string
	doors        doors
}

// leaseTTL is short, so that mailboxes of a killed service are soon served again.
const leaseTTL = "3s"

// separateTopology builds the services, once for all installations.
func separateTopology(t testing.TB, flags ...string) topology {
	binaries := buildServices(t, flags...)
	return topology{separate: true, open: func(t testing.TB, seen func(map[string]int)) *site {
		return openSeparate(t, binaries, seen)
	}}
}

func openSeparate(t testing.TB, binaries string, seen func(map[string]int)) *site {
	t.Helper()
	s := &separate{binaries: binaries, dir: t.TempDir(), services: map[string]*proc{}}
	keyFile := filepath.Join(s.dir, "master.key")
	key := must(secret.GenerateMasterKey())(t)
	check(t, key.Save(keyFile))
	controlURL, _ := createDatabase(t)
	messagingURL, name := createDatabase(t)
	s.messaging, s.messagingURL = name, messagingURL
	options := s.startNATS(t)
	redisURL := s.startRedis(t)
	s.doors = doors{url: "http://" + freeAddress(t), token: "e2e-" + rand.Text(), database: controlURL, master: key}
	s.env = []string{
		"MAILYARD_NATS_URL=" + options.URL, "MAILYARD_REDIS_URL=" + redisURL,
		"MAILYARD_CONTROL_URL=" + controlURL, "MAILYARD_MESSAGING_DEFAULT=" + messagingURL,
		"MAILYARD_MASTER_KEY_FILE=" + keyFile, "MAILYARD_LEASE_TTL=" + leaseTTL, "MAILYARD_GRACE=20s",
		"MAILYARD_MAIL_NETWORKS=" + strings.Join(loopback, " "),
	}
	// The databases are migrated here, because several services would begin to at once.
	a := access{bus: options, redisURL: redisURL, doors: s.doors}
	a.control = must(control.Open(t.Context(), controlURL, zap.NewNop(), control.WithMasterKey(key)))(t)
	t.Cleanup(func() { check(t, a.control.Close()) })
	all := must(stores.Open(t.Context(), map[string]secret.String{"default": secret.NewString(messagingURL)}, zap.NewNop()))(t)
	t.Cleanup(func() { check(t, all.Close()) })
	a.store = all["default"]
	for _, name := range services {
		s.services[name] = s.newService(t, name)
		s.services[name].launch(t)
	}
	for _, name := range services {
		s.services[name].awaitReady(t)
	}
	return newSite(t, s, a, seen)
}

// newService returns a service that is not started yet.
func (s *separate) newService(t testing.TB, name string) *proc {
	t.Helper()
	health := freeAddress(t)
	if name == "fetcher" {
		s.urls = append(s.urls, "http://"+health+"/metrics")
	}
	env := append(slices.Clone(s.env), "MAILYARD_HEALTH_ADDR="+health, "MAILYARD_NATS_USER="+name, "MAILYARD_NATS_PASSWORD="+natsPassword)
	if name == "admin" { // with all its doors, as in a deployment
		env = append(env, "MAILYARD_ADMIN_LISTEN="+strings.TrimPrefix(s.doors.url, "http://"), "MAILYARD_ADMIN_OPERATOR_TOKEN="+s.doors.token)
	}
	return &proc{name: name, path: filepath.Join(s.binaries, name), env: env, dir: s.dir, ready: answers("http://" + health + "/readyz")}
}

const (
	natsPassword = "word-of-NATS"
	allowedAll   = "test" // a user who may do everything
)

// startNATS starts a nats-server with the users and permissions of a deployment.
func (s *separate) startNATS(t testing.TB) bus.Options {
	t.Helper()
	passwords := map[string]string{}
	for name := range bus.Permissions() {
		passwords[name] = "$NATS_PASSWORD"
	}
	config := bus.ServerConfig(passwords)
	s.natsStore = filepath.Join(s.dir, "nats")
	address := freeAddress(t)
	for _, change := range [][2]string{
		{"0.0.0.0:4222", address}, {"127.0.0.1:8222", freeAddress(t)}, {`"/data"`, fmt.Sprintf("%q\n  max_file_store: 128GB", s.natsStore)},
		{"users = [\n", "users = [\n    { user: " + allowedAll + ", password: $NATS_PASSWORD }\n"},
	} {
		if !strings.Contains(config, change[0]) {
			t.Fatalf("the configuration of nats-server does not contain %s", change[0])
		}
		config = strings.Replace(config, change[0], change[1], 1)
	}
	file := filepath.Join(s.dir, "nats.conf")
	check(t, os.WriteFile(file, []byte(config), 0o600))
	s.nats = &proc{
		name: "nats-server", path: setting(t, "MAILYARD_TEST_NATS_SERVER"), args: []string{"-c", file},
		env: []string{"NATS_PASSWORD=" + natsPassword}, dir: s.dir, ready: accepts(address),
	}
	s.nats.start(t)
	return bus.Options{URL: "nats://" + address, User: allowedAll, Password: natsPassword}
}

// startRedis starts a Redis of the installation's own, which keeps nothing.
func (s *separate) startRedis(t testing.TB) (url string) {
	t.Helper()
	address := freeAddress(t)
	_, port, _ := strings.Cut(address, ":")
	p := &proc{
		name: "redis-server", path: "redis-server", dir: s.dir, ready: accepts(address),
		args: []string{"--bind", "127.0.0.1", "--port", port, "--save", "", "--appendonly", "no"},
	}
	p.start(t)
	return "redis://" + address + "/0"
}

// setting returns a variable of the environment that a test run must have.
func setting(t testing.TB, name string) string {
	t.Helper()
	value := os.Getenv(name)
	if value == "" {
		t.Fatalf("%s is not set; run make test", name)
	}
	return value
}

// createDatabase creates a database that is dropped when the test ends.
func createDatabase(t testing.TB) (databaseURL, name string) {
	t.Helper()
	name = "e2e_" + strings.ToLower(rand.Text()[:12])
	postgres(t, t.Context(), "CREATE DATABASE "+name)
	t.Cleanup(func() {
		ctx, cancel := background(t)
		defer cancel()
		postgres(t, ctx, "DROP DATABASE "+name+" WITH (FORCE)")
	})
	u := must(url.Parse(setting(t, "MAILYARD_TEST_POSTGRES")))(t)
	u.Path = "/" + name
	return u.String(), name
}

// postgres runs statements as the superuser.
func postgres(t testing.TB, ctx context.Context, statements ...string) {
	t.Helper()
	conn := must(pgx.Connect(ctx, setting(t, "MAILYARD_TEST_POSTGRES")))(t)
	defer conn.Close(context.WithoutCancel(ctx))
	for _, statement := range statements {
		_, err := conn.Exec(ctx, statement)
		check(t, err)
	}
}

func (s *separate) metricURLs() []string { return s.urls }

func (s *separate) addFetcher(t testing.TB) (stop func()) {
	t.Helper()
	p := s.newService(t, "fetcher")
	p.start(t)
	return func() {
		p.stop(t)
		s.urls = s.urls[:1] // of the first
	}
}

// wipeNATS kills nats-server and deletes what it stored.
func (s *separate) wipeNATS(t testing.TB) {
	t.Helper()
	s.nats.kill()
	check(t, os.RemoveAll(s.natsStore))
	s.nats.start(t)
}

// stopStore lets nobody into the messaging database and puts out who is in.
func (s *separate) stopStore(t testing.TB) (resume func()) {
	t.Helper()
	postgres(t, t.Context(),
		"ALTER DATABASE "+s.messaging+" ALLOW_CONNECTIONS false",
		"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '"+s.messaging+"'")
	return func() {
		t.Helper()
		postgres(t, t.Context(), "ALTER DATABASE "+s.messaging+" ALLOW_CONNECTIONS true")
	}
}

func (s *separate) makeOverdue(t testing.TB) {
	t.Helper()
	conn := must(pgx.Connect(t.Context(), s.messagingURL))(t)
	defer conn.Close(context.WithoutCancel(t.Context()))
	_, err := conn.Exec(t.Context(), overdue)
	check(t, err)
}

// kill is kill -9.
func (s *separate) kill(t testing.TB, service string) (restart func()) {
	t.Helper()
	s.services[service].kill()
	return func() {
		t.Helper()
		s.services[service].start(t)
	}
}
