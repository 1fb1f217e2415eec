package bus_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/mailyard/mailyard/pkg/bus"
	"github.com/mailyard/mailyard/pkg/bus/bustest"
	"github.com/mailyard/mailyard/pkg/fault"
	"github.com/mailyard/mailyard/schemas"
)

// A full stream pushes back: PublishAll waits for room and loses nothing.
func testPublishAll(t *testing.T, srv *bustest.Server) {
	alter(t, srv, func(s *jetstream.StreamConfig) {
		if s.Name == schemas.StreamFetchedLight {
			s.MaxBytes = 64 << 10
		}
	}, nil)
	c := srv.Connect(t, "test", nil)
	ctx := testContext(t)
	var all []bus.Publication
	for uid := range uint32(20) {
		all = append(all, bus.Publication{Subject: fetchedSubject, Event: fetched(uid+1, strings.Repeat("x", 10_000)), MsgID: "f:" + key(uid+1).ID()})
	}
	published := make(chan error, 1)
	go func() { published <- c.PublishAll(ctx, all) }()
	s := subscribe(t, c, classifierSource)
	seen := map[uint32]bool{}
	for len(seen) < len(all) {
		seen[uidOf(t, receiveAck(t, s))] = true
	}
	check(t, <-published)

	large := []bus.Publication{{Subject: fetchedSubject, Event: fetched(1, strings.Repeat("x", bus.MaxPayload+1))}}
	if err := c.PublishAll(ctx, large); !errors.Is(err, bus.ErrTooLarge) {
		t.Errorf("publishing what is too large gave %v; want ErrTooLarge at once", err)
	}
	short, cancel := context.WithTimeout(ctx, 300*time.Millisecond)
	defer cancel()
	if err := c.PublishAll(short, []bus.Publication{{Subject: "nobody.listens", Event: fetched(1, "")}}); !fault.IsUnavailable(err) {
		t.Errorf("publishing where no stream is gave %v; want unavailable when the context ends", err)
	}
}

// Whoever is told to stop publishes what can be published, but waits for nobody.
func testPublishUntil(t *testing.T, srv *bustest.Server) {
	c := srv.Connect(t, "test", nil)
	ctx := testContext(t)
	stopped, stop := context.WithCancel(ctx)
	stop()
	check(t, c.PublishUntil(stopped, ctx, []bus.Publication{{Subject: fetchedSubject, Event: fetched(1, "x"), MsgID: "f:1"}}))
	err := c.PublishUntil(stopped, ctx, []bus.Publication{{Subject: "nobody.listens", Event: fetched(1, "")}})
	if !fault.IsUnavailable(err) || !errors.Is(err, context.Canceled) || ctx.Err() != nil {
		t.Errorf("publishing where no stream is gave %v; want unavailable and cancelled, at once", err)
	}
}

func testGiveUp(t *testing.T, srv *bustest.Server) {
	c := srv.Connect(t, "test", nil)
	ctx := testContext(t)
	parked := watchParked(t, c)
	check(t, c.GiveUp(ctx, schemas.StageFetcher, key(9), 3, errors.New("the literal\r\nends early")))
	eventually(t, "the mail is parked", func() bool { return parked.Has(key(9)) })
	d := letters(t, c, bus.DeadQuery{Stage: schemas.StageFetcher})
	if len(d) != 1 || d[0].Attempts != 3 || d[0].Error != "the literal  ends early" || d[0].MailID != key(9).ID() {
		t.Fatalf("the dead letters are %+v", d)
	}
	check(t, c.Replay(ctx, d[0].Sequence))
	eventually(t, "the mail is released", func() bool { return !parked.Has(key(9)) })
	if n := messagesIn(t, c, schemas.StreamDispose); n != 1 {
		t.Errorf("%d messages ask for the release; want 1", n)
	}
}

func testAwaitTopology(t *testing.T, srv *bustest.Server) {
	c := srv.Connect(t, "test", nil)
	check(t, c.AwaitTopology(testContext(t)))
	check(t, c.JetStream().DeleteStream(testContext(t), schemas.StreamDispose))
	short, cancel := context.WithTimeout(testContext(t), 200*time.Millisecond)
	defer cancel()
	if err := c.AwaitTopology(short); err == nil {
		t.Error("a topology without DISPOSE was good enough")
	}
	waited := make(chan error, 1)
	go func() { waited <- c.AwaitTopology(testContext(t)) }()
	srv.Provision(t)
	check(t, <-waited)
}

func testBacklogs(t *testing.T, srv *bustest.Server) {
	c := srv.Connect(t, "test", nil)
	ctx := testContext(t)
	publishFetched(t, c, 1, 2)
	check(t, c.Publish(ctx, schemas.SubjectClassified(schemas.Light, tenant, mailbox), fetched(3, "x"), ""))
	backlogs := must(c.Backlogs(ctx))(t)
	wants := map[string]uint64{schemas.StreamFetchedLight: 2, schemas.StreamClassifiedLight: 1}
	lanes := map[string]schemas.Lane{
		schemas.StreamFetchedLight: schemas.Light, schemas.StreamClassifiedLight: schemas.Light,
		schemas.StreamFetchedLarge: schemas.Large, schemas.StreamClassifiedLarge: schemas.Large,
	}
	for _, b := range backlogs {
		want := wants[b.Stream]
		if b.Messages != want || (b.Oldest == nil) != (want == 0) || (b.Bytes == 0) != (want == 0) || b.Lane != lanes[b.Stream] {
			t.Errorf("the backlog is %+v; want %d messages of lane %q", b, want, lanes[b.Stream])
		}
	}
	if oldest := bus.OldestWaiting(backlogs, schemas.Light); oldest == nil || !oldest.Equal(*backlogs[0].Oldest) {
		t.Errorf("the oldest light mail waits since %v, want the first one's %v", oldest, backlogs[0].Oldest)
	}
	if oldest := bus.OldestWaiting(backlogs, schemas.Large); oldest != nil {
		t.Errorf("a large mail waits since %v, though there is none", oldest)
	}
}
