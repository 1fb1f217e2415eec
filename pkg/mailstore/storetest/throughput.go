package storetest

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mailyard/mailyard/pkg/mailstore"
	"github.com/mailyard/mailyard/schemas"
)

// persistedAt makes mail of a tenant appear to be persisted at a time.
func persistedAt(t *testing.T, db Database, tenant string, uid uint32, at time.Time) {
	t.Helper()
	const layout = "2006-01-02T15:04:05.000000Z"
	if _, err := db.SQL(t).ExecContext(t.Context(), `UPDATE mails SET persisted_at = $1 WHERE tenant = $2 AND uid = $3`, at.UTC().Format(layout), tenant, uid); err != nil {
		t.Fatal(err)
	}
}

func throughput(t *testing.T, db Database) {
	s := db.Open(t)
	start := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	const day = 24 * time.Hour
	type facts struct {
		tenant, mailbox       string
		lane                  schemas.Lane
		invalid               bool
		at                    time.Duration // persisted, after start
		waited, took, dispose time.Duration // before and after that; dispose 0: not yet
	}
	for i, f := range []facts{
		{"acme", "inbox", schemas.Light, false, 0, 3 * time.Second, time.Second, 5 * time.Second}, // the first instant
		{"acme", "inbox", schemas.Light, false, 5 * time.Minute, 30 * day, 2 * time.Second, 0},
		{"acme", "inbox", schemas.Large, false, 9*time.Minute + 59*time.Second + 999_999*time.Microsecond, 10 * time.Second, 9 * time.Second, 7 * time.Second}, // the last
		{"acme", "inbox", schemas.Large, true, 10 * time.Minute, -5 * time.Second, -time.Second, time.Millisecond},                                             // clocks that differ
		{"acme", "second", schemas.Light, false, 12 * time.Minute, -time.Hour, 4 * time.Second, time.Second},
		{"acme", "inbox", schemas.Light, false, 30 * time.Minute, time.Second, time.Second, time.Second},  // until, not included
		{"acme", "inbox", schemas.Light, false, -time.Microsecond, time.Second, time.Second, time.Second}, // before since
		{"globex", "inbox", schemas.Light, false, 5 * time.Minute, time.Second, time.Second, time.Second},
	} {
		uid := uint32(i + 1)
		m := NewMail(f.tenant, f.mailbox, 1, uid, 1000)
		at := start.Add(f.at)
		m.Lane, m.InternalDate, m.FetchedAt = f.lane, at.Add(-f.waited), at.Add(-f.took)
		if f.invalid {
			m.Decision = schemas.Decision{Verdict: schemas.Invalid, Reason: schemas.ReasonLoop}
		}
		persist(t, s, m)
		persistedAt(t, db, f.tenant, uid, at)
		if f.dispose > 0 {
			d := schemas.Disposed{Tenant: f.tenant, Mailbox: f.mailbox, UIDValidity: 1, UIDs: []uint32{uid}, DisposedAt: at.Add(f.dispose)}
			if err := s.RecordDisposed(t.Context(), d); err != nil {
				t.Fatal(err)
			}
		}
	}
	q := mailstore.ThroughputQuery{Tenant: "acme", Since: start, Until: start.Add(30 * time.Minute), Step: 10 * time.Minute}
	first := mailstore.ThroughputPoint{
		At: start, Light: 2, Large: 1, Bytes: 3000, LatencyP50: 2 * time.Second, LatencyP95: 9 * time.Second,
		DisposeP50: 5 * time.Second, DisposeP95: 7 * time.Second, ArrivalP50: 3 * time.Second, ArrivalP95: 10 * time.Second,
	}
	second := mailstore.ThroughputPoint{At: start.Add(10 * time.Minute), Light: 1, Invalid: 1, Bytes: 2000, LatencyP95: 4 * time.Second, DisposeP50: time.Millisecond, DisposeP95: time.Second}
	third := mailstore.ThroughputPoint{At: start.Add(20 * time.Minute)}
	check := func(what string, q mailstore.ThroughputQuery, want ...mailstore.ThroughputPoint) {
		t.Helper()
		got, err := s.Throughput(t.Context(), q)
		if err != nil {
			t.Errorf("%s: %v", what, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", what, diff)
		}
	}
	check("a tenant", q, first, second, third)
	all := first
	all.Light, all.Bytes = 3, 4000
	all.LatencyP50, all.DisposeP50, all.ArrivalP50 = time.Second, 5*time.Second, 3*time.Second
	landlord := q
	landlord.Tenant = ""
	check("all tenants", landlord, all, second, third)
	one := q
	one.Mailbox = "second"
	check("a mailbox", one, mailstore.ThroughputPoint{At: start},
		mailstore.ThroughputPoint{At: second.At, Light: 1, Bytes: 1000, LatencyP50: 4 * time.Second, LatencyP95: 4 * time.Second, DisposeP50: time.Second, DisposeP95: time.Second}, third)
	short := q
	short.Since, short.Until = start.Add(7*time.Minute), start.Add(11*time.Minute) // rounded down, and a short last interval
	check("odd ends", short, first, mailstore.ThroughputPoint{At: second.At, Invalid: 1, Bytes: 1000, DisposeP50: time.Millisecond, DisposeP95: time.Millisecond})
	for _, odd := range []string{"nobody", "\x00", "\xff", "'", "%"} {
		none := q
		none.Mailbox = odd
		check("mailbox "+odd, none, mailstore.ThroughputPoint{At: start}, mailstore.ThroughputPoint{At: second.At}, third)
	}
	for what, bad := range map[string]mailstore.ThroughputQuery{
		"no step":              {Since: start, Until: start.Add(time.Hour)},
		"a step of less":       {Since: start, Until: start.Add(time.Hour), Step: time.Millisecond},
		"a negative step":      {Since: start, Until: start.Add(time.Hour), Step: -time.Hour},
		"no time":              {Since: start, Until: start, Step: time.Hour},
		"backwards":            {Since: start, Until: start.Add(-day), Step: time.Hour},
		"too many intervals":   {Since: start, Until: start.Add(day), Step: time.Second},
		"all time":             {Until: start, Step: time.Hour},
		"more than a duration": {Since: time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC), Until: time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC), Step: time.Second},
	} {
		var refused *mailstore.QueryError
		if points, err := s.Throughput(t.Context(), bad); !errors.As(err, &refused) || refused.Field == "" {
			t.Errorf("%s: %d points, %v; want a QueryError", what, len(points), err)
		}
	}
}

