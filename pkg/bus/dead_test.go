package bus_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/mailyard/mailyard/pkg/bus"
	"github.com/mailyard/mailyard/pkg/bus/bustest"
	"github.com/mailyard/mailyard/pkg/fault"
	"github.com/mailyard/mailyard/schemas"
	"github.com/mailyard/mailyard/schemas/cloudevents"
)

func parkedEvents(t *testing.T, c *bus.Conn) uint64 {
	t.Helper()
	s := must(c.JetStream().Stream(testContext(t), schemas.StreamEvents))(t)
	return must(s.Info(testContext(t), jetstream.WithSubjectFilter("mail.v1.event.dead.>")))(t).State.Subjects[schemas.SubjectParked(tenant, mailbox)]
}

func letters(t *testing.T, c *bus.Conn, q bus.DeadQuery) []bus.DeadLetter {
	t.Helper()
	return must(c.DeadLetters(testContext(t), q))(t)
}

func watchParked(t *testing.T, c *bus.Conn) *bus.Parked {
	t.Helper()
	p := must(c.WatchParked(testContext(t)))(t)
	t.Cleanup(p.Close)
	return p
}

func testDeadAfterLastAttempt(t *testing.T, srv *bustest.Server) {
	c := impatient(t, srv)
	ctx := testContext(t)
	parked := watchParked(t, c)
	sent := fetched(1, "Subject: x\r\n\r\nbody")
	check(t, c.Publish(ctx, fetchedSubject, sent, "f:1"))
	check(t, receive(t, subscribe(t, c, classifierSource)).Settle(ctx, errors.New("failure 1")))
	retries := subscribe(t, c, retrySource)
	for attempt := 2; attempt <= 6; attempt++ {
		m := receive(t, retries)
		if m.Attempt() != attempt-1 {
			t.Fatalf("attempt %d failed before; want %d", m.Attempt(), attempt-1)
		}
		check(t, m.Settle(ctx, errors.New(fmt.Sprint("failure ", attempt))))
	}
	eventually(t, "the message left RETRY", func() bool { return messagesIn(t, c, schemas.StreamRetry) == 0 })
	eventually(t, "the mail is parked", func() bool { return parked.Has(key(1)) && parked.Count(tenant, mailbox) == 1 })
	if n := parkedEvents(t, c); n != 1 {
		t.Errorf("%d events tell of the dead letter; want 1", n)
	}
	list := letters(t, c, bus.DeadQuery{})
	if len(list) != 1 {
		t.Fatalf("%d dead letters; want 1", len(list))
	}
	d := must(c.DeadLetter(ctx, list[0].Sequence))(t)
	if d.Stage != schemas.StageClassifier || d.Error != "failure 6" || d.Attempts != 6 || d.OriginalSubject != fetchedSubject ||
		d.MailID != key(1).ID() || d.UIDValidity != 7 || d.UIDs != "1" || d.Tenant != tenant || d.Mailbox != mailbox {
		t.Errorf("the dead letter is %+v", d.MailDead)
	}
	var inside schemas.MailFetched
	check(t, cloudevents.Decode(d.Data.Header, d.Data.Payload, &inside))
	if diff := cmp.Diff(sent, inside); diff != "" {
		t.Errorf("the message in the letter changed (-sent +got):\n%s", diff)
	}
	ttl := last(t, c, "KV_"+schemas.BucketControl, "$KV.CONTROL.parked.acme.support.7.1").Header.Get(jetstream.MsgTTLHeader)
	if ttl != "720h0m0s" {
		t.Errorf("the parked key lives %q; want 30 days", ttl)
	}
}

func testPermanent(t *testing.T, srv *bustest.Server) {
	c := srv.Connect(t, "test", nil)
	ctx := testContext(t)
	publishFetched(t, c, 1, 2)
	s := subscribe(t, c, classifierSource)
	text := "line one\nline two\x07 " + strings.Repeat("é", 2000)
	check(t, receive(t, s).Settle(ctx, fmt.Errorf("classifying: %w", fault.Permanent(errors.New(text)))))
	receiveAck(t, s) // the next one is not delayed
	eventually(t, "the lane is empty", func() bool { return messagesIn(t, c, schemas.StreamFetchedLight) == 0 })
	d := letters(t, c, bus.DeadQuery{})[0]
	if d.Attempts != 1 || len(d.Error) > 1000 || strings.ContainsFunc(d.Error, func(r rune) bool { return r < ' ' }) || !strings.HasPrefix(d.Error, "classifying: line one line two  é") {
		t.Errorf("after %d attempts: %q (%d bytes)", d.Attempts, d.Error, len(d.Error))
	}
}

