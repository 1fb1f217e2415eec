package bus_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"go.uber.org/zap"

	"github.com/mailyard/mailyard/pkg/bus"
	"github.com/mailyard/mailyard/pkg/bus/bustest"
)

func endpoint() bus.Endpoint {
	return bus.Endpoint{
		Service: "config", Version: "1.0.0", Subject: "config.v1.apply.*", Parallel: 2, MaxBytes: 1000,
		Refuse: func(r bus.Refusal) []byte { return []byte("refused: " + string(r)) },
	}
}

// serve serves until the test ends, or until stop is called.
func serve(t *testing.T, c *bus.Conn, e bus.Endpoint, handle func(context.Context, bus.Request) []byte) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- c.Serve(ctx, e, handle) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	t.Cleanup(stop)
	return stop
}

// ask asks until somebody is there who answers.
func ask(t *testing.T, c *bus.Conn, subject, body string) string {
	t.Helper()
	ctx := testContext(t)
	answer := ""
	eventually(t, "somebody answers", func() bool {
		msg, err := c.NATS().RequestMsgWithContext(ctx, request(subject, body))
		if errors.Is(err, nats.ErrNoResponders) {
			return false
		}
		check(t, err)
		answer = string(msg.Data)
		return true
	})
	return answer
}

func request(subject, body string) *nats.Msg {
	return &nats.Msg{Subject: subject, Data: []byte(body), Header: nats.Header{"Authorization": {"Bearer x"}}}
}

func testServe(t *testing.T, srv *bustest.Server) {
	client := srv.Connect(t, "test", nil)
	seen := make(chan string, 100)
	for _, name := range []string{"first", "second"} {
		serve(t, srv.Connect(t, name, nil), endpoint(), func(ctx context.Context, r bus.Request) []byte {
			if _, ok := ctx.Deadline(); !ok {
				t.Error("a request has no deadline")
			}
			seen <- name
			if string(r.Body) == "panic" {
				panic("no")
			}
			return []byte(strings.Join([]string{r.Subject, r.Value("authorization"), string(r.Body)}, " "))
		})
	}
	if got := ask(t, client, "config.v1.apply.mailbox", "{}"); got != "config.v1.apply.mailbox Bearer x {}" {
		t.Errorf("the answer is %q", got)
	}
	if got := ask(t, client, "config.v1.apply.mailbox", "panic"); got != "refused: failed" {
		t.Errorf("after a panic the answer is %q", got)
	}
	for range 10 {
		ask(t, client, "config.v1.apply.folder", "")
	}
	if n := len(seen); n != 12 {
		t.Errorf("%d requests were handled, want each once, 12", n)
	}
}

func testServeRefuses(t *testing.T, srv *bustest.Server) {
	logger, logs := observed()
	client, server := srv.Connect(t, "test", nil), srv.Connect(t, "server", logger)
	begun, release := make(chan struct{}, 100), make(chan struct{})
	stop := serve(t, server, endpoint(), func(_ context.Context, r bus.Request) []byte {
		switch string(r.Body) {
		case "wait":
			begun <- struct{}{}
			<-release
		case "large":
			return make([]byte, 2<<20)
		}
		return []byte("done")
	})
	if got := ask(t, client, "config.v1.apply.mailbox", strings.Repeat("x", 1001)); got != "refused: too large" {
		t.Errorf("a request of 1,001 bytes is answered %q", got)
	}
	if got := ask(t, client, "config.v1.apply.mailbox", "large"); got != "refused: answer" {
		t.Errorf("an answer that is too large is %q", got)
	}
	// What answers to a service's inbox, or to what is none, would use the
	// rights of the admin for who has not got them.
	for _, reply := range []string{"_INBOX_fetcher.x.1", "_INBOX_admin.x", "$KV.CONFIG.tenant.acme", "mail.v1.dead.fetcher.acme.inbox", "_INBOX"} {
		before := logs.FilterMessageSnippet("cannot be answered where it says").Len()
		check(t, client.NATS().PublishMsg(&nats.Msg{Subject: "config.v1.apply.mailbox", Reply: reply}))
		eventually(t, "a request that answers to "+reply+" is dropped", func() bool {
			return logs.FilterMessageSnippet("cannot be answered where it says").Len() > before
		})
	}
	// Two are handled, eight wait, the others are told at once.
	answers := make(chan string, 30)
	for range 30 {
		go func() {
			msg, err := client.NATS().RequestMsgWithContext(testContext(t), request("config.v1.apply.mailbox", "wait"))
			if err != nil {
				answers <- err.Error()
				return
			}
			answers <- string(msg.Data)
		}()
	}
	for range 20 {
		if got := receiveAnswer(t, answers); got != "refused: busy" {
			t.Errorf("while all are busy the answer is %q", got)
		}
	}
	for range 2 { // who was told came before them, perhaps
		select {
		case <-begun:
		case <-time.After(patience):
			t.Fatal("two requests are not handled at once")
		}
	}
	if n := len(begun); n != 0 {
		t.Errorf("%d requests more than 2 are handled at once", n)
	}
	close(release)
	for range 10 {
		if got := receiveAnswer(t, answers); got != "done" {
			t.Errorf("what waited is answered %q", got)
		}
	}
	stop()
	if err := server.Serve(t.Context(), bus.Endpoint{Service: "config", Subject: "x"}, nil); err == nil {
		t.Error("an endpoint that cannot refuse is served")
	}
}

