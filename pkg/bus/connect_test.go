package bus_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"go.uber.org/zap"

	"github.com/mailyard/mailyard/pkg/bus"
	"github.com/mailyard/mailyard/pkg/bus/busserver"
)

func freeAddress(t *testing.T) string {
	t.Helper()
	l := must(net.Listen("tcp", "127.0.0.1:0"))(t)
	defer l.Close()
	return l.Addr().String()
}

func startServer(t *testing.T, o busserver.Options) *busserver.Server {
	t.Helper()
	o.Dir, o.Logger = t.TempDir(), zap.NewNop()
	s := must(busserver.Start(o))(t)
	t.Cleanup(s.Shutdown)
	return s
}

func TestConnectWaitsForTheServer(t *testing.T) {
	t.Parallel()
	address := freeAddress(t)
	logger, logs := observed()
	type result struct {
		c   *bus.Conn
		err error
	}
	connected := make(chan result, 1)
	go func() {
		c, err := bus.Connect(testContext(t), bus.Options{URL: "nats://" + address, Name: "early", Logger: logger})
		connected <- result{c, err}
	}()
	const away = "NATS cannot be reached; trying again until it can"
	eventually(t, "the outage is logged", func() bool { return logs.FilterMessage(away).Len() > 0 })
	startServer(t, busserver.Options{Listen: address})
	r := <-connected
	check(t, r.err)
	check(t, r.c.Close(testContext(t)))
	if n := logs.FilterMessage(away).Len(); n != 1 {
		t.Errorf("one outage was logged %d times", n)
	}
}

func TestConnectGivesUpWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(testContext(t), 300*time.Millisecond)
	defer cancel()
	_, err := bus.Connect(ctx, bus.Options{URL: "nats://" + freeAddress(t), Name: "x", Logger: zap.NewNop()})
	if !errors.Is(err, nats.ErrNoServers) {
		t.Errorf("connecting to nobody gave %v; want no servers", err)
	}
}

func TestConnectRefusals(t *testing.T) {
	t.Parallel()
	s := startServer(t, busserver.Options{Listen: "127.0.0.1:0", User: "u", Password: "correct horse"})
	for name, o := range map[string]bus.Options{
		"wrong password": {URL: s.ClientURL(), Name: "x", User: "u", Password: "wrong horse"},
		"no password":    {URL: s.ClientURL(), Name: "x"},
		"bad name":       {InProcess: s, Name: "a.b", User: "u", Password: "correct horse"},
		"no name":        {InProcess: s, User: "u", Password: "correct horse"},
		"no server":      {Name: "x"},
	} {
		o.Logger = zap.NewNop()
		begun := time.Now()
		_, err := bus.Connect(testContext(t), o)
		if err == nil || time.Since(begun) > patience/2 {
			t.Errorf("%s: %v after %s; want a refusal at once", name, err, time.Since(begun))
		}
		if err != nil && strings.Contains(err.Error(), "horse") {
			t.Errorf("%s: the error tells the password: %v", name, err)
		}
	}
	c := must(bus.Connect(testContext(t), bus.Options{InProcess: s, Name: "x", User: "u", Password: "correct horse", Logger: zap.NewNop()}))(t)
	if inbox := c.NATS().NewInbox(); !strings.HasPrefix(inbox, "_INBOX_u.") {
		t.Errorf("replies go to %s, which the user may not read", inbox)
	}
	check(t, c.Close(testContext(t)))
}