// The largest message has a dead letter, too, and comes back from it whole.
func testLargeLetter(t *testing.T, srv *bustest.Server) {
	alter(t, srv, func(s *jetstream.StreamConfig) {
		if s.Name == schemas.StreamFetchedLight {
			s.MaxMsgSize = 1 << 20
		}
	}, nil)
	c := impatient(t, srv)
	body := strings.Repeat("x", bus.MaxPayload)
	bury(t, c, fetched(1, body), strings.Repeat("é", 600))
	check(t, c.Replay(testContext(t), letters(t, c, bus.DeadQuery{})[0].Sequence))
	m := receive(t, subscribe(t, c, classifierSource))
	if string(m.Payload()) != body {
		t.Errorf("%d bytes came back; want %d", len(m.Payload()), len(body))
	}
	check(t, m.Settle(testContext(t), errors.New("busy")))
	receiveAck(t, subscribe(t, c, retrySource))
}

// What cannot be decoded is kept as it came, with what the subject tells.
func testUndecodable(t *testing.T, srv *bustest.Server) {
	c := srv.Connect(t, "test", nil)
	ctx := testContext(t)
	raw := []byte("\x00not an event\xff")
	must(c.JetStream().Publish(ctx, fetchedSubject, raw))(t)
	m := receive(t, subscribe(t, c, classifierSource))
	err := m.Decode(new(schemas.MailFetched))
	if !fault.IsPermanent(err) {
		t.Fatalf("decoding garbage gave %v; want a permanent error", err)
	}
	check(t, m.Settle(ctx, err))
	list := letters(t, c, bus.DeadQuery{Tenant: tenant, Mailbox: mailbox})
	if len(list) != 1 {
		t.Fatalf("%d dead letters of the mailbox in the subject; want 1", len(list))
	}
	d := must(c.DeadLetter(ctx, list[0].Sequence))(t)
	if string(d.Data.Payload) != string(raw) || d.UIDs != "" || d.MailID != "" || d.OriginalSubject != fetchedSubject {
		t.Errorf("the dead letter is %+v", d.MailDead)
	}
}

func testDeadDispose(t *testing.T, srv *bustest.Server) {
	c := srv.Connect(t, "test", nil)
	ctx := testContext(t)
	parked := watchParked(t, c)
	settle := func(event schemas.MailDispose) {
		t.Helper()
		check(t, c.Publish(ctx, schemas.SubjectDispose(tenant, mailbox), event, event.ID))
		var partition int
		_, err := fmt.Sscanf(last(t, c, schemas.StreamDispose, "mail.v1.dispose.>").Subject, "mail.v1.dispose.%d.", &partition)
		check(t, err)
		s := subscribe(t, c, bus.Source{Stage: schemas.StageDisposer, Stream: schemas.StreamDispose, Durable: bus.DurableDispose(partition)})
		check(t, receive(t, s).Settle(ctx, fault.Permanent(errors.New("no"))))
		s.Stop()
	}
	uids := make([]uint32, schemas.MaxDisposeUIDs)
	for i := range uids {
		uids[i] = uint32(i + 1)
	}
	settle(disposal(schemas.ActionPersisted, uids...))
	eventually(t, "all mails of the message are parked", func() bool { return parked.Count(tenant, mailbox) == len(uids) })
	settle(disposal(schemas.ActionRelease, 5000))
	d := letters(t, c, bus.DeadQuery{Stage: schemas.StageDisposer})
	if len(d) != 2 || d[1].UIDValidity != 7 || !strings.HasPrefix(d[1].UIDs, "1,2,3,") || d[1].OriginalSubject != schemas.SubjectDispose(tenant, mailbox) {
		t.Fatalf("the dead letters are %+v", d)
	}
	if parked.Has(key(5000)) {
		t.Error("a mail that was to be fetched again is parked")
	}
	check(t, c.Replay(ctx, d[1].Sequence))
	eventually(t, "all mails are released", func() bool { return parked.Count(tenant, mailbox) == 0 })
	if n := messagesIn(t, c, schemas.StreamDispose); n != 1 {
		t.Errorf("DISPOSE holds %d messages after the replay; want 1", n)
	}
}

