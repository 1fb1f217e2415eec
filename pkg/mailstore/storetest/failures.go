package storetest

import (
	"context"
	"errors"
	"testing"

	"github.com/mailyard/mailyard/pkg/fault"
	"github.com/mailyard/mailyard/pkg/mailstore"
	"github.com/mailyard/mailyard/pkg/message"
	"github.com/mailyard/mailyard/schemas"
	"github.com/mailyard/mailyard/schemas/messaging"
)

func disposal(t *testing.T, db Database) {
	s := db.Open(t)
	a, b := NewMail("acme", "inbox", 1, 1, 900), NewMail("acme", "inbox", 1, 2, 900)
	persist(t, s, a, b)
	unknown := NewMail("acme", "inbox", 1, 77, 900)
	dispose(t, s, a, unknown)
	late := schemas.Disposed{Tenant: "acme", Mailbox: "inbox", UIDValidity: 1, UIDs: []uint32{1}, Method: "delete", DisposedAt: disposedAt().AddDate(1, 0, 0)}
	if err := s.RecordDisposed(t.Context(), late); err != nil {
		t.Fatal(err)
	}
	d := detail(t, s, "acme", a.Key.ID())
	if d.DisposedAt == nil || !d.DisposedAt.Equal(disposedAt()) || d.DisposedMethod != "move" || d.DisposedTo != "PersistedCCSPItems" {
		t.Errorf("the disposal is %v, %q, %q; want the first one", d.DisposedAt, d.DisposedMethod, d.DisposedTo)
	}
	out := persist(t, s, a, b)
	if !out[0].Disposed || out[1].Disposed {
		t.Errorf("Disposed = %v, %v; want true, false", out[0].Disposed, out[1].Disposed)
	}
	if ms := list(t, s, mailstore.Query{Tenant: "acme", State: mailstore.Undisposed}); len(ms) != 1 || ms[0].UID != 2 {
		t.Errorf("undisposed are %+v, want UID 2", ms)
	}
	if ms := list(t, s, mailstore.Query{Tenant: "acme", State: mailstore.Disposed}); len(ms) != 1 || ms[0].UID != 1 {
		t.Errorf("disposed are %+v, want UID 1", ms)
	}
	if err := s.RecordDisposed(t.Context(), schemas.Disposed{Tenant: "acme", Mailbox: "inbox", UIDValidity: 1, DisposedAt: disposedAt()}); err != nil {
		t.Errorf("recording the disposal of no mail: %v", err)
	}
}

// poison makes the database refuse an attachment of one name, in the place of
// the fault that nobody thought of.
func poison(t *testing.T, db Database) {
	s := db.Open(t)
	statement := `ALTER TABLE attachments ADD CONSTRAINT poison CHECK (filename <> 'poison.txt')`
	if db.Dialect == messaging.SQLite {
		statement = `CREATE TRIGGER poison BEFORE INSERT ON attachments WHEN new.filename = 'poison.txt' BEGIN SELECT RAISE(ABORT, 'poison'); END`
	}
	if _, err := db.SQL(t).ExecContext(t.Context(), statement); err != nil {
		t.Fatal(err)
	}
	mails := []mailstore.Mail{NewMail("acme", "inbox", 1, 1, 900), NewMail("acme", "inbox", 1, 2, 900), NewMail("acme", "inbox", 1, 3, 900)}
	mails[1].Message.Attachments = []message.Attachment{{Filename: "poison.txt", Content: []byte("x")}}
	_, err := s.Persist(t.Context(), mails)
	if err == nil || fault.IsPermanent(err) || fault.IsUnavailable(err) {
		t.Errorf("the batch: %v; want an error of no class", err)
	}
	wantStored(t, s, "acme", 0)
	if _, err := s.Persist(t.Context(), mails[1:2]); !fault.IsPermanent(err) {
		t.Errorf("the mail alone: %v; want a permanent error", err)
	}
	persist(t, s, mails[0], mails[2])
	wantStored(t, s, "acme", 2)
}

func cancelled(t *testing.T, db Database) {
	s := db.Open(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := s.Persist(ctx, []mailstore.Mail{NewMail("acme", "inbox", 1, 1, 900)})
	if !errors.Is(err, context.Canceled) || fault.IsPermanent(err) || fault.IsUnavailable(err) {
		t.Errorf("Persist: %v; want context.Canceled of no class", err)
	}
	wantStored(t, s, "acme", 0)
}

func notFound(t *testing.T, db Database) {
	s := db.Open(t)
	id := persist(t, s, rich())[0].MailID
	for name, call := range map[string]func() error{
		"unknown mail":          func() error { _, err := s.Mail(t.Context(), "acme", "nowhere"); return err },
		"mail of another":       func() error { _, err := s.Mail(t.Context(), "globex", id); return err },
		"raw of another":        func() error { _, err := s.Raw(t.Context(), "globex", id); return err },
		"unknown attachment":    func() error { _, err := s.Attachment(t.Context(), "acme", id, 4); return err },
		"attachment of another": func() error { _, err := s.Attachment(t.Context(), "globex", id, 1); return err },
	} {
		if err := call(); !errors.Is(err, mailstore.ErrNotFound) || fault.IsUnavailable(err) {
			t.Errorf("%s: %v; want ErrNotFound", name, err)
		}
	}
	if d, err := s.Mail(t.Context(), "", id); err != nil || d.Tenant != "acme" {
		t.Errorf("the landlord finds %q, %v", d.Tenant, err)
	}
}

func deletion(t *testing.T, db Database) {
	s := db.Open(t)
	stay := NewMail("acme", "inbox", 1, 2, 900)
	out := persist(t, s, rich(), stay)
	if _, err := s.IndexPending(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	conn := db.SQL(t)
	for round, want := range []int{2, 1} {
		for _, table := range []string{"mails", "contents", "items", "undisposed"} {
			var n int
			if err := conn.QueryRowContext(t.Context(), "SELECT count(*) FROM "+table).Scan(&n); err != nil || n != want {
				t.Errorf("round %d: %d rows in %s, %v; want %d", round, n, table, err, want)
			}
		}
		if round == 0 {
			if _, err := conn.ExecContext(t.Context(), "DELETE FROM mails WHERE mail_id = '"+out[0].MailID+"'"); err != nil {
				t.Fatal(err)
			}
		}
	}
	var left int
	if err := conn.QueryRowContext(t.Context(), "SELECT (SELECT count(*) FROM attachments) + (SELECT count(*) FROM addresses) + (SELECT count(*) FROM search_queue)").Scan(&left); err != nil || left != 3+1 {
		t.Errorf("%d attachments, addresses and queued mails are left, %v; want the 4 of the other mail", left, err)
	}
	if ms := list(t, s, mailstore.Query{Tenant: "acme", Text: "Order"}); len(ms) != 0 {
		t.Errorf("the deleted mail is found: %+v", ms)
	}
}

func openedAgain(t *testing.T, db Database) {
	first := db.Open(t)
	m := NewMail("acme", "inbox", 1, 1, 900)
	persist(t, first, m)
	second := db.Open(t)
	if persist(t, second, m)[0].New {
		t.Error("another process does not see the mail")
	}
	persist(t, second, NewMail("acme", "inbox", 1, 2, 900))
	wantStored(t, first, "acme", 2)
}
