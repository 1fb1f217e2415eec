package storetest

import (
	"database/sql"
	"testing"
	"time"

	"github.com/mailyard/mailyard/pkg/mailstore"
)

// yesterday makes the counts of a mailbox those of a day in the past.
func yesterday(t *testing.T, conn *sql.DB, mailbox string) {
	t.Helper()
	for _, statement := range []string{`UPDATE tallies SET day = '2020-01-01' WHERE mailbox = $1`, `UPDATE totals SET day = '2020-01-01' WHERE mailbox = $1`} {
		if _, err := conn.ExecContext(t.Context(), statement, mailbox); err != nil {
			t.Fatal(err)
		}
	}
}

// totals are the sums of v1_daily, whatever day it is, and whoever adds to it.
func totals(t *testing.T, db Database) {
	s := db.Open(t)
	conn := db.SQL(t)
	counted := func() mailstore.MailboxStats {
		t.Helper()
		got, err := s.Stats(t.Context(), "acme")
		if err != nil || len(got.Mailboxes) != 1 {
			t.Fatalf("Stats: %+v, %v", got, err)
		}
		return got.Mailboxes[0]
	}
	persist(t, s, NewMail("acme", "inbox", 1, 1, 1000), NewMail("acme", "inbox", 1, 2, 1000))
	yesterday(t, conn, "inbox")
	if m := counted(); m.Accepted != 2 || m.AcceptedToday != 0 || m.Bytes != 2000 {
		t.Errorf("on the day after: %+v", m)
	}
	persist(t, s, NewMail("acme", "inbox", 1, 3, 1000))
	persist(t, s, NewMail("acme", "inbox", 1, 4, 1000))
	if m := counted(); m.Accepted != 4 || m.AcceptedToday != 2 || m.Bytes != 4000 {
		t.Errorf("with mail of two days: %+v", m)
	}
	// A late transaction of the day before adds to that day only.
	if _, err := conn.ExecContext(t.Context(), `UPDATE tallies SET mails = mails + 5, bytes = bytes + 50 WHERE day = '2020-01-01'`); err != nil {
		t.Fatal(err)
	}
	if m := counted(); m.Accepted != 9 || m.AcceptedToday != 2 || m.Bytes != 4050 {
		t.Errorf("after a late addition to the day before: %+v", m)
	}
	var mails, sums int64
	if err := conn.QueryRowContext(t.Context(), `SELECT (SELECT sum(mails) FROM v1_daily), (SELECT sum(mails) FROM totals)`).Scan(&mails, &sums); err != nil || mails != sums {
		t.Errorf("%d mails in v1_daily, %d in all, %v", mails, sums, err)
	}
}

func undisposedOfMailbox(t *testing.T, db Database) {
	s := db.Open(t)
	a, b := NewMail("acme", "inbox", 1, 1, 900), NewMail("acme", "inbox", 1, 2, 900)
	persist(t, s, a, b, NewMail("acme", "second", 1, 1, 900), NewMail("globex", "inbox", 1, 1, 900))
	check := func(tenant, mailbox string, want int64) {
		t.Helper()
		n, oldest, err := s.Undisposed(t.Context(), tenant, mailbox)
		if err != nil || n != want || (oldest != nil) != (want > 0) || oldest != nil && time.Since(*oldest) > time.Minute {
			t.Errorf("Undisposed(%q, %q) = %d, %v, %v; want %d", tenant, mailbox, n, oldest, err, want)
		}
	}
	check("acme", "inbox", 2)
	dispose(t, s, a)
	check("acme", "inbox", 1)
	dispose(t, s, b)
	check("acme", "inbox", 0)
	check("acme", "second", 1)
	for _, odd := range []string{"", "\x00", "\xff", "*", "%", "nobody"} {
		check(odd, "inbox", 0)
		check("acme", odd, 0)
	}
}