// A message that nobody ever settles is dead-lettered by the back-stop.
func testAdvisory(t *testing.T, srv *bustest.Server) {
	c := srv.Connect(t, "test", nil)
	ctx, cancel := context.WithCancel(testContext(t))
	ended := make(chan error, 1)
	go func() { ended <- c.RunAdvisories(ctx) }()
	parked := watchParked(t, c)
	publishFetched(t, c, 1)
	s := subscribe(t, c, classifierSource)
	for n := 1; n <= 20; n++ {
		m := receive(t, s)
		if m.Deliveries() != n {
			t.Fatalf("delivery %d; want %d", m.Deliveries(), n)
		}
		check(t, m.Nak()) // as the server sees a crash, only sooner
	}
	eventually(t, "the message left the stream", func() bool { return messagesIn(t, c, schemas.StreamFetchedLight) == 0 })
	if !parked.Has(key(1)) {
		eventually(t, "the mail is parked", func() bool { return parked.Has(key(1)) })
	}
	d := letters(t, c, bus.DeadQuery{Stage: schemas.StageClassifier})
	if len(d) != 1 || d[0].MailID != key(1).ID() || !strings.Contains(d[0].Error, "20 deliveries") {
		t.Errorf("the dead letters are %+v", d)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("the back-stop ended with %v", err)
	}
}

func bury(t *testing.T, c *bus.Conn, event schemas.MailFetched, text string) {
	t.Helper()
	check(t, c.Publish(testContext(t), schemas.SubjectFetched(schemas.Light, event.Tenant, event.Mailbox), event, ""))
	s := subscribe(t, c, classifierSource)
	check(t, receive(t, s).Settle(testContext(t), fault.Permanent(errors.New(text))))
	s.Stop()
}

func testDeadLetterList(t *testing.T, srv *bustest.Server) {
	c := srv.Connect(t, "test", nil)
	if d := letters(t, c, bus.DeadQuery{}); len(d) != 0 {
		t.Fatalf("%d dead letters before there are any", len(d))
	}
	for i := range 12 {
		e := fetched(uint32(i+1), "x")
		e.Mailbox = []string{"support", "sales", "billing"}[i%3]
		if i >= 6 {
			e.Tenant = "other"
		}
		bury(t, c, e, fmt.Sprint("no ", i))
	}
	texts := func(q bus.DeadQuery) string {
		t.Helper()
		var out []string
		for _, d := range letters(t, c, q) {
			out = append(out, strings.TrimPrefix(d.Error, "no "))
		}
		return strings.Join(out, " ")
	}
	all := letters(t, c, bus.DeadQuery{})
	for _, step := range []struct {
		q    bus.DeadQuery
		want string
	}{
		{bus.DeadQuery{}, "11 10 9 8 7 6 5 4 3 2 1 0"},
		{bus.DeadQuery{Limit: 2}, "11 10"},
		{bus.DeadQuery{Tenant: "acme"}, "5 4 3 2 1 0"},
		{bus.DeadQuery{Tenant: "acme", Limit: 1}, "5"},
		{bus.DeadQuery{Mailbox: "sales"}, "10 7 4 1"},
		{bus.DeadQuery{Tenant: "other", Mailbox: "sales"}, "10 7"},
		{bus.DeadQuery{Stage: schemas.StageClassifier, Limit: 1}, "11"},
		{bus.DeadQuery{Stage: schemas.StagePersister}, ""},
		{bus.DeadQuery{Mailbox: "support", Limit: 2}, "9 6"},
		{bus.DeadQuery{Mailbox: "support", Limit: 2, Before: all[5].Sequence}, "3 0"},
		{bus.DeadQuery{Limit: 3, Before: all[2].Sequence}, "8 7 6"},
	} {
		if got := texts(step.q); got != step.want {
			t.Errorf("%+v: letters %q; want %q", step.q, got, step.want)
		}
	}
	check(t, c.DropDead(testContext(t), all[0].Sequence))
	if got := texts(bus.DeadQuery{Limit: 1}); got != "10" {
		t.Errorf("after dropping the newest, the newest is %s", got)
	}
	for name, err := range map[string]error{
		"DropDead": c.DropDead(testContext(t), all[0].Sequence),
		"Replay":   c.Replay(testContext(t), 10_000),
	} {
		if !errors.Is(err, bus.ErrNotFound) {
			t.Errorf("%s of a letter that is not there gave %v; want ErrNotFound", name, err)
		}
	}
}

