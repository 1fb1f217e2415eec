package lease_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/redis/go-redis/v9"

	"github.com/mailyard/mailyard/pkg/lease"
	"github.com/mailyard/mailyard/schemas"
)

func appendLines(t *testing.T, c *lease.Client, mailbox string, texts ...string) {
	t.Helper()
	var lines []lease.ProtocolLine
	for _, text := range texts {
		lines = append(lines, lease.ProtocolLine{At: time.Now().UTC(), Replica: "one", Connection: "watch", Direction: "C", Text: text})
	}
	if err := c.AppendProtocol(t.Context(), "acme", mailbox, lines); err != nil {
		t.Fatal(err)
	}
}

func switchLog(t *testing.T, c *lease.Client, mailbox string, until time.Time) {
	t.Helper()
	if err := c.SwitchProtocolLog(t.Context(), "acme", mailbox, until); err != nil {
		t.Fatal(err)
	}
}

// readLog returns the texts after a number, the number of the last, and the end.
func readLog(t *testing.T, c *lease.Client, mailbox string, after int64) (texts []string, last int64, until time.Time) {
	t.Helper()
	lines, until, err := c.ProtocolLog(t.Context(), "acme", mailbox, after)
	if err != nil {
		t.Fatal(err)
	}
	last = after
	for _, l := range lines {
		if l.Seq <= last {
			t.Errorf("line %d comes after line %d", l.Seq, last)
		}
		last = l.Seq
		texts = append(texts, l.Text)
	}
	return texts, last, until
}

func testProtocolLog(t *testing.T, b *backend) {
	c := b.dial(t)
	check := func(mailbox string, after int64, want ...string) (last int64) {
		t.Helper()
		got, last, _ := readLog(t, c, mailbox, after)
		if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("lines (-want +got):\n%s", diff)
		}
		return last
	}
	appendLines(t, c, "info", "nobody switched it on")
	check("info", 0)
	end := time.Now().Add(10 * time.Minute)
	switchLog(t, c, "info", end)
	on, err := c.ProtocolLogs(t.Context())
	if err != nil || len(on) != 1 || on[lease.MailboxID{Tenant: "acme", Mailbox: "info"}].Sub(end).Abs() > time.Second {
		t.Errorf("ProtocolLogs = %v, %v", on, err)
	}
	appendLines(t, c, "info", "one", "one", `"two" ü`)
	last := check("info", 0, "one", "one", `"two" ü`)
	appendLines(t, c, "info", "three")
	appendLines(t, c, "sales", "not this one")
	last = check("info", last, "three")
	check("info", last)
	check("sales", 0)

	switchLog(t, c, "info", time.Time{})
	appendLines(t, c, "info", "too late")
	if texts, _, until := readLog(t, c, "info", 0); len(texts) != 4 || !until.IsZero() {
		t.Errorf("when it is off: %q until %v", texts, until)
	}
	if on, err := c.ProtocolLogs(t.Context()); err != nil || len(on) > 0 {
		t.Errorf("ProtocolLogs = %v, %v", on, err)
	}
	// Numbers ascend over a flush, so that who reads on misses nothing.
	b.flush(t)
	switchLog(t, c, "info", end)
	appendLines(t, c, "info", "after the flush")
	check("info", last, "after the flush")
	if err := c.DeleteState(t.Context(), "acme", "info"); err != nil {
		t.Fatal(err)
	}
	check("info", 0)
	if on, err := c.ProtocolLogs(t.Context()); err != nil || len(on) > 0 {
		t.Errorf("the log of a deleted mailbox is on: %v, %v", on, err)
	}
}

func testProtocolEnds(t *testing.T, b *backend) {
	c := b.dial(t)
	switchLog(t, c, "info", time.Now().Add(24*time.Hour))
	if _, _, until := readLog(t, c, "info", 0); time.Until(until) > time.Hour+time.Minute || time.Until(until) < 59*time.Minute {
		t.Errorf("it is on until %v", until)
	}
	switchLog(t, c, "info", time.Now().Add(300*time.Millisecond))
	appendLines(t, c, "info", "in time")
	eventually(t, "it ends by itself", func() bool {
		on, err := c.ProtocolLogs(t.Context())
		return err == nil && len(on) == 0
	})
	appendLines(t, c, "info", "too late")
	if texts, _, until := readLog(t, c, "info", 0); len(texts) != 1 || !until.IsZero() {
		t.Errorf("after its end: %q until %v", texts, until)
	}
	b.raw(t, func(ctx context.Context, r *redis.Client) {
		for _, key := range r.Keys(ctx, b.prefix+"protocol:*").Val() {
			if ttl := r.PTTL(ctx, key).Val(); ttl <= 0 || ttl > 2*time.Hour+time.Minute {
				t.Errorf("%s stays for %v", key, ttl)
			}
		}
		// An hour after its end nothing is told, whether keys went or not.
		end := time.Now().Add(-61 * time.Minute).UnixMilli()
		if err := r.HSet(ctx, b.prefix+"protocol:{acme/info}", "end", fmt.Sprint(end)).Err(); err != nil {
			t.Fatal(err)
		}
	})
	if texts, _, _ := readLog(t, c, "info", 0); len(texts) > 0 {
		t.Errorf("an hour after its end: %q", texts)
	}
}

func testProtocolCapped(t *testing.T, b *backend) {
	c := b.dial(t)
	switchLog(t, c, "info", time.Now().Add(time.Minute))
	var texts []string
	for i := range 2600 {
		texts = append(texts, fmt.Sprint(i))
	}
	appendLines(t, c, "info", texts[:1300]...)
	appendLines(t, c, "info", texts[1300:]...)
	if got, _, _ := readLog(t, c, "info", 0); len(got) != 2000 || got[0] != "600" || got[1999] != "2599" {
		t.Errorf("%d lines are kept, from %s", len(got), got[:1])
	}
}

func testOutgoing(t *testing.T, b *backend) {
	c := b.dial(t)
	now := time.Now().UTC()
	state := func(mailbox string, ok bool, at time.Time) lease.OutgoingState {
		return lease.OutgoingState{Tenant: "acme", Mailbox: mailbox, OK: ok, Detail: "it says so", At: at, Revision: 7}
	}
	for _, s := range []lease.OutgoingState{
		state("sales", false, now), state("info", true, now), state("sales", true, now), state("old", true, now.Add(-31*24*time.Hour)),
		{Tenant: "globex", Mailbox: "info", At: now},
	} {
		if err := c.SetOutgoing(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	check := func(want ...lease.OutgoingState) {
		t.Helper()
		got, err := c.Outgoing(t.Context(), "acme")
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("SMTP tests (-want +got):\n%s", diff)
		}
	}
	check(state("info", true, now), state("sales", true, now))
	if err := c.SetState(t.Context(), schemas.MailboxState{Tenant: "acme", Mailbox: "sales"}, ""); err != nil {
		t.Fatal(err)
	}
	if err := c.DeleteState(t.Context(), "acme", "sales"); err != nil {
		t.Fatal(err)
	}
	check(state("info", true, now))
	b.raw(t, func(ctx context.Context, r *redis.Client) {
		if ttl := r.PTTL(ctx, b.prefix+"outgoing:acme").Val(); ttl <= 0 || ttl > 31*24*time.Hour {
			t.Errorf("SMTP tests stay for %v", ttl)
		}
	})
	b.flush(t)
	check()
}
