package bus_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/mailyard/mailyard/pkg/bus"
	"github.com/mailyard/mailyard/pkg/bus/bustest"
	"github.com/mailyard/mailyard/schemas"
)

func testStop(t *testing.T, srv *bustest.Server) {
	c := srv.Connect(t, "test", nil)
	publishFetched(t, c, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10)
	s := subscribe(t, c, classifierSource)
	taken := []*bus.Message{receive(t, s), receive(t, s)}
	s.Stop()
	s.Stop()
	if _, ok := <-s.Messages(); ok {
		t.Fatal("a message came after Stop")
	}
	begun := time.Now()
	again := subscribe(t, c, classifierSource)
	for range 8 {
		m := receive(t, again)
		if m.Deliveries() > 2 {
			t.Errorf("message %d was delivered %d times; want at most 2", uidOf(t, m), m.Deliveries())
		}
		check(t, m.Ack())
	}
	if d := time.Since(begun); d > 10*time.Second {
		t.Errorf("what nobody took came back after %s; want at once, not after the ack wait", d)
	}
	for _, m := range taken {
		check(t, m.Ack())
	}
	eventually(t, "messages taken before Stop could still be acked", func() bool { return messagesIn(t, c, schemas.StreamFetchedLight) == 0 })
}

func testNak(t *testing.T, srv *bustest.Server) {
	c := srv.Connect(t, "test", nil)
	publishFetched(t, c, 1)
	s := subscribe(t, c, classifierSource)
	check(t, receive(t, s).Nak())
	m := receive(t, s)
	if m.Deliveries() != 2 || m.Attempt() != 0 {
		t.Errorf("after Nak: deliveries %d, attempt %d; want 2, 0", m.Deliveries(), m.Attempt())
	}
	check(t, m.Settle(testContext(t), context.Canceled))
	if m = receive(t, s); m.Deliveries() != 3 || m.Attempt() != 0 {
		t.Errorf("after an interrupted attempt: deliveries %d, attempt %d; want 3, 0", m.Deliveries(), m.Attempt())
	}
	check(t, m.Ack())
}

func testInProgress(t *testing.T, srv *bustest.Server) {
	alter(t, srv, nil, shortAckWait)
	c := srv.Connect(t, "test", nil)
	publishFetched(t, c, 1)
	s := subscribe(t, c, classifierSource)
	m := receive(t, s)
	tick := time.NewTicker(ackWait / 10)
	defer tick.Stop()
	for range 30 { // three ack waits
		select {
		case <-tick.C:
			check(t, m.InProgress())
		case <-s.Messages():
			t.Fatal("a message that is in progress was delivered again")
		}
	}
	if m := receive(t, s); m.Deliveries() != 2 {
		t.Errorf("deliveries %d; want 2: nobody works on the message any more", m.Deliveries())
	}
}

func testServerRestart(t *testing.T, srv *bustest.Server) {
	logger, logs := observed()
	c := srv.Connect(t, "test", logger)
	publishFetched(t, c, 1)
	s := subscribe(t, c, classifierSource)
	check(t, receive(t, s).Ack())
	for uid := uint32(2); uid < 4; uid++ {
		srv.Restart(t)
		eventually(t, "publishing works again", func() bool {
			return c.Publish(testContext(t), fetchedSubject, fetched(uid, "x"), "") == nil
		})
		if got := uidOf(t, receiveAck(t, s)); got != uid {
			t.Errorf("after the restart came mail %d; want %d", got, uid)
		}
	}
	if n := logs.FilterMessage("NATS is away; reconnecting").Len(); n != 2 {
		t.Errorf("two outages were logged %d times", n)
	}
	if n := logs.FilterMessage("the subscription is interrupted; trying again until it works").Len(); n > 2 {
		t.Errorf("two outages interrupted one subscription %d times", n)
	}
}

func receiveAck(t *testing.T, s *bus.Subscription) *bus.Message {
	t.Helper()
	m := receive(t, s)
	check(t, m.Ack())
	return m
}

