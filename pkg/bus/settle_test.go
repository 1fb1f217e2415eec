package bus_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/mailyard/mailyard/pkg/bus"
	"github.com/mailyard/mailyard/pkg/bus/bustest"
	"github.com/mailyard/mailyard/pkg/fault"
	"github.com/mailyard/mailyard/schemas"
	"github.com/mailyard/mailyard/schemas/cloudevents"
)

const ackWait = time.Second

// shortAckWait makes unsettled mail of the classifier come back soon.
func shortAckWait(c *bus.Consumer) {
	if c.Stream == classifierSource.Stream {
		c.Config.AckWait, c.Config.BackOff = ackWait, nil
	}
}

// impatient connects as a service whose retries are due at once.
func impatient(t *testing.T, srv *bustest.Server) *bus.Conn {
	t.Helper()
	c := srv.Connect(t, "test", nil)
	c.RetrySoon()
	return c
}

func testRetry(t *testing.T, srv *bustest.Server) {
	c := impatient(t, srv)
	ctx := testContext(t)
	sent := fetched(1, "Subject: x\r\n\r\nbody")
	check(t, c.Publish(ctx, fetchedSubject, sent, "f:1"))
	first := receive(t, subscribe(t, c, classifierSource))
	check(t, first.Settle(ctx, errors.New("out of\r\nluck: \x00 é")))
	eventually(t, "the lane is empty while the message waits", func() bool { return messagesIn(t, c, schemas.StreamFetchedLight) == 0 })

	retries := subscribe(t, c, retrySource)
	m := receive(t, retries)
	if m.Subject() != fetchedSubject || m.Attempt() != 1 {
		t.Errorf("the retry has subject %s, attempt %d; want %s, 1", m.Subject(), m.Attempt(), fetchedSubject)
	}
	if got := m.Header()[bus.HeaderRetryError]; len(got) != 1 || got[0] != "out of  luck:   é" {
		t.Errorf("the retry says it failed with %q", got)
	}
	var got schemas.MailFetched
	check(t, m.Decode(&got))
	if diff := cmp.Diff(sent, got); diff != "" {
		t.Errorf("the retried event changed (-sent +got):\n%s", diff)
	}
	check(t, m.Settle(ctx, errors.New("again")))
	if m = receive(t, retries); m.Attempt() != 2 {
		t.Errorf("the second retry has attempt %d; want 2", m.Attempt())
	}
	check(t, m.Settle(ctx, nil))
	eventually(t, "no message or schedule is left", func() bool { return messagesIn(t, c, schemas.StreamRetry) == 0 })
}

func testRetrySurvivesRestart(t *testing.T, srv *bustest.Server) {
	c := impatient(t, srv)
	publishFetched(t, c, 1)
	m := receive(t, subscribe(t, c, classifierSource))
	check(t, m.Settle(testContext(t), &fault.Delayed{Err: errors.New("busy"), After: 2 * time.Second}))
	check(t, c.NATS().Flush())
	retries := subscribe(t, c, retrySource)
	srv.Restart(t)
	if m := receiveAck(t, retries); m.Attempt() != 1 {
		t.Errorf("after the restart came attempt %d; want 1", m.Attempt())
	}
}

// A message that was delivered twice, and failed twice, is retried once.
func testRetryOncePerMessage(t *testing.T, srv *bustest.Server) {
	alter(t, srv, nil, shortAckWait)
	c := srv.Connect(t, "test", nil)
	ctx := testContext(t)
	publishFetched(t, c, 1)
	s := subscribe(t, c, classifierSource)
	first, second := receive(t, s), receive(t, s)
	failed := &fault.Delayed{Err: errors.New("busy"), After: time.Hour}
	check(t, first.Settle(ctx, failed))
	check(t, second.Settle(ctx, failed))
	if n := messagesIn(t, c, schemas.StreamRetry); n != 1 {
		t.Errorf("%d retries are scheduled; want 1", n)
	}
}

