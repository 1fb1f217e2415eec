package protocollog_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	"go.uber.org/zap/zaptest"

	"github.com/mailyard/mailyard/pkg/lease"
	"github.com/mailyard/mailyard/pkg/lease/leaseserver"
	"github.com/mailyard/mailyard/pkg/mailhost"
	"github.com/mailyard/mailyard/pkg/protocollog"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// start runs a log until the test ends.
func start(t *testing.T) (*protocollog.Log, *lease.Client) {
	t.Helper()
	server, err := leaseserver.Start(leaseserver.Options{})
	if err != nil {
		t.Fatal(err)
	}
	redis, err := lease.Dial(t.Context(), lease.Options{URL: server.URL()})
	if err != nil {
		t.Fatal(err)
	}
	l := protocollog.New(protocollog.Options{Redis: redis, Replica: "one", Logger: zaptest.NewLogger(t)})
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { l.Run(ctx) })
	t.Cleanup(func() {
		cancel()
		wg.Wait()
		if err := redis.Close(); err != nil {
			t.Error(err)
		}
		server.Close()
	})
	return l, redis
}

func switchLog(t *testing.T, redis *lease.Client, until time.Time) {
	t.Helper()
	if err := redis.SwitchProtocolLog(t.Context(), "acme", "info", until); err != nil {
		t.Fatal(err)
	}
}

func logged(t *testing.T, redis *lease.Client) (texts []string) {
	t.Helper()
	lines, _, err := redis.ProtocolLog(t.Context(), "acme", "info", 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range lines {
		texts = append(texts, fmt.Sprintf("%s/%s %s %s", l.Replica, l.Connection, l.Direction, l.Text))
	}
	return texts
}

func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
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

func TestConnectionsAreLoggedWhileTheyAreSwitchedOn(t *testing.T) {
	t.Parallel()
	l, redis := start(t)
	watch, ended := l.Trace("acme", "info", "watch")
	other, otherEnded := l.Trace("acme", "sales", "watch")
	defer otherEnded()
	if watch.Active() {
		t.Error("it is on before anybody switched it on")
	}
	switchLog(t, redis, time.Now().Add(time.Minute))
	eventually(t, "an open connection is logged", watch.Active)
	light, lightEnded := l.Trace("acme", "info", "light")
	defer lightEnded()
	if !light.Active() || other.Active() {
		t.Error("a later connection of the mailbox is not logged, or another mailbox is")
	}
	watch.Say(mailhost.ToServer, "T1 NOOP")
	light.Say(mailhost.FromServer, "T1 OK")
	ended()
	want := "one/watch 1 C T1 NOOP|one/light 2 S T1 OK"
	eventually(t, "the lines are there", func() bool { return strings.Join(logged(t, redis), "|") == want })
	switchLog(t, redis, time.Time{})
	eventually(t, "it is off", func() bool { return !light.Active() })
}

func TestLogEndsByItself(t *testing.T) {
	t.Parallel()
	l, redis := start(t)
	trace, ended := l.Trace("acme", "info", "watch")
	defer ended()
	switchLog(t, redis, time.Now().Add(3*time.Second))
	eventually(t, "it is on", trace.Active)
	eventually(t, "it ended", func() bool { return !trace.Active() })
}

// A connection never waits for the log.
func TestMoreThanCanBeKeptIsCounted(t *testing.T) {
	t.Parallel()
	l, redis := start(t)
	trace, ended := l.Trace("acme", "info", "light")
	defer ended()
	switchLog(t, redis, time.Now().Add(time.Minute))
	eventually(t, "it is on", trace.Active)
	for i := range 100_000 {
		trace.Say(mailhost.FromServer, fmt.Sprint(i))
	}
	eventually(t, "what was left out is told", func() bool {
		return strings.Contains(strings.Join(logged(t, redis), "|"), "lines more were said than can be kept")
	})
}

func TestLogOutlivesRedis(t *testing.T) {
	t.Parallel()
	server, err := leaseserver.Start(leaseserver.Options{})
	if err != nil {
		t.Fatal(err)
	}
	redis, err := lease.Dial(t.Context(), lease.Options{URL: server.URL(), Timeout: 100 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	if err := redis.SwitchProtocolLog(t.Context(), "acme", "info", time.Now().Add(4*time.Second)); err != nil {
		t.Fatal(err)
	}
	l := protocollog.New(protocollog.Options{Redis: redis, Replica: "one", Logger: zaptest.NewLogger(t)})
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { l.Run(ctx) })
	defer func() {
		cancel()
		wg.Wait()
		redis.Close()
	}()
	trace, ended := l.Trace("acme", "info", "watch")
	defer ended()
	eventually(t, "it is on", trace.Active)
	server.Close()
	trace.Say(mailhost.FromServer, "nobody keeps this")
	eventually(t, "it ends at its time all the same", func() bool { return !trace.Active() })
}
