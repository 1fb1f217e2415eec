package bus_test

import (
	"errors"
	"maps"
	"strings"
	"testing"

	"github.com/mailyard/mailyard/pkg/bus"
	"github.com/mailyard/mailyard/pkg/bus/bustest"
	"github.com/mailyard/mailyard/schemas"
)

// To a tenant, the letters of others are as if they were not there: the same
// error, the same text, and nothing happens to them.
func testDeadLettersOfATenant(t *testing.T, srv *bustest.Server) {
	c := srv.Connect(t, "test", nil)
	ctx := testContext(t)
	for i, owner := range []string{"acme", "other", "acme"} {
		e := fetched(uint32(i+1), "x")
		e.Tenant = owner
		bury(t, c, e, "no")
	}
	_, err := c.JetStream().Publish(ctx, schemas.SubjectDead(schemas.StageClassifier, "unknown", "unknown"), nil) // whose it is was not known
	check(t, err)
	const missing, theirs, ours, nobodys = 99, 2, 1, 4
	// text is the error with the sequence that was asked for taken out.
	text := func(err error, sequence string) string { return strings.ReplaceAll(err.Error(), sequence, "N") }
	calls := map[string]func(tenant string, sequence uint64) error{
		"DeadLetterOf": func(tenant string, n uint64) error { _, err := c.DeadLetterOf(ctx, tenant, n); return err },
		"ReplayOf":     func(tenant string, n uint64) error { return c.ReplayOf(ctx, tenant, n) },
		"DropOf":       func(tenant string, n uint64) error { return c.DropOf(ctx, tenant, n) },
	}
	for name, call := range calls {
		absent := call("acme", missing)
		if !errors.Is(absent, bus.ErrNotFound) {
			t.Fatalf("%s of what is not there: %v", name, absent)
		}
		if err := call("acme", theirs); !errors.Is(err, bus.ErrNotFound) || text(err, "2") != text(absent, "99") {
			t.Errorf("%s of another tenant's letter: %v, of one that is not there: %v", name, err, absent)
		}
		for _, tenant := range []string{"*", ">", "", "unknown", "acme.support"} {
			for _, n := range []uint64{0, ours, theirs, nobodys} {
				if err := call(tenant, n); !errors.Is(err, bus.ErrNotFound) {
					t.Errorf("%s(%q, %d): %v; want ErrNotFound", name, tenant, n, err)
				}
			}
		}
	}
	if n := messagesIn(t, c, schemas.StreamDead); n != 4 {
		t.Fatalf("%d letters are left of 4", n)
	}
	if d, err := c.DeadLetterOf(ctx, "acme", ours); err != nil || d.Tenant != "acme" || d.Sequence != ours || len(d.Data.Payload) == 0 {
		t.Errorf("the tenant's own letter: %+v, %v", d, err)
	}
	if counts := must(c.CountDeadOf(ctx, "acme"))(t); !maps.Equal(counts, map[string]uint64{mailbox: 2}) {
		t.Errorf("the letters of acme are %v", counts)
	}
	check(t, c.ReplayOf(ctx, "acme", ours))
	check(t, c.DropOf(ctx, "acme", 3))
	if counts := must(c.CountDeadOf(ctx, "acme"))(t); len(counts) != 0 {
		t.Errorf("the letters of acme are %v after all were settled", counts)
	}
	if n := messagesIn(t, c, schemas.StreamDead); n != 2 {
		t.Errorf("%d letters of others are left of 2", n)
	}
}

// What is no id selects nothing: it might be a wildcard.
func testOddDeadQueries(t *testing.T, srv *bustest.Server) {
	c := srv.Connect(t, "test", nil)
	bury(t, c, fetched(1, "x"), "no")
	_, err := c.JetStream().Publish(testContext(t), schemas.SubjectDead(schemas.StageClassifier, "unknown", "unknown"), nil)
	check(t, err)
	if n := len(letters(t, c, bus.DeadQuery{})); n != 2 {
		t.Fatalf("the landlord sees %d letters of 2", n)
	}
	for _, odd := range []string{"*", ">", "acme.support", "a b", "\x00", "\xff", strings.Repeat("a", 10_000), "unknown"} {
		for _, q := range []bus.DeadQuery{{Tenant: odd}, {Tenant: "acme", Mailbox: odd}, {Tenant: "acme", Stage: schemas.Stage(odd)}} {
			if d := letters(t, c, q); len(d) != 0 {
				t.Errorf("%+v selects %d letters", q, len(d))
			}
		}
		if counts := must(c.CountDeadOf(testContext(t), odd))(t); len(counts) != 0 {
			t.Errorf("tenant %q has the letters %v", odd, counts)
		}
	}
}