// An interval with very many mails is told by a sample of them, one beside it
// with few by all.
func throughputSample(t *testing.T, db Database) {
	s := db.Open(t)
	start := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	const many = 1500
	batch := make([]mailstore.Mail, 0, many)
	for uid := uint32(1); uid <= many; uid++ {
		m := NewMail("acme", "inbox", 1, uid, 200)
		m.FetchedAt = start.Add(time.Minute - time.Duration(uid)*time.Millisecond)
		batch = append(batch, m)
	}
	few := NewMail("acme", "few", 1, many+1, 200)
	few.FetchedAt = start.Add(119 * time.Minute)
	persist(t, s, append(batch, few)...)
	for _, statement := range []string{
		`UPDATE mails SET persisted_at = '2026-03-01T12:01:00.000000Z' WHERE mailbox = 'inbox'`,
		`UPDATE mails SET persisted_at = '2026-03-01T14:00:00.000000Z' WHERE mailbox = 'few'`,
	} {
		if _, err := db.SQL(t).ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	got, err := s.Throughput(t.Context(), mailstore.ThroughputQuery{Tenant: "acme", Since: start, Until: start.Add(4 * time.Hour), Step: 2 * time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	near := func(d, want time.Duration) bool {
		return d > want-200*time.Millisecond && d < want+200*time.Millisecond
	}
	if p := got[0]; p.Light != many || !near(p.LatencyP50, 750*time.Millisecond) || !near(p.LatencyP95, 1425*time.Millisecond) {
		t.Errorf("the interval with many mails: %+v", p)
	}
	if p := got[1]; p.Light != 1 || p.LatencyP50 != time.Minute {
		t.Errorf("the interval with one mail: %+v", p)
	}
}