func testReplay(t *testing.T, srv *bustest.Server) {
	c := srv.Connect(t, "test", nil)
	ctx := testContext(t)
	parked := watchParked(t, c)
	bury(t, c, fetched(1, "body"), "no")
	eventually(t, "the mail is parked", func() bool { return parked.Has(key(1)) })
	check(t, c.Replay(ctx, letters(t, c, bus.DeadQuery{})[0].Sequence))
	eventually(t, "the mail is released", func() bool { return !parked.Has(key(1)) && parked.Count(tenant, mailbox) == 0 })
	if d := letters(t, c, bus.DeadQuery{}); len(d) != 0 {
		t.Errorf("%d dead letters after the replay", len(d))
	}
	s := subscribe(t, c, classifierSource)
	m := receive(t, s)
	if m.Attempt() != 0 || m.Subject() != fetchedSubject || uidOf(t, m) != 1 {
		t.Errorf("replayed as attempt %d on %s", m.Attempt(), m.Subject())
	}
	// It fails again at once: that must be a new letter, not a duplicate of the
	// first, and the mail must be parked again.
	check(t, m.Settle(ctx, fault.Permanent(errors.New("still no"))))
	eventually(t, "the mail is parked again", func() bool { return parked.Has(key(1)) })
	d := letters(t, c, bus.DeadQuery{})
	if len(d) != 1 || d[0].Error != "still no" {
		t.Fatalf("the dead letters are %+v; want the second failure", d)
	}
	check(t, c.Replay(ctx, d[0].Sequence))
	if uidOf(t, receiveAck(t, s)) != 1 {
		t.Error("the second replay is not the mail")
	}
}

func testReplayWithBlob(t *testing.T, srv *bustest.Server) {
	c := srv.Connect(t, "test", nil)
	ctx := testContext(t)
	parked := watchParked(t, c)
	blobs := must(c.Blobs(ctx))(t)
	for uid, name := range map[uint32]string{1: "gone", 2: "there"} {
		e := fetched(uid, "Subject: x\r\n\r\n")
		e.DataRef = name
		putBlob(t, blobs, name, 1000)
		bury(t, c, e, name)
	}
	check(t, blobs.Delete(ctx, "gone"))
	for _, d := range letters(t, c, bus.DeadQuery{}) {
		check(t, c.Replay(ctx, d.Sequence))
	}
	eventually(t, "both mails are released", func() bool { return parked.Count(tenant, mailbox) == 0 })
	if n := len(letters(t, c, bus.DeadQuery{})); n != 0 {
		t.Errorf("%d dead letters are left", n)
	}
	if uid := uidOf(t, receiveAck(t, subscribe(t, c, classifierSource))); uid != 2 {
		t.Errorf("mail %d was published; want 2, whose blob is there", uid)
	}
	eventually(t, "nothing else was published", func() bool { return messagesIn(t, c, schemas.StreamFetchedLight) == 0 })
}

func testParkedWatch(t *testing.T, srv *bustest.Server) {
	c := srv.Connect(t, "test", nil)
	bury(t, c, fetched(1, "x"), "no")
	first, second := watchParked(t, c), watchParked(t, c)
	if !first.Has(key(1)) || first.Has(key(2)) || first.Count(tenant, mailbox) != 1 || first.Count(tenant, "other") != 0 {
		t.Error("the watch did not load what was there")
	}
	bury(t, c, fetched(2, "x"), "no")
	bury(t, c, fetched(2, "x"), "no") // parked twice counts once
	eventually(t, "both watches know", func() bool { return first.Count(tenant, mailbox) == 2 && second.Has(key(2)) })
	second.Close()
	srv.Restart(t)
	eventually(t, "the server is back", func() bool { return c.NATS().IsConnected() })
	if !first.Has(key(1)) {
		t.Error("the watch forgot over a restart")
	}
	srv.Wipe(t)
	srv.Provision(t)
	eventually(t, "the watch knows that the store is new", func() bool { return first.Count(tenant, mailbox) == 0 })
	bury(t, c, fetched(3, "x"), "no")
	eventually(t, "the watch follows the new store", func() bool { return first.Has(key(3)) })
	// A key that expires is a mail that may be fetched again.
	msg := &nats.Msg{Subject: "$KV.CONTROL.parked.acme.support.7.3", Data: []byte("{}"), Header: nats.Header{jetstream.MsgTTLHeader: {"1s"}}}
	must(c.JetStream().PublishMsg(testContext(t), msg))(t)
	eventually(t, "the key expired", func() bool { return !first.Has(key(3)) })
}