func testWipedStore(t *testing.T, srv *bustest.Server) {
	logger, logs := observed()
	c := srv.Connect(t, "test", logger)
	publishFetched(t, c, 1)
	s := subscribe(t, c, classifierSource)
	receiveAck(t, s)
	blobs := must(c.Blobs(testContext(t)))(t)
	srv.Wipe(t)
	// The outage lasts: publishing fails as unavailable, the subscription waits.
	const interrupted = "the subscription is interrupted; trying again until it works"
	eventually(t, "the subscription noticed", func() bool { return logs.FilterMessage(interrupted).Len() > 0 })
	srv.Provision(t)
	publishFetched(t, c, 2)
	if uid := uidOf(t, receiveAck(t, s)); uid != 2 {
		t.Errorf("after the wipe came mail %d; want 2", uid)
	}
	if n := logs.FilterMessage(interrupted).Len(); n != 1 {
		t.Errorf("one outage was logged %d times", n)
	}
	putBlob(t, blobs, "after", 1000)
}

func testConsumerRecreated(t *testing.T, srv *bustest.Server) {
	c := srv.Connect(t, "test", nil)
	s := subscribe(t, c, classifierSource)
	check(t, c.JetStream().DeleteConsumer(testContext(t), classifierSource.Stream, classifierSource.Durable))
	srv.Provision(t)
	publishFetched(t, c, 1)
	receiveAck(t, s)
	check(t, c.JetStream().DeleteStream(testContext(t), classifierSource.Stream))
	srv.Provision(t)
	publishFetched(t, c, 2)
	receiveAck(t, s)
}

func testSubscribeRefuses(t *testing.T, srv *bustest.Server) {
	c := srv.Connect(t, "test", nil)
	good := classifierSource
	for name, change := range map[string]func(*bus.Source){
		"no stage":          func(s *bus.Source) { s.Stage = "" },
		"no stream":         func(s *bus.Source) { s.Stream = "" },
		"another's durable": func(s *bus.Source) { s.Durable = "persister-light" },
		"bytes too few":     func(s *bus.Source) { s.MaxBytes = 1000 },
		"negative":          func(s *bus.Source) { s.MaxMessages = -1 },
	} {
		source := good
		change(&source)
		if _, err := c.Subscribe(testContext(t), source); err == nil {
			t.Errorf("%s: subscribed", name)
		}
	}
	good.Durable = "classifier-nobody-made"
	ctx, cancel := context.WithTimeout(testContext(t), 300*time.Millisecond)
	defer cancel()
	if _, err := c.Subscribe(ctx, good); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("subscribing to a consumer that does not exist gave %v; want the deadline", err)
	}
}

func testPullLimits(t *testing.T, srv *bustest.Server) {
	c := srv.Connect(t, "test", nil)
	for _, source := range []bus.Source{
		{MaxBytes: 4 << 20}, {MaxMessages: 2, MaxBytes: 1 << 20}, {MaxMessages: 3},
	} {
		for uid := range uint32(8) {
			check(t, c.Publish(testContext(t), schemas.SubjectFetched(schemas.Large, tenant, mailbox), fetched(uid+1, string(make([]byte, 400<<10))), ""))
		}
		source.Stage, source.Stream, source.Durable = schemas.StageClassifier, schemas.StreamFetchedLarge, "classifier-large"
		s := subscribe(t, c, source)
		for range 8 {
			receiveAck(t, s)
		}
		s.Stop()
	}
}

// Whoever subscribes and stops, at the same time, loses no message.
func testStartStopStress(t *testing.T, srv *bustest.Server) {
	c := srv.Connect(t, "test", nil)
	const total = 200
	var mu sync.Mutex
	seen := map[uint32]bool{}
	var wg sync.WaitGroup
	done := make(chan struct{})
	for range 4 {
		wg.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				s, err := c.Subscribe(testContext(t), classifierSource)
				if err != nil {
					t.Error(err)
					return
				}
				for range 10 {
					select {
					case m := <-s.Messages():
						var e schemas.MailFetched
						if err := errors.Join(m.Decode(&e), m.Ack()); err != nil {
							t.Error(err)
						}
						mu.Lock()
						seen[e.UID] = true
						mu.Unlock()
					case <-done:
					}
				}
				s.Stop()
			}
		})
	}
	for uid := range uint32(total) {
		publishFetched(t, c, uid+1)
	}
	eventually(t, "every message was received", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return len(seen) == total
	})
	close(done)
	wg.Wait()
}

func testCloseStops(t *testing.T, srv *bustest.Server) {
	c := srv.Connect(t, "test", nil)
	s := must(c.Subscribe(testContext(t), classifierSource))(t)
	check(t, c.Close(testContext(t)))
	check(t, c.Close(testContext(t)))
	if _, ok := <-s.Messages(); ok {
		t.Error("a message came after Close")
	}
	if _, err := c.Subscribe(testContext(t), classifierSource); err == nil {
		t.Error("subscribed on a closed connection")
	}
}
