package e2e_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/redis/go-redis/v9"
	"go.uber.org/zap"

	"github.com/mailyard/mailyard/pkg/bus"
	"github.com/mailyard/mailyard/pkg/bus/bustest"
	"github.com/mailyard/mailyard/pkg/control"
	"github.com/mailyard/mailyard/pkg/lease"
	"github.com/mailyard/mailyard/pkg/mailstore"
	"github.com/mailyard/mailyard/schemas"
	"github.com/mailyard/mailyard/schemas/contract"
)

// An installation is a running mailyard, in one of its topologies.
type installation interface {
	// addFetcher starts one more replica, which ends with the test, or before.
	addFetcher(t testing.TB) (stop func())
	// wipeNATS loses everything that NATS holds.
	wipeNATS(t testing.TB)
	// stopStore makes the messaging database refuse writes until resume is called.
	stopStore(t testing.TB) (resume func())
	// makeOverdue makes it time to ask again for disposals that are not recorded.
	makeOverdue(t testing.TB)
	// kill ends a service without giving it time for anything, until restart is called.
	kill(t testing.TB, service string) (restart func())
	// metricURLs are where the fetchers show their metrics.
	metricURLs() []string
}

// A site is an installation and what the scenarios see and change it by.
type site struct {
	installation
	control  *control.Store
	store    mailstore.Store // "default"
	bus      *bus.Conn
	states   *lease.Client
	redisURL string
	doors    doors
}

// access is what a topology gives for the making of a site.
type access struct {
	control  *control.Store
	store    mailstore.Store
	bus      bus.Options // of a user who may do everything
	redisURL string
	doors    doors
}

// newSite connects to an installation. seen is told at the end how many events
// of each type were published; without it nobody listens to them, and checks them.
func newSite(t testing.TB, in installation, a access, seen func(map[string]int)) *site {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	s := &site{installation: in, control: a.control, store: a.store, redisURL: a.redisURL, doors: a.doors}
	conn := func(name string) *bus.Conn {
		a.bus.Logger = zap.NewNop()
		c := must(bus.Connect(ctx, a.bus.Named(name)))(t)
		t.Cleanup(func() {
			ctx, cancel := context.WithTimeout(context.Background(), patience)
			defer cancel()
			check(t, c.Close(ctx))
		})
		return c
	}
	s.bus = conn("test")
	if seen != nil {
		tap := bustest.Tap(t, conn("tap"), contract.Validate)
		t.Cleanup(func() {
			tap.Check(t)
			seen(tap.Seen())
		})
	}
	s.states = must(lease.Dial(ctx, lease.Options{URL: a.redisURL}))(t)
	t.Cleanup(func() { check(t, s.states.Close()) })
	return s
}

// flushRedis loses everything that Redis holds.
func (s *site) flushRedis(t testing.TB) {
	t.Helper()
	c := redis.NewClient(must(redis.ParseURL(s.redisURL))(t))
	defer c.Close()
	check(t, c.FlushAll(t.Context()).Err())
}

// queued counts the messages about a tenant's mail that wait in the streams
// between fetch and disposal.
func (s *site) queued(t testing.TB, tenant string) int {
	t.Helper()
	n := 0
	for stream, filter := range map[string]string{
		schemas.StreamFetchedLight: "mail.v1.fetched.*.%s.*", schemas.StreamFetchedLarge: "mail.v1.fetched.*.%s.*",
		schemas.StreamClassifiedLight: "mail.v1.classified.*.%s.*", schemas.StreamClassifiedLarge: "mail.v1.classified.*.%s.*",
		schemas.StreamDispose: "mail.v1.dispose.*.%s.*",
	} {
		n += s.waiting(t, stream, fmt.Sprintf(filter, tenant))
	}
	return n
}

// waiting counts the messages of a stream on some subjects.
func (s *site) waiting(t testing.TB, stream, subjects string) (n int) {
	t.Helper()
	st := must(s.bus.JetStream().Stream(t.Context(), stream))(t)
	info := must(st.Info(t.Context(), jetstream.WithSubjectFilter(subjects)))(t)
	for _, count := range info.State.Subjects {
		n += int(count)
	}
	return n
}

// unaccounted is the sum of the metric of that name over a tenant's mailboxes.
func (s *site) unaccounted(t testing.TB, tenant string) int {
	t.Helper()
	sum := 0
	for _, url := range s.metricURLs() {
		for line := range strings.Lines(get(t, url)) {
			if strings.HasPrefix(line, "mailyard_unaccounted_mails{") && strings.Contains(line, `tenant="`+tenant+`"`) {
				_, value, _ := strings.Cut(strings.TrimSpace(line), "} ")
				sum += int(must(strconv.ParseFloat(value, 64))(t))
			}
		}
	}
	return sum
}

func get(t testing.TB, url string) string {
	t.Helper()
	client := http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	r, err := client.Get(url)
	check(t, err)
	defer r.Body.Close()
	return string(must(io.ReadAll(bufio.NewReader(r.Body)))(t))
}

func freeAddress(t testing.TB) string {
	t.Helper()
	l := must(net.Listen("tcp", "127.0.0.1:0"))(t)
	defer l.Close()
	return l.Addr().String()
}

// A census counts the events of each type over all sites of a suite, and the
// scenarios that were played.
type census struct {
	mu        sync.Mutex
	seen      map[string]int
	scenarios int
}

func (c *census) add(seen map[string]int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for name, n := range seen {
		c.seen[name] += n
	}
}

func (c *census) played() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.scenarios++
}
