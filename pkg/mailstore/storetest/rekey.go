package storetest

import (
	"testing"
	"time"

	"github.com/mailyard/mailyard/pkg/mailstore"
)

// refetched returns the mail as it is fetched an hour later under another key.
func refetched(m mailstore.Mail, uidvalidity, uid uint32) mailstore.Mail {
	m.Key.UIDValidity, m.Key.UID = uidvalidity, uid
	m.FetchedAt = m.FetchedAt.Add(time.Hour)
	return m
}

func rekeyed(t *testing.T, db Database) {
	s := db.Open(t)
	old := []mailstore.Mail{NewMail("acme", "inbox", 1, 10, 900), NewMail("acme", "inbox", 1, 11, 900)}
	first := persist(t, s, old...)
	now := []mailstore.Mail{refetched(old[0], 2, 1), refetched(old[1], 2, 2), NewMail("acme", "inbox", 2, 3, 900)}
	out := persist(t, s, now...)
	for i := range old {
		if out[i].New || out[i].MailID != first[i].MailID || len(out[i].Items) != 1 || out[i].Items[0] != first[i].Items[0] {
			t.Errorf("mail %s: outcome %+v, want that of %s: %+v", now[i].Key, out[i], old[i].Key, first[i])
		}
		if d := detail(t, s, "acme", first[i].MailID); d.UIDValidity != 2 || d.UID != now[i].Key.UID {
			t.Errorf("mail %s has the key %d/%d, want %s", first[i].MailID, d.UIDValidity, d.UID, now[i].Key.Subject())
		}
	}
	if !out[2].New {
		t.Error("a mail that was not there was recognised")
	}
	wantStored(t, s, "acme", 3)

	again := persist(t, s, now...)
	if again[0].New || again[0].MailID != first[0].MailID {
		t.Errorf("second delivery under the new key: %+v", again[0])
	}
	dispose(t, s, old...)
	if d := detail(t, s, "acme", first[0].MailID); d.DisposedAt != nil {
		t.Error("a disposal under the old UIDVALIDITY was recorded")
	}
	dispose(t, s, now...)
	if d := detail(t, s, "acme", first[0].MailID); d.DisposedAt == nil {
		t.Error("the disposal under the new UIDVALIDITY was not recorded")
	}
}

func identicalMails(t *testing.T, db Database) {
	s := db.Open(t)
	a := NewMail("acme", "inbox", 1, 1, 900)
	b := a
	b.Key.UID = 2
	out := persist(t, s, a, b)
	if !out[0].New || !out[1].New || out[0].MailID == out[1].MailID {
		t.Errorf("outcomes are %+v, want two new mails", out)
	}
	wantStored(t, s, "acme", 2)
}

func identicalRekeyed(t *testing.T, db Database) {
	s := db.Open(t)
	a := NewMail("acme", "inbox", 1, 1, 900)
	b := a
	b.Key.UID = 2
	first := persist(t, s, a, b)
	// One at a time, then two at once, of which one is more than was there.
	out := persist(t, s, refetched(a, 2, 7))
	out = append(out, persist(t, s, refetched(a, 2, 8), refetched(a, 2, 9))...)
	if out[0].New || out[1].New || !out[2].New {
		t.Errorf("New = %v, %v, %v; want false, false, true", out[0].New, out[1].New, out[2].New)
	}
	if out[0].MailID != first[0].MailID || out[1].MailID != first[1].MailID {
		t.Errorf("mails are %s, %s; want the lowest UID first: %s, %s", out[0].MailID, out[1].MailID, first[0].MailID, first[1].MailID)
	}
	wantStored(t, s, "acme", 3)
}

func notRekeyed(t *testing.T, db Database) {
	s := db.Open(t)
	m := NewMail("acme", "inbox", 1, 1, 900)
	persist(t, s, m)
	otherMailbox, otherTenant, otherSize, otherSum := refetched(m, 2, 1), refetched(m, 2, 1), refetched(m, 2, 2), refetched(m, 2, 3)
	otherMailbox.Key.Mailbox = "second"
	otherTenant.Key.Tenant = "globex"
	otherSize.Size++
	otherSum.SHA256 = "00" + m.SHA256[2:]
	for i, out := range persist(t, s, otherMailbox, otherTenant, otherSize, otherSum) {
		if !out.New {
			t.Errorf("mail %d was taken for another one", i)
		}
	}
}