func testRetrySchedule(t *testing.T, srv *bustest.Server) {
	c := srv.Connect(t, "test", nil)
	ctx := testContext(t)
	s := subscribe(t, c, classifierSource)
	for _, step := range []struct {
		name     string
		failed   int // attempts before
		outcome  error
		attempts string
		delay    time.Duration
	}{
		{"first", 0, errors.New("no"), "1", 10 * time.Second},
		{"second", 1, errors.New("no"), "2", time.Minute},
		{"third", 2, errors.New("no"), "3", 5 * time.Minute},
		{"fourth", 3, errors.New("no"), "4", 30 * time.Minute},
		{"fifth", 4, errors.New("no"), "5", 2 * time.Hour},
		{"server away for long", 4, fault.Unavailable(&fault.Delayed{Err: errors.New("no"), After: time.Hour}), "4", 66 * time.Minute},
		{"server away", 4, fault.Unavailable(errors.New("no")), "4", 10 * time.Second},
		{"told to wait less", 3, &fault.Delayed{Err: errors.New("no"), After: 2 * time.Second}, "4", 30 * time.Minute},
		{"told to wait", 0, &fault.Delayed{Err: errors.New("no"), After: 3 * time.Hour}, "1", 3*time.Hour + 18*time.Minute},
	} {
		header, payload, err := cloudevents.Encode(fetched(uint32(step.failed+1), "x"))
		check(t, err)
		msg := &nats.Msg{Subject: fetchedSubject, Header: header, Data: payload}
		msg.Header.Set(bus.HeaderRetryAttempt, fmt.Sprint(step.failed))
		must(c.JetStream().PublishMsg(ctx, msg))(t)
		check(t, receive(t, s).Settle(ctx, step.outcome))
		scheduled := last(t, c, schemas.StreamRetry, "mail.v1.retry.sched.classifier.light.*").Header
		at := must(time.Parse("@at "+time.RFC3339Nano, scheduled.Get(jetstream.ScheduleHeader)))(t)
		delay := time.Until(at)
		if low, high := step.delay*4/5-time.Second*5, step.delay*6/5+time.Second; delay < low || delay > high {
			t.Errorf("%s: retried in %s; want %s ±20 %%", step.name, delay, step.delay)
		}
		if got := scheduled.Get(bus.HeaderRetryAttempt); got != step.attempts {
			t.Errorf("%s: %s attempts counted; want %s", step.name, got, step.attempts)
		}
		if target := scheduled.Get(jetstream.ScheduleTargetHeader); target != "mail.v1.retry.due.classifier.light" {
			t.Errorf("%s: the retry is for %s", step.name, target)
		}
	}
}

// An error between the effect and the ack leads to redelivery, never to loss.
func testAckLast(t *testing.T, srv *bustest.Server) {
	tiny := func(s *jetstream.StreamConfig) {
		if s.Name == schemas.StreamRetry {
			s.MaxBytes = 100
		}
	}
	alter(t, srv, tiny, shortAckWait)
	c := impatient(t, srv)
	ctx := testContext(t)
	publishFetched(t, c, 1)
	s := subscribe(t, c, classifierSource)
	err := receive(t, s).Settle(ctx, errors.New("busy"))
	if !errors.Is(err, bus.ErrFull) || !fault.IsUnavailable(err) {
		t.Fatalf("scheduling a retry on a full stream gave %v; want ErrFull, unavailable", err)
	}
	canceled, cancel := context.WithCancel(ctx)
	cancel()
	m := receive(t, s)
	if m.Deliveries() != 2 {
		t.Errorf("deliveries %d; want 2: the retry could not be stored", m.Deliveries())
	}
	check(t, m.Settle(canceled, fault.Permanent(errors.New("poison")))) // given back: who stops judges nobody
	alter(t, srv, nil, shortAckWait)                                    // room again
	m = receive(t, s)
	check(t, m.Settle(ctx, errors.New("busy")))
	receiveAck(t, subscribe(t, c, retrySource))
	if n := messagesIn(t, c, schemas.StreamDead); n != 0 {
		t.Errorf("%d dead letters; want none", n)
	}
}

// What is interrupted by the stop of its process comes again as it is.
func testInterrupted(t *testing.T, srv *bustest.Server) {
	c := srv.Connect(t, "test", nil)
	ctx := testContext(t)
	over, end := context.WithTimeout(ctx, 0)
	defer end()
	publishFetched(t, c, 1)
	s := subscribe(t, c, classifierSource)
	for n, test := range []struct {
		ctx     context.Context
		outcome error
	}{
		{over, context.DeadlineExceeded},
		{over, fault.Permanent(errors.New("cut short"))},
		{over, fault.Unavailable(errors.New("away"))},
		{ctx, fault.Unavailable(fmt.Errorf("away: %w", context.Canceled))},
		{ctx, fault.Permanent(context.Canceled)},
	} {
		m := receive(t, s)
		if m.Deliveries() != n+1 || m.Attempt() != 0 {
			t.Errorf("delivery %d, attempt %d; want %d, 0", m.Deliveries(), m.Attempt(), n+1)
		}
		check(t, m.Settle(test.ctx, test.outcome))
	}
	check(t, receive(t, s).Settle(over, nil)) // done is done
	eventually(t, "it is acknowledged", func() bool { return messagesIn(t, c, schemas.StreamFetchedLight) == 0 })
	if retries, dead := messagesIn(t, c, schemas.StreamRetry), messagesIn(t, c, schemas.StreamDead); retries+dead != 0 {
		t.Errorf("%d retries and %d dead letters; want none", retries, dead)
	}
}

