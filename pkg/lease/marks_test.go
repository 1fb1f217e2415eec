package lease_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/mailyard/mailyard/pkg/lease"
)

func mark(t *testing.T, c *lease.Client, m lease.Mailbox, uidvalidity uint32, ttl time.Duration, uids ...uint32) {
	t.Helper()
	if err := c.Mark(t.Context(), m, uidvalidity, uids, ttl); err != nil {
		t.Fatal(err)
	}
}

func checkMarked(t *testing.T, c *lease.Client, m lease.Mailbox, uidvalidity uint32, want ...uint32) {
	t.Helper()
	got, err := c.Marked(t.Context(), m, uidvalidity)
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("Marked = %v, %v; want %v", got, err, want)
	}
	n, err := c.CountMarks(t.Context(), m.Tenant, m.ID, uidvalidity)
	if err != nil || n != len(want) {
		t.Errorf("CountMarks = %d, %v; want %d", n, err, len(want))
	}
}

func testMarks(t *testing.T, b *backend) {
	c := b.dial(t)
	m := lease.Mailbox{Tenant: "acme", ID: "sales", Epoch: "e1"}
	checkMarked(t, c, m, 7)
	mark(t, c, m, 7, time.Hour, 20, 3, 4294967295, 3)
	mark(t, c, m, 8, time.Hour, 5)
	mark(t, c, lease.Mailbox{Tenant: "acme", ID: "support", Epoch: "e1"}, 7, time.Hour, 99)
	checkMarked(t, c, m, 7, 3, 20, 4294967295)
	checkMarked(t, c, m, 8, 5)
	if err := c.Unmark(t.Context(), "acme", "sales", 7, []uint32{20, 21}); err != nil {
		t.Fatal(err)
	}
	checkMarked(t, c, m, 7, 3, 4294967295)
	var many []uint32
	for uid := range uint32(2000) {
		many = append(many, uid+1)
	}
	mark(t, c, m, 9, time.Hour, many...)
	checkMarked(t, c, m, 9, many...)
	if err := c.Unmark(t.Context(), "acme", "sales", 9, many); err != nil {
		t.Fatal(err)
	}
	checkMarked(t, c, m, 9)
	mark(t, c, m, 9, time.Hour) // nothing to mark is no error
	b.raw(t, func(ctx context.Context, r *redis.Client) {
		for _, key := range r.Keys(ctx, b.prefix+"marks:*").Val() {
			if ttl := r.PTTL(ctx, key).Val(); ttl <= 0 {
				t.Errorf("%s would stay for ever (PTTL %v)", key, ttl)
			}
		}
	})
}

func testMarksLapse(t *testing.T, b *backend) {
	c := b.dial(t)
	m := lease.Mailbox{Tenant: "acme", ID: "sales", Epoch: "e1"}
	mark(t, c, m, 7, time.Hour, 1)
	mark(t, c, m, 7, 100*time.Millisecond, 2, 3)
	mark(t, c, m, 7, time.Hour, 3) // extended
	eventually(t, "mark 2 lapsed", func() bool {
		n, err := c.CountMarks(t.Context(), "acme", "sales", 7)
		return err == nil && n == 2
	})
	checkMarked(t, c, m, 7, 1, 3)
}

func testMarksEpoch(t *testing.T, b *backend) {
	c := b.dial(t)
	old := lease.Mailbox{Tenant: "acme", ID: "sales", Epoch: "e1"}
	now := lease.Mailbox{Tenant: "acme", ID: "sales", Epoch: "e2"}
	mark(t, c, old, 7, time.Hour, 1, 2)
	checkMarked(t, c, now, 7)
	mark(t, c, old, 8, time.Hour, 1, 2)
	mark(t, c, now, 8, time.Hour, 3)
	checkMarked(t, c, now, 8, 3)
	mark(t, c, now, 9, time.Hour, 4)
	b.flush(t)
	checkMarked(t, c, now, 9)
}

func testDailyCounts(t *testing.T, b *backend) {
	c := b.dial(t)
	monday := time.Date(2026, 11, 23, 23, 59, 59, 0, time.UTC)
	for range 2 {
		if err := c.CountMails(t.Context(), "acme", 7, monday); err != nil {
			t.Fatal(err)
		}
	}
	for _, k := range []struct {
		tenant string
		at     time.Time
		want   int
	}{{"acme", monday, 14}, {"acme", monday.Add(time.Second), 0}, {"other", monday, 0}} {
		if n, err := c.MailsOn(t.Context(), k.tenant, k.at); err != nil || n != k.want {
			t.Errorf("MailsOn(%s, %s) = %d, %v; want %d", k.tenant, k.at, n, err, k.want)
		}
	}
}
