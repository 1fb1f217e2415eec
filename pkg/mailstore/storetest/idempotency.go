package storetest

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mailyard/mailyard/pkg/fault"
	"github.com/mailyard/mailyard/pkg/mailstore"
	"github.com/mailyard/mailyard/schemas"
)

func storedOnce(t *testing.T, db Database) {
	s := db.Open(t)
	m := NewMail("acme", "inbox", 1, 1, 2000)
	want := []mailstore.Outcome{{
		MailID: m.Key.ID(), Verdict: schemas.Accepted, New: true,
		Items: []mailstore.OutcomeItem{{ID: mailstore.ItemID(m.Key.ID(), "support"), Folder: "support"}},
	}}
	if diff := cmp.Diff(want, persist(t, s, m)); diff != "" {
		t.Errorf("first delivery (-want +got):\n%s", diff)
	}
	want[0].New = false
	if diff := cmp.Diff(want, persist(t, s, m)); diff != "" {
		t.Errorf("second delivery (-want +got):\n%s", diff)
	}
	wantStored(t, s, "acme", 1)
	if out := persist(t, s); len(out) != 0 {
		t.Errorf("an empty batch has outcomes: %v", out)
	}
}

func twiceInBatch(t *testing.T, db Database) {
	s := db.Open(t)
	a, b := NewMail("acme", "inbox", 1, 1, 2000), NewMail("acme", "inbox", 1, 2, 2000)
	out := persist(t, s, b, a, b)
	if !out[0].New || !out[1].New || out[2].New {
		t.Errorf("New = %v, %v, %v; want true, true, false", out[0].New, out[1].New, out[2].New)
	}
	if out[0].MailID != b.Key.ID() || out[1].MailID != a.Key.ID() || out[2].MailID != b.Key.ID() {
		t.Error("outcomes are not in the order of the input")
	}
	wantStored(t, s, "acme", 2)
}

const (
	writers = 8
	shared  = 80 // mails that all writers deliver
)

// deliver lets several writers, each with a connection of its own, deliver all
// mails in an order and in batches of their own, some of them twice. It returns
// how often each was reported as new.
func deliver(t *testing.T, db Database, mails []mailstore.Mail) map[schemas.MailKey]int {
	t.Helper()
	var wg sync.WaitGroup
	var mu sync.Mutex
	reported := map[schemas.MailKey]int{}
	for w := range writers {
		s := db.Open(t)
		wg.Go(func() {
			random := rand.New(rand.NewPCG(1, uint64(w)))
			order := append(random.Perm(len(mails)), random.Perm(len(mails))[:len(mails)/5]...)
			for len(order) > 0 {
				n := min(len(order), 1+random.IntN(30))
				batch := make([]mailstore.Mail, n)
				for i := range batch {
					batch[i] = mails[order[i]]
				}
				order = order[n:]
				var out []mailstore.Outcome
				err := insist(func() (err error) {
					out, err = s.Persist(t.Context(), batch)
					return err
				})
				if err != nil {
					t.Errorf("writer %d: %v", w, err)
					return
				}
				mu.Lock()
				for i := range out {
					if out[i].New {
						reported[batch[i].Key]++
					}
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return reported
}

// insist tries again while the database has too much to do, as every caller does:
// of so many writers one may wait for longer than a lock is waited for.
func insist(do func() error) error {
	var err error
	for range 20 {
		if err = do(); !fault.IsUnavailable(err) {
			return err
		}
	}
	return err
}

func concurrentWriters(t *testing.T, db Database) {
	mails := make([]mailstore.Mail, shared)
	for i := range mails {
		mails[i] = NewMail("acme", fmt.Sprintf("inbox-%d", i%3), 1, uint32(i+1), 1000)
	}
	reported := deliver(t, db, mails)
	for _, m := range mails {
		if n := reported[m.Key]; n != 1 {
			t.Errorf("mail %s was reported as new %d times, want 1", m.Key, n)
		}
	}
	wantStored(t, db.Open(t), "acme", shared)
}

// Writers, disposers and indexers lock the same rows.
func allAtOnce(t *testing.T, db Database) {
	const mailboxes, batches, size = 4, 6, 20
	var wg sync.WaitGroup
	for w := range mailboxes * 2 { // two deliver the same mails
		s := db.Open(t)
		wg.Go(func() {
			for b := range batches {
				batch := make([]mailstore.Mail, size)
				for i := range batch {
					batch[i] = NewMail("acme", fmt.Sprintf("inbox-%d", w%mailboxes), 1, uint32(b*size+i+1), 600)
				}
				for _, do := range []func() error{
					func() error { _, err := s.Persist(t.Context(), batch); return err },
					func() error { return s.RecordDisposed(t.Context(), recorded(batch...)) },
					func() error { _, err := s.IndexPending(t.Context(), size); return err },
				} {
					if err := insist(do); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	wg.Wait()
	s := db.Open(t)
	for pending := 1; pending > 0; {
		var err error
		if pending, err = s.IndexPending(t.Context(), 1000); err != nil {
			t.Fatal(err)
		}
	}
	want := mailboxes * batches * size
	if got := len(list(t, s, mailstore.Query{Tenant: "acme", State: mailstore.Disposed, Text: "order", Limit: mailstore.MaxLimit})); got != want {
		t.Errorf("%d mails are stored, disposed of and indexed, want %d", got, want)
	}
	st, err := s.Stats(t.Context(), "acme")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range st.Mailboxes {
		if m.Accepted != batches*size || m.Undisposed != 0 {
			t.Errorf("%s: %d accepted, %d undisposed; want %d and 0", m.Mailbox, m.Accepted, m.Undisposed, batches*size)
		}
	}
}
