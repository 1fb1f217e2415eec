package bus_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/mailyard/mailyard/pkg/bus"
	"github.com/mailyard/mailyard/pkg/bus/bustest"
	"github.com/mailyard/mailyard/pkg/fault"
	"github.com/mailyard/mailyard/schemas"
)

func testRoundTrip(t *testing.T, srv *bustest.Server) {
	c := srv.Connect(t, "test", nil)
	sent := fetched(4_000_000_000, "Subject: héllo\r\n\r\n\x00\xff")
	check(t, c.Publish(testContext(t), fetchedSubject, sent, "f:1"))
	m := receive(t, subscribe(t, c, classifierSource))
	var got schemas.MailFetched
	check(t, m.Decode(&got))
	if diff := cmp.Diff(sent, got); diff != "" {
		t.Errorf("the event changed on its way (-sent +got):\n%s", diff)
	}
	if m.Subject() != fetchedSubject || m.Attempt() != 0 || m.Deliveries() != 1 {
		t.Errorf("subject %s, attempt %d, deliveries %d; want %s, 0, 1", m.Subject(), m.Attempt(), m.Deliveries(), fetchedSubject)
	}
	check(t, m.Ack())
	eventually(t, "the acked message left the work queue", func() bool { return messagesIn(t, c, schemas.StreamFetchedLight) == 0 })
}

func testDuplicate(t *testing.T, srv *bustest.Server) {
	c := srv.Connect(t, "test", nil)
	publishFetched(t, c, 1, 1, 2)
	if n := messagesIn(t, c, schemas.StreamFetchedLight); n != 2 {
		t.Errorf("the stream holds %d messages; want 2: a repeated Msg-Id is dropped", n)
	}
}

func testFullStream(t *testing.T, srv *bustest.Server) {
	alter(t, srv, func(s *jetstream.StreamConfig) {
		if s.Name == schemas.StreamFetchedLight {
			s.MaxBytes = 64 << 10
		}
	}, nil)
	c := srv.Connect(t, "test", nil)
	ctx := testContext(t)
	body := strings.Repeat("x", 10_000)
	var err error
	stored := 0
	for ; err == nil && stored < 20; stored++ {
		err = c.Publish(ctx, fetchedSubject, fetched(uint32(stored+1), body), "")
	}
	if !errors.Is(err, bus.ErrFull) || !fault.IsUnavailable(err) {
		t.Fatalf("publishing to a full stream gave %v; want ErrFull, unavailable", err)
	}
	p := must(c.PublishAsync(ctx, fetchedSubject, fetched(99, body), ""))(t)
	if err := p.Wait(ctx); !errors.Is(err, bus.ErrFull) || !fault.IsUnavailable(err) {
		t.Fatalf("publishing to a full stream asynchronously gave %v; want ErrFull, unavailable", err)
	}
	s := subscribe(t, c, classifierSource)
	check(t, receive(t, s).Ack())
	eventually(t, "there is room again", func() bool {
		return c.Publish(ctx, fetchedSubject, fetched(100, body), "") == nil
	})
}

func testTooLarge(t *testing.T, srv *bustest.Server) {
	c := srv.Connect(t, "test", nil)
	for _, test := range []struct {
		subject string
		size    int
	}{
		{fetchedSubject, bus.MaxPayload + 1},
		{schemas.SubjectDispose(tenant, mailbox), 65 << 10}, // more than its stream takes
	} {
		err := c.Publish(testContext(t), test.subject, fetched(1, strings.Repeat("x", test.size)), "")
		if !errors.Is(err, bus.ErrTooLarge) || !fault.IsPermanent(err) {
			t.Errorf("publishing %d bytes on %s gave %v; want ErrTooLarge, permanent", test.size, test.subject, err)
		}
	}
	check(t, c.Publish(testContext(t), fetchedSubject, fetched(1, strings.Repeat("x", bus.MaxPayload)), ""))
}

func testNoStream(t *testing.T, srv *bustest.Server) {
	c := srv.Connect(t, "test", nil)
	ctx := testContext(t)
	if err := c.Publish(ctx, "nobody.listens", fetched(1, ""), ""); !fault.IsUnavailable(err) {
		t.Errorf("publishing where no stream is gave %v; want unavailable", err)
	}
	p := must(c.PublishAsync(ctx, "nobody.listens", fetched(1, ""), ""))(t)
	if err := p.Wait(ctx); !fault.IsUnavailable(err) || p.Wait(ctx) == nil {
		t.Errorf("publishing where no stream is asynchronously gave %v; want unavailable", err)
	}
	srv.Stop()
	short, cancel := context.WithTimeout(ctx, 200*time.Millisecond)
	defer cancel()
	if err := c.Publish(short, fetchedSubject, fetched(1, ""), ""); !fault.IsUnavailable(err) {
		t.Errorf("publishing without a server gave %v; want unavailable", err)
	}
	canceled, cancel := context.WithCancel(ctx)
	cancel()
	if err := c.Publish(canceled, fetchedSubject, fetched(1, ""), ""); !errors.Is(err, context.Canceled) || fault.IsUnavailable(err) {
		t.Errorf("publishing with a cancelled context gave %v; want context.Canceled, unclassified", err)
	}
}

func testAsync(t *testing.T, srv *bustest.Server) {
	c := srv.Connect(t, "test", nil)
	ctx := testContext(t)
	var pending []*bus.Pending
	for uid := range uint32(2000) { // many more than may be unacknowledged
		pending = append(pending, must(c.PublishAsync(ctx, fetchedSubject, fetched(uid+1, "x"), fmt.Sprint("f:", uid)))(t))
	}
	for _, p := range pending {
		check(t, p.Wait(ctx))
	}
	if n := messagesIn(t, c, schemas.StreamFetchedLight); n != 2000 {
		t.Errorf("the stream holds %d messages; want 2000", n)
	}
}

// Nobody acknowledges while the server is away: publishing must wait for a
// place among the unacknowledged, and give up with its context.
func testAsyncIsBounded(t *testing.T, srv *bustest.Server) {
	c := srv.Connect(t, "test", nil)
	sub := must(c.NATS().SubscribeSync("sink"))(t) // takes the messages, acknowledges none
	check(t, c.NATS().Flush())
	ctx, cancel := context.WithTimeout(testContext(t), 500*time.Millisecond)
	defer cancel()
	n := 0
	var err error
	for err == nil && n < 5000 {
		_, err = c.PublishAsync(ctx, "sink", fetched(1, "x"), "")
		n++
	}
	if !errors.Is(err, context.DeadlineExceeded) || n > 300 {
		t.Errorf("%d publishes were let through unacknowledged, then %v; want about 256, then the deadline", n, err)
	}
	check(t, sub.Unsubscribe())
	short, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	if err := c.Close(short); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("closing with publishes unacknowledged gave %v; want to wait for them, up to the deadline", err)
	}
}
