package busserver_test

import (
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/mailyard/mailyard/pkg/bus/busserver"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func start(t *testing.T, o busserver.Options) *busserver.Server {
	t.Helper()
	if o.Dir == "" {
		o.Dir = t.TempDir()
	}
	if o.Logger == nil {
		o.Logger = zap.NewNop()
	}
	s, err := busserver.Start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Shutdown)
	return s
}

// store publishes to a stream and returns how many messages it holds.
func store(t *testing.T, nc *nats.Conn) uint64 {
	t.Helper()
	js, err := nc.JetStream()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := js.AddStream(&nats.StreamConfig{Name: "S", Subjects: []string{"s"}}); err != nil {
		t.Fatal(err)
	}
	if _, err := js.Publish("s", nil); err != nil {
		t.Fatal(err)
	}
	info, err := js.StreamInfo("S")
	if err != nil {
		t.Fatal(err)
	}
	return info.State.Msgs
}

func TestInProcessWithoutListener(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for want := uint64(1); want <= 2; want++ {
		s := start(t, busserver.Options{Dir: dir})
		if url := s.ClientURL(); url != "" {
			t.Errorf("without a listener the URL is %s", url)
		}
		nc, err := nats.Connect("", nats.InProcessServer(s))
		if err != nil {
			t.Fatal(err)
		}
		if got := store(t, nc); got != want {
			t.Errorf("the stream holds %d messages; want %d: it outlives the server", got, want)
		}
		nc.Close()
		s.Shutdown()
		s.Shutdown()
	}
}

func TestPasswordIsRequired(t *testing.T) {
	t.Parallel()
	s := start(t, busserver.Options{Listen: "127.0.0.1:0", User: "u", Password: "correct horse"})
	for _, opts := range [][]nats.Option{nil, {nats.UserInfo("u", "wrong")}} {
		if nc, err := nats.Connect(s.ClientURL(), opts...); err == nil {
			nc.Close()
			t.Error("connected without the password")
		}
	}
	nc, err := nats.Connect(s.ClientURL(), nats.UserInfo("u", "correct horse"))
	if err != nil {
		t.Fatal(err)
	}
	store(t, nc)
	nc.Close()
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	taken := start(t, busserver.Options{Listen: "127.0.0.1:0"})
	for _, c := range []struct {
		o    busserver.Options
		want string
	}{
		{busserver.Options{Dir: "-"}, "directory"},
		{busserver.Options{Listen: "0.0.0.0:0"}, "loopback"},
		{busserver.Options{Listen: "localhost:0"}, "loopback"},
		{busserver.Options{Listen: "127.0.0.1"}, "port"},
		{busserver.Options{Listen: "127.0.0.1:70000"}, "port"},
		{busserver.Options{Listen: "127.0.0.1:0", User: "u"}, "password"},
		{busserver.Options{Listen: strings.TrimPrefix(taken.ClientURL(), "nats://")}, "in use"},
	} {
		switch c.o.Dir {
		case "-":
			c.o.Dir = ""
		default:
			c.o.Dir = t.TempDir()
		}
		c.o.Logger = zap.NewNop()
		s, err := busserver.Start(c.o)
		if err == nil {
			s.Shutdown()
		}
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("starting with %+v gave %v; want a refusal about the %s", c.o, err, c.want)
		}
	}
}

func TestStoreLimitAndLog(t *testing.T) {
	t.Parallel()
	core, logs := observer.New(zap.DebugLevel)
	s := start(t, busserver.Options{Listen: "127.0.0.1:0", MaxStore: 1 << 20, Logger: zap.New(core)})
	if s.MaxStore() != 1<<20 {
		t.Errorf("MaxStore is %d", s.MaxStore())
	}
	nc, err := nats.Connect(s.ClientURL())
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	js, err := nc.JetStream(nats.MaxWait(5 * time.Second))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := js.AddStream(&nats.StreamConfig{Name: "S", Subjects: []string{"s"}, MaxBytes: 2 << 20}); err == nil {
		t.Error("a stream may reserve more than there is")
	}
	if logs.FilterMessage("NATS server").Len() == 0 {
		t.Error("the server's log does not arrive")
	}
}
