//go:build full

package pgstore_test

import (
	"context"
	"testing"
	"time"

	"github.com/mailyard/mailyard/pkg/mailstore"
	"github.com/mailyard/mailyard/pkg/mailstore/storetest"
)

// Two processes recognise two identical mails at the same time: the second one
// waits for the row that the first one gives a key, and takes the other row.
func TestRowGetsOneKeyOnly(t *testing.T) {
	t.Parallel()
	u := createDatabase(t)
	s := open(t, u)
	first := storetest.NewMail("acme", "inbox", 1, 1, 900)
	twin := first
	twin.Key.UID = 2
	stored, err := s.Persist(t.Context(), []mailstore.Mail{first, twin})
	if err != nil {
		t.Fatal(err)
	}
	db := connect(t, u)
	other, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.ExecContext(t.Context(), `UPDATE mails SET mail_key = 'acme/inbox/2/1', uidvalidity = 2, uid = 1 WHERE uid = 1`); err != nil {
		t.Fatal(err)
	}
	if _, err := other.ExecContext(t.Context(), `UPDATE undisposed SET uidvalidity = 2 WHERE mail_seq = (SELECT seq FROM mails WHERE mail_key = 'acme/inbox/2/1')`); err != nil {
		t.Fatal(err)
	}
	twin.Key.UIDValidity, twin.FetchedAt = 2, twin.FetchedAt.Add(time.Hour)
	type result struct {
		out []mailstore.Outcome
		err error
	}
	done := make(chan result, 1)
	go func() {
		out, err := s.Persist(context.WithoutCancel(t.Context()), []mailstore.Mail{twin})
		done <- result{out, err}
	}()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for waiting := 0; waiting == 0; {
		if err := db.QueryRowContext(ctx, `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`).Scan(&waiting); err != nil {
			t.Fatal(err)
		}
	}
	if err := other.Commit(); err != nil {
		t.Fatal(err)
	}
	r := <-done
	if r.err != nil || r.out[0].New || r.out[0].MailID != stored[1].MailID {
		t.Errorf("Persist: %+v, %v; want the second row, %s", r.out, r.err, stored[1].MailID)
	}
	if d, err := s.Mail(t.Context(), "acme", stored[0].MailID); err != nil || d.UIDValidity != 2 || d.UID != 1 {
		t.Errorf("the first row has the key %d/%d, %v; want 2/1", d.UIDValidity, d.UID, err)
	}
}
