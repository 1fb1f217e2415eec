package lease_test

import (
	"context"
	"crypto/rand"
	"io"
	"net"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"
	"go.uber.org/zap/zaptest"

	"github.com/mailyard/mailyard/pkg/lease"
	"github.com/mailyard/mailyard/pkg/lease/leaseserver"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestEmbedded(t *testing.T) {
	suite(t, func(t *testing.T) string {
		s, err := leaseserver.Start(leaseserver.Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(s.Close)
		return s.URL()
	})
}

// suite is what holds on every kind of Redis. Start returns the URL of one,
// which tests may share: each has its own key prefix.
func suite(t *testing.T, start func(*testing.T) string) {
	tests := map[string]func(*testing.T, *backend){
		"sole replica holds what is wanted":                     testWant,
		"a stop at any moment gives leases back":                testStopGivesBack,
		"replicas come and go":                                  testComeAndGo,
		"crashed replica is replaced":                           testCrash,
		"hand-over needs no expiry":                             testHandOver,
		"hand-over waits for a slow hold":                       testSlowHandOver,
		"early return is called again":                          testEarlyReturn,
		"flush disturbs nobody":                                 testFlush,
		"outage shorter than the lease":                         testShortOutage,
		"outage longer than the lease":                          testLongOutage,
		"stolen lease":                                          testStolen,
		"group runs once":                                       testRunsOnce,
		"marks":                                                 testMarks,
		"marks lapse":                                           testMarksLapse,
		"daily counts":                                          testDailyCounts,
		"marks of another epoch are void":                       testMarksEpoch,
		"budget is never exceeded":                              testBudgetLimit,
		"budget serves in order":                                testBudgetOrder,
		"budget forgets who gave up":                            testBudgetGiveUp,
		"permits are renewed, those of a crashed replica lapse": testBudgetLapse,
		"closing gives permits back":                            testBudgetClose,
		"budget without limit":                                  testBudgetUnlimited,
		"permit at once or not at all":                          testBudgetTry,
		"what happened lately":                                  testWindow,
		"states":                                                testStates,
		"protocol log":                                          testProtocolLog,
		"protocol log ends":                                     testProtocolEnds,
		"protocol log is capped":                                testProtocolCapped,
		"SMTP tests":                                            testOutgoing,
		"errors while away":                                     testAway,
		"wrong password":                                        testWrongPassword,
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, &backend{url: start(t), prefix: "test-" + rand.Text() + ":"})
		})
	}
}

// backend is a Redis with a part of its keys for one test.
type backend struct{ url, prefix string }

func (b *backend) dial(t *testing.T) *lease.Client { return b.dialURL(t, b.url) }

func (b *backend) dialURL(t *testing.T, url string) *lease.Client {
	t.Helper()
	c, err := lease.Dial(t.Context(), lease.Options{URL: url, Prefix: b.prefix, Timeout: 5 * time.Second, Logger: zaptest.NewLogger(t)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

// raw calls f with a plain client, for what no mailyard process would do.
func (b *backend) raw(t *testing.T, f func(ctx context.Context, r *redis.Client)) {
	t.Helper()
	o, err := redis.ParseURL(b.url)
	if err != nil {
		t.Fatal(err)
	}
	r := redis.NewClient(o)
	defer r.Close()
	f(t.Context(), r)
}

// flush removes all keys of the test.
func (b *backend) flush(t *testing.T) {
	t.Helper()
	b.raw(t, func(ctx context.Context, r *redis.Client) {
		keys, err := r.Keys(ctx, b.prefix+"*").Result()
		if err != nil || len(keys) == 0 {
			t.Fatalf("no keys to flush: %v", err)
		}
		if err := r.Del(ctx, keys...).Err(); err != nil {
			t.Fatal(err)
		}
	})
}

// A line is a way to the backend that can be cut.
type line struct {
	url string

	mu    sync.Mutex
	cut   bool
	conns []net.Conn
}

func (b *backend) line(t *testing.T) *line {
	t.Helper()
	u, err := url.Parse(b.url)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	target := u.Host
	u.Host = listener.Addr().String()
	l := &line{url: u.String()}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			near, err := listener.Accept()
			if err != nil {
				return
			}
			far, err := net.Dial("tcp", target)
			if err != nil || !l.add(near, far) {
				near.Close()
				if far != nil {
					far.Close()
				}
				continue
			}
			wg.Go(func() { io.Copy(near, far); near.Close() })
			wg.Go(func() { io.Copy(far, near); far.Close() })
		}
	})
	t.Cleanup(func() {
		listener.Close()
		l.setCut(true)
		wg.Wait()
	})
	return l
}

func (l *line) add(conns ...net.Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.cut {
		l.conns = append(l.conns, conns...)
	}
	return !l.cut
}

// setCut closes all connections and refuses new ones, or lets them through.
func (l *line) setCut(cut bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cut = cut
	for _, c := range l.conns {
		c.Close()
	}
	l.conns = nil
}

// eventually waits until the condition holds.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(20 * time.Second)
	for !condition() {
		select {
		case <-tick.C:
		case <-limit:
			t.Fatalf("waited in vain until %s", what)
		}
	}
}

// during checks the condition all the time.
func during(t *testing.T, d time.Duration, what string, condition func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(d)
	for {
		if !condition() {
			t.Fatalf("not any more: %s", what)
		}
		select {
		case <-tick.C:
		case <-limit:
			return
		}
	}
}
