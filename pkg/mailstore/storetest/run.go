package storetest

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mailyard/mailyard/pkg/mailstore"
	"github.com/mailyard/mailyard/schemas"
)

// A Database is an empty messaging database that a test may open more than once.
type Database struct {
	Open func(t testing.TB) mailstore.Store // closed when the test ends
}

// Run runs the suite. fresh returns an empty database for each test.
func Run(t *testing.T, fresh func(t testing.TB) Database) {
	for _, test := range []struct {
		name string
		run  func(t *testing.T, db Database)
	}{
		{"stores a mail once", storesOnce},
		{"disposal", disposal},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.run(t, fresh(t))
		})
	}
}

// persist persists the mails and fails the test if that fails.
func persist(t testing.TB, s mailstore.Store, mails ...mailstore.Mail) []mailstore.Outcome {
	t.Helper()
	out, err := s.Persist(t.Context(), mails)
	if err != nil {
		t.Fatalf("Persist: %v", err)
	}
	if len(out) != len(mails) {
		t.Fatalf("Persist returned %d outcomes for %d mails", len(out), len(mails))
	}
	return out
}

func list(t testing.TB, s mailstore.Store, q mailstore.Query) []mailstore.Summary {
	t.Helper()
	ms, err := s.Mails(t.Context(), q)
	if err != nil {
		t.Fatalf("Mails(%+v): %v", q, err)
	}
	return ms
}

func detail(t testing.TB, s mailstore.Store, tenant, id string) mailstore.Detail {
	t.Helper()
	d, err := s.Mail(t.Context(), tenant, id)
	if err != nil {
		t.Fatalf("Mail(%s, %s): %v", tenant, id, err)
	}
	return d
}

func dispose(ctx context.Context, t testing.TB, s mailstore.Store, m mailstore.Mail) {
	t.Helper()
	err := s.RecordDisposed(ctx, schemas.Disposed{
		Tenant: m.Key.Tenant, Mailbox: m.Key.Mailbox, UIDValidity: m.Key.UIDValidity, UIDs: []uint32{m.Key.UID},
		Action: schemas.ActionPersisted, Method: "move", Destination: "PersistedCCSPItems", DisposedAt: time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC),
	})
	if err != nil {
		t.Fatalf("RecordDisposed: %v", err)
	}
}

func storesOnce(t *testing.T, db Database) {
	s := db.Open(t)
	m := NewMail("acme", "inbox", 1, 1, 2000)
	want := mailstore.Outcome{MailID: m.Key.ID(), ItemIDs: []string{mailstore.ItemID(m.Key.ID(), "support")}, New: true}
	if got := persist(t, s, m); !slices.EqualFunc(got, []mailstore.Outcome{want}, func(a, b mailstore.Outcome) bool { return cmp.Equal(a, b) }) {
		t.Errorf("first delivery: %+v, want %+v", got, want)
	}
	want.New = false
	if diff := cmp.Diff([]mailstore.Outcome{want}, persist(t, s, m)); diff != "" {
		t.Errorf("second delivery (-want +got):\n%s", diff)
	}
	detail(t, s, "acme", want.MailID)
	if ms := list(t, s, mailstore.Query{Tenant: "acme"}); len(ms) != 1 {
		t.Errorf("%d mails are stored, want 1", len(ms))
	}
}

func disposal(t *testing.T, db Database) {
	s := db.Open(t)
	m := NewMail("acme", "inbox", 1, 1, 2000)
	persist(t, s, m)
	dispose(t.Context(), t, s, m)
	if out := persist(t, s, m); !out[0].Disposed {
		t.Error("a disposed mail that is delivered again is not reported as disposed")
	}
	if _, err := s.Stats(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
}