func receiveAnswer(t *testing.T, answers <-chan string) string {
	t.Helper()
	select {
	case a := <-answers:
		return a
	case <-time.After(patience):
		t.Fatal("no answer came")
	}
	return ""
}

// What is begun when the process stops is finished and answered; what waits is
// refused, so that another replica can be asked.
func testServeDrains(t *testing.T, srv *bustest.Server) {
	client := srv.Connect(t, "test", zap.NewNop())
	begun, release := make(chan struct{}, 10), make(chan struct{})
	e := endpoint()
	e.Parallel = 1
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	server := srv.Connect(t, "server", nil)
	go func() {
		ended <- server.Serve(ctx, e, func(ctx context.Context, _ bus.Request) []byte {
			begun <- struct{}{}
			<-release
			if ctx.Err() != nil {
				return []byte("cancelled")
			}
			return []byte("done")
		})
	}()
	answers := make(chan string, 3)
	send := func() {
		go func() { answers <- ask(t, client, "config.v1.apply.mailbox", "") }()
	}
	send()
	select {
	case <-begun:
	case <-time.After(patience):
		t.Fatal("no request was begun")
	}
	sub := must(client.NATS().SubscribeSync(client.NATS().NewRespInbox()))(t)
	check(t, client.NATS().PublishMsg(&nats.Msg{Subject: "config.v1.apply.mailbox", Reply: sub.Subject}))
	check(t, client.NATS().Flush())
	check(t, server.NATS().Flush()) // the second waits behind the first, in the process
	cancel()
	select {
	case err := <-ended:
		t.Fatalf("Serve ended while a request was handled: %v", err)
	case <-time.After(100 * time.Millisecond):
	}
	close(release)
	if got := receiveAnswer(t, answers); got != "done" {
		t.Errorf("what was begun is answered %q", got)
	}
	if msg := must(sub.NextMsg(patience))(t); string(msg.Data) != "refused: busy" {
		t.Errorf("what waited is answered %q", msg.Data)
	}
	check(t, <-ended)
}

func testServices(t *testing.T, srv *bustest.Server) {
	c := srv.Connect(t, "test", nil)
	ctx := testContext(t)
	if found := must(c.Services(ctx))(t); len(found) != 0 {
		t.Errorf("before any announced itself the services are %+v", found)
	}
	one, two := srv.Connect(t, "one", nil), srv.Connect(t, "two", nil)
	must(one.Announce(ctx, "fetcher", "dev (unreleased)", "host-1"))(t)
	stop := must(two.Announce(ctx, "fetcher", "v2.0.1", "host-2"))(t)
	serve(t, one, endpoint(), func(context.Context, bus.Request) []byte { return nil })
	ask(t, c, "config.v1.apply.mailbox", "") // the endpoint is there, and is no process of its own
	start := time.Now()
	found := must(c.Services(ctx))(t)
	if took := time.Since(start); took > patience/2 {
		t.Errorf("asking took %s: it waited for the context", took)
	}
	eventually(t, "both answer in the time that is waited for them", func() bool {
		found = must(c.Services(ctx))(t)
		return len(found) == 2
	})
	if found[0].Replica != "host-1" || found[0].Version != "dev (unreleased)" || found[1].Version != "v2.0.1" || found[1].Name != "fetcher" || time.Since(found[0].Started) > time.Minute {
		t.Errorf("the services are %+v", found)
	}
	stop()
	stop() // again does nothing
	eventually(t, "the service that stopped is gone", func() bool { return len(must(c.Services(ctx))(t)) == 1 })
	check(t, one.Close(ctx))
	eventually(t, "the service whose connection is closed is gone", func() bool { return len(must(c.Services(ctx))(t)) == 0 })
	if _, err := c.Announce(ctx, "a b", "1.0.0", "x"); err == nil {
		t.Error("a service was announced under a name that is none")
	}
}
