package storetest

import (
	"testing"
	"time"

	"github.com/mailyard/mailyard/schemas"
	"github.com/mailyard/mailyard/schemas/messaging"
)

// before returns the migrations up to the one of a name, which is left out.
func before(t *testing.T, d messaging.Dialect, name string) []messaging.Migration {
	t.Helper()
	all, err := messaging.Migrations(d)
	if err != nil {
		t.Fatal(err)
	}
	for i, m := range all {
		if m.Name == name {
			return all[:i]
		}
	}
	t.Fatalf("there is no migration %s", name)
	return nil
}

// A database of the version before totals has them after it was opened.
func upgraded(t *testing.T, db Database) {
	conn := db.SQL(t)
	exec := func(statement string, args ...any) {
		t.Helper()
		if _, err := conn.ExecContext(t.Context(), statement, args...); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	if db.Dialect == messaging.PostgreSQL {
		exec(`CREATE TABLE mailyard_schema (version integer PRIMARY KEY, name text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())`)
	}
	for _, m := range before(t, db.Dialect, "console") {
		exec(m.SQL)
		if db.Dialect == messaging.PostgreSQL {
			exec(`INSERT INTO mailyard_schema (version, name) VALUES ($1, $2)`, m.Version, m.Name)
		} else {
			exec(`PRAGMA user_version = 1`)
		}
	}
	today := time.Now().UTC()
	for _, day := range []struct {
		day     string
		verdict schemas.Verdict
		reason  schemas.Reason
		mails   int
	}{
		{"2025-01-01", schemas.Accepted, "", 3}, {"2025-01-02", schemas.Accepted, "", 4}, {today.Format(time.DateOnly), schemas.Accepted, "", 5},
		{"2025-01-01", schemas.Invalid, schemas.ReasonLoop, 6}, {"2025-01-02", schemas.Invalid, schemas.ReasonOversize, 7},
	} {
		exec(`INSERT INTO tallies (tenant, mailbox, day, verdict, reason, mails, bytes, last_persisted_at) VALUES ('acme', 'inbox', $1, $2, $3, $4, $5, $6)`,
			day.day, string(day.verdict), string(day.reason), day.mails, day.mails*100, day.day+"T12:00:00.000000Z")
	}
	s := db.Open(t)
	if today.Day() != time.Now().UTC().Day() {
		return // it is past midnight, and what was today is not any more
	}
	got, err := s.Stats(t.Context(), "acme")
	if err != nil || len(got.Mailboxes) != 1 {
		t.Fatalf("Stats: %+v, %v", got, err)
	}
	m := got.Mailboxes[0]
	if m.Accepted != 12 || m.AcceptedToday != 5 || m.InvalidToday != 0 || m.Bytes != 2500 || m.Invalid[schemas.ReasonLoop] != 6 || m.Invalid[schemas.ReasonOversize] != 7 ||
		!m.LastPersisted.Equal(time.Date(today.Year(), today.Month(), today.Day(), 12, 0, 0, 0, time.UTC)) {
		t.Errorf("after the upgrade: %+v", m)
	}
	persist(t, s, NewMail("acme", "inbox", 1, 1, 100))
	if got, err := s.Stats(t.Context(), "acme"); err != nil || got.Mailboxes[0].Accepted != 13 {
		t.Errorf("after another mail: %+v, %v", got, err)
	}
}