func disposedNotRekeyed(t *testing.T, db Database) {
	s := db.Open(t)
	m := NewMail("acme", "inbox", 1, 1, 900)
	first := persist(t, s, m)[0]
	dispose(t, s, m)
	out := persist(t, s, refetched(m, 2, 1))[0]
	if !out.New || out.MailID == first.MailID || out.Disposed {
		t.Errorf("outcome is %+v, want a new mail", out)
	}
	wantStored(t, s, "acme", 2)
}

// The UIDVALIDITY changed while mail was under way to the database.
func rekeyedInBatch(t *testing.T, db Database) {
	s := db.Open(t)
	for i, uidvalidity := range []uint32{6, 4} { // servers that are restored may go back
		old := NewMail("acme", "inbox", 5, uint32(10*i+10), 900)
		twin := old
		twin.Key.UID++
		batch := []mailstore.Mail{refetched(twin, uidvalidity, 2), refetched(old, uidvalidity, 1), twin, old}
		out := persist(t, s, batch...)
		if out[0].MailID == out[1].MailID || out[2].MailID == out[3].MailID {
			t.Errorf("identical mails were taken for one: %+v", out)
		}
		stored := 0
		for _, m := range list(t, s, mailstore.Query{Tenant: "acme"}) {
			if m.UIDValidity == uidvalidity {
				stored++
			}
		}
		if stored != 2 {
			t.Errorf("%d mails have the UIDVALIDITY %d, want 2", stored, uidvalidity)
		}
		for _, again := range persist(t, s, batch...) {
			if again.New {
				t.Errorf("stored again: %+v", again)
			}
		}
	}
	wantStored(t, s, "acme", 4)
}

func concurrentRekey(t *testing.T, db Database) {
	s := db.Open(t)
	old := make([]mailstore.Mail, shared)
	now := make([]mailstore.Mail, shared)
	for i := range old {
		old[i] = NewMail("acme", "inbox", 1, uint32(i+1), 700)
		if i%3 == 1 { // identical to the one before
			key := old[i].Key
			old[i] = old[i-1]
			old[i].Key = key
		}
		now[i] = refetched(old[i], 2, uint32(i+1001))
	}
	persist(t, s, old...)
	if reported := deliver(t, db, now); len(reported) != 0 {
		t.Errorf("%d mails were stored again", len(reported))
	}
	ms := list(t, s, mailstore.Query{Tenant: "acme", Limit: mailstore.MaxLimit})
	if len(ms) != shared {
		t.Errorf("%d mails are stored, want %d", len(ms), shared)
	}
	for _, m := range ms {
		if m.UIDValidity != 2 {
			t.Errorf("mail %s still has the old UIDVALIDITY", m.MailID)
		}
	}
}

// A message of the old UIDVALIDITY that was long under way must not take the
// key back: the disposal under the new one would not find its row.
func lateDelivery(t *testing.T, db Database) {
	s := db.Open(t)
	m := NewMail("acme", "inbox", 1, 1, 900)
	now := refetched(m, 2, 5)
	first := persist(t, s, m)[0]
	persist(t, s, now)
	for range 2 {
		if out := persist(t, s, m)[0]; out.New || out.MailID != first.MailID {
			t.Errorf("late delivery: %+v, want the mail %s", out, first.MailID)
		}
		if d := detail(t, s, "acme", first.MailID); d.UIDValidity != 2 || d.UID != 5 {
			t.Errorf("the mail has the key %d/%d, want 2/5", d.UIDValidity, d.UID)
		}
		dispose(t, s, now) // before the second round
	}
	wantStored(t, s, "acme", 1)
}

// The mail id of a key may be taken: its mail got another key, was disposed of,
// and the server went back to the old UIDVALIDITY with another mail.
func keyComesBack(t *testing.T, db Database) {
	s := db.Open(t)
	m := NewMail("acme", "inbox", 1, 1, 900)
	now := refetched(m, 2, 5)
	first := persist(t, s, m)[0]
	persist(t, s, now)
	dispose(t, s, now)
	other := NewMail("acme", "inbox", 1, 99, 950)
	other.Key = m.Key
	out := persist(t, s, other)[0]
	if !out.New || out.MailID == first.MailID || out.Items[0].ID == first.Items[0].ID {
		t.Errorf("outcome is %+v, want a new mail with ids of its own", out)
	}
	if again := persist(t, s, other)[0]; again.New || again.MailID != out.MailID {
		t.Errorf("second delivery: %+v, want the mail %s", again, out.MailID)
	}
	wantStored(t, s, "acme", 2)
}