func testDisposeRetry(t *testing.T, srv *bustest.Server) {
	c := impatient(t, srv)
	ctx, cancel := context.WithCancel(testContext(t))
	check(t, c.Publish(ctx, schemas.SubjectDispose(tenant, mailbox), disposal(schemas.ActionPersisted, 1, 2), "d:1"))
	pumped := make(chan error, 1)
	go func() { pumped <- c.RunRetryPump(ctx) }()

	// The mailbox's partition is found out from where the server put the message.
	subject := last(t, c, schemas.StreamDispose, "mail.v1.dispose.>").Subject
	var partition int
	if _, err := fmt.Sscanf(strings.TrimPrefix(subject, "mail.v1.dispose."), "%d.", &partition); err != nil {
		t.Fatalf("%s has no partition: %v", subject, err)
	}
	s := subscribe(t, c, bus.Source{Stage: schemas.StageDisposer, Stream: schemas.StreamDispose, Durable: bus.DurableDispose(partition)})
	for attempt := range 3 {
		m := receive(t, s)
		if m.Attempt() != attempt || m.Subject() != schemas.SubjectDispose(tenant, mailbox) {
			t.Errorf("attempt %d on %s; want %d on %s", m.Attempt(), m.Subject(), attempt, schemas.SubjectDispose(tenant, mailbox))
		}
		var e schemas.MailDispose
		check(t, m.Decode(&e))
		check(t, m.Settle(ctx, errors.New("busy")))
	}
	if m := receiveAck(t, s); m.Attempt() != 3 {
		t.Errorf("attempt %d; want 3", m.Attempt())
	}
	cancel()
	if err := <-pumped; err != nil {
		t.Errorf("the pump ended with %v", err)
	}
}

func testSettleParts(t *testing.T, srv *bustest.Server) {
	c := impatient(t, srv)
	ctx := testContext(t)
	publishFetched(t, c, 1)
	lane := subscribe(t, c, classifierSource)
	m := receive(t, lane)
	part := func(uid uint32) schemas.MailFetched { return fetched(uid, "Subject: part\r\n\r\n") }
	check(t, m.SettleParts(ctx, []bus.Part{
		{Event: part(11), Outcome: errors.New("refused")},
		{Event: part(12), Outcome: fault.Unavailable(errors.New("away"))},
		{Event: part(13), Outcome: fault.Permanent(errors.New("hopeless"))},
	}))
	eventually(t, "the message is acknowledged", func() bool { return messagesIn(t, c, schemas.StreamFetchedLight) == 0 })
	retries := subscribe(t, c, retrySource)
	attempts := map[uint32]int{}
	for range 2 {
		m := receive(t, retries)
		var got schemas.MailFetched
		check(t, m.Decode(&got))
		attempts[got.UID] = m.Attempt()
		check(t, m.Ack())
	}
	if diff := cmp.Diff(map[uint32]int{11: 1, 12: 0}, attempts); diff != "" {
		t.Errorf("attempts by part (-want +got):\n%s", diff)
	}
	letters, err := c.DeadLetters(ctx, bus.DeadQuery{})
	check(t, err)
	if len(letters) != 1 || fmt.Sprint(letters[0].UIDs) != "13" {
		t.Errorf("dead letters: %+v", letters)
	}
	// A message that was interrupted in a part comes again as it is.
	publishFetched(t, c, 2)
	check(t, receive(t, lane).SettleParts(ctx, []bus.Part{{Event: part(21), Outcome: errors.New("refused")}, {Event: part(22), Outcome: context.Canceled}}))
	if m := receive(t, lane); m.Deliveries() != 2 {
		t.Errorf("delivery %d; want the second", m.Deliveries())
	}
}
