package storetest

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mailyard/mailyard/pkg/mailstore"
	"github.com/mailyard/mailyard/schemas"
)

func uids(ms []mailstore.Summary) []uint32 {
	var got []uint32
	for _, m := range ms {
		got = append(got, m.UID)
	}
	return got
}

// The newest persisted is first, also when it was numbered before others, and
// no mail is passed over or shown twice by paging, nor after a deletion.
func listsByTime(t *testing.T, db Database) {
	s := db.Open(t)
	start := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	persist(t, s, NewMail("globex", "inbox", 1, 1, 500))
	persistedAt(t, db, "globex", 1, start.Add(30*time.Minute))
	var mails []mailstore.Mail
	for uid := uint32(1); uid <= 10; uid++ {
		mails = append(mails, NewMail("acme", "inbox", 1, uid, 500))
	}
	persist(t, s, mails...)
	for uid := uint32(1); uid <= 10; uid++ {
		at := start.Add(time.Duration(uid/2) * time.Minute) // two at a time
		if uid == 5 {
			at = start.Add(time.Hour)
		}
		persistedAt(t, db, "acme", uid, at)
	}
	want := []uint32{5, 10, 9, 8, 7, 6, 4, 3, 2, 1}
	if diff := cmp.Diff(want, uids(list(t, s, mailstore.Query{Tenant: "acme"}))); diff != "" {
		t.Errorf("by time (-want +got):\n%s", diff)
	}
	for _, size := range []int{1, 3, 10} {
		var got []uint32
		for q := (mailstore.Query{Tenant: "acme", Limit: size}); len(got) <= len(want); {
			page := list(t, s, q)
			if len(page) == 0 {
				break
			}
			got = append(got, uids(page)...)
			q.Before = page[len(page)-1].Place()
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("pages of %d (-want +got):\n%s", size, diff)
		}
	}
	third := list(t, s, mailstore.Query{Tenant: "acme", Limit: 3})[2]
	if _, err := db.SQL(t).ExecContext(t.Context(), `DELETE FROM mails WHERE seq = $1`, third.Seq); err != nil {
		t.Fatal(err)
	}
	all := []uint32{5, 10, 8, 7, 6, 4, 3, 2, 1}
	for before, want := range map[mailstore.Place][]uint32{
		third.Place(): {8, 7, 6, 4, 3, 2, 1}, {}: all, {At: third.PersistedAt, Seq: 1 << 60}: {8, 7, 6, 4, 3, 2, 1},
		{At: time.Unix(0, math.MaxInt64), Seq: 1}: all, {At: time.Unix(0, math.MinInt64), Seq: 1}: nil,
	} {
		if diff := cmp.Diff(want, uids(list(t, s, mailstore.Query{Tenant: "acme", Before: before}))); diff != "" {
			t.Errorf("before %v, with a mail deleted (-want +got):\n%s", before, diff)
		}
	}
	for _, m := range list(t, s, mailstore.Query{Tenant: "acme"}) { // the number of another's mail does not tell its time
		for tenant, want := range map[string]int{"globex": 1, "nobody": 0} {
			if got := list(t, s, mailstore.Query{Tenant: tenant, Before: mailstore.Place{At: start.Add(2 * time.Hour), Seq: m.Seq}}); len(got) != want {
				t.Errorf("%s has %d mails before another's mail %d, want %d", tenant, len(got), m.UID, want)
			}
		}
	}
	times := mailstore.Query{Tenant: "acme", Since: start.Add(2 * time.Minute), Until: start.Add(4 * time.Minute)}
	if diff := cmp.Diff([]uint32{7, 6, 4}, uids(list(t, s, times))); diff != "" {
		t.Errorf("of a time (-want +got):\n%s", diff)
	}
	times.Before, times.Limit = list(t, s, times)[0].Place(), 1
	if diff := cmp.Diff([]uint32{6}, uids(list(t, s, times))); diff != "" {
		t.Errorf("second page of a time (-want +got):\n%s", diff)
	}
}

// More mails than are looked up one by one, and few, take different ways to the
// same answer.
func fewAndMany(t *testing.T, db Database) {
	s := db.Open(t)
	const mails = 1200
	batch := make([]mailstore.Mail, 0, 400)
	for uid := uint32(1); uid <= mails; uid++ {
		m := NewMail("acme", "inbox", 1, uid, 300)
		m.Raw = nil
		if uid%100 == 7 {
			m.Decision.Clones[0].Folder = "legal"
		}
		if batch = append(batch, m); len(batch) == cap(batch) {
			persist(t, s, batch...)
			batch = batch[:0]
		}
	}
	persist(t, s, NewMail("globex", "inbox", 1, 7, 300))
	if _, err := s.IndexPending(t.Context(), mails+1); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		q    mailstore.Query
		want []uint32
	}{
		"many by address":     {mailstore.Query{Address: "kim@example.org"}, []uint32{1200, 1199}},
		"many by folder":      {mailstore.Query{Folder: "support"}, []uint32{1200, 1199}},
		"many by text":        {mailstore.Query{Text: "order"}, []uint32{1200, 1199}},
		"many undisposed":     {mailstore.Query{State: mailstore.Undisposed}, []uint32{1200, 1199}},
		"few by folder":       {mailstore.Query{Folder: "legal"}, []uint32{1107, 1007}},
		"few by text":         {mailstore.Query{Text: "order 1007"}, []uint32{1007}},
		"one by message id":   {mailstore.Query{MessageID: "1.1007@example.org"}, []uint32{1007}},
		"few among many":      {mailstore.Query{Folder: "legal", Address: "kim@example.org", State: mailstore.Undisposed, Text: "order"}, []uint32{1107, 1007}},
		"few among few":       {mailstore.Query{Folder: "legal", Text: "order 1007", MessageID: "1.1007@example.org"}, []uint32{1007}},
		"none of few":         {mailstore.Query{Folder: "legal", Text: "order 1008"}, nil},
		"none of many":        {mailstore.Query{Folder: "support", Address: "kim@example.org", Subject: "no such"}, nil},
		"everything together": {mailstore.Query{Mailbox: "inbox", Folder: "legal", Verdict: schemas.Accepted, State: mailstore.Undisposed, Text: "order", Address: "KIM@example.org", Subject: "rder 1", MessageID: "<1.1007@example.org>", Since: time.Now().Add(-time.Hour), Until: time.Now().Add(time.Hour)}, []uint32{1007}},
	} {
		for _, tenant := range []string{"acme", ""} {
			q := test.q
			q.Tenant, q.Limit = tenant, 2
			got := uids(list(t, s, q))
			if tenant == "" { // the landlord also sees the other tenant's mail
				got = slices.DeleteFunc(got, func(uid uint32) bool { return uid == 7 })
				if len(got) < len(test.want) {
					continue
				}
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("%s, tenant %q (-want +got):\n%s", name, tenant, diff)
			}
		}
	}
}

func oddQueries(t *testing.T, db Database) {
	s := db.Open(t)
	m := NewMail("odd", "inbox", 1, 1, 500)
	m.Message.Subject, m.Message.MessageID = "a\x00b \xff", "x\x00y@example.org" // stored with U+FFFD
	persist(t, s, m)
	id := persist(t, s, NewMail("acme", "inbox", 1, 1, 500))[0].MailID
	if _, err := s.IndexPending(t.Context(), 10); err != nil {
		t.Fatal(err)
	}
	fields := map[string]func(*mailstore.Query, string){
		"mailbox":    func(q *mailstore.Query, v string) { q.Mailbox = v },
		"folder":     func(q *mailstore.Query, v string) { q.Folder = v },
		"verdict":    func(q *mailstore.Query, v string) { q.Verdict = schemas.Verdict(v) },
		"reason":     func(q *mailstore.Query, v string) { q.Reason = schemas.Reason(v) },
		"text":       func(q *mailstore.Query, v string) { q.Text = v },
		"address":    func(q *mailstore.Query, v string) { q.Address = v },
		"subject":    func(q *mailstore.Query, v string) { q.Subject = v },
		"message_id": func(q *mailstore.Query, v string) { q.MessageID = v },
	}
	odd := []string{
		"%%", "__", `\`, `"`, `""`, "'", "''", "\x00\x00", "\xff\xfe", "\xed\xa0\x80", "\u202e\u202d", "(((", ")))", "***", "^x", "{zz b}", "-y -z",
		"NEAR(zz b, 2)", "zz AND", "NOT zz", "terms : zz", `"zz" "`, "zz & | !", "zz:*", "'zz':B", "<->", "; DROP TABLE mails; --", "$zz", "?zz", "🎉🎉", strings.Repeat("é", 500), strings.Repeat("zq ", 330), strings.Repeat("(", 1000),
	}
	for field, set := range fields {
		for _, v := range odd {
			q := mailstore.Query{Tenant: "acme"}
			set(&q, v)
			if got := list(t, s, q); len(got) != 0 {
				t.Errorf("%s %q finds %d mails", field, v, len(got))
			}
		}
		q := mailstore.Query{Tenant: "acme"}
		set(&q, strings.Repeat("x", 10_000))
		var refused *mailstore.QueryError
		if got, err := s.Mails(t.Context(), q); !errors.As(err, &refused) || refused.Field != field {
			t.Errorf("%s of 10,000 characters: %d mails, %v; want a QueryError of the field", field, len(got), err)
		}
	}
	var refused *mailstore.QueryError
	if _, err := s.Mails(t.Context(), mailstore.Query{Tenant: "acme", State: "lost"}); !errors.As(err, &refused) || refused.Field != "state" {
		t.Errorf("a state that is none: %v; want a QueryError", err)
	}
	for _, q := range []mailstore.Query{{Subject: "a\x00b"}, {MessageID: "x\x00y@example.org"}, {Subject: "\xff"}} { // what was stored is found again
		q.Tenant = "odd"
		if got := list(t, s, q); len(got) != 1 {
			t.Errorf("%+v finds %d mails, want 1", q, len(got))
		}
	}
	far := mailstore.Query{Tenant: "acme", Since: time.Date(-4000, 1, 1, 0, 0, 0, 0, time.UTC), Until: time.Date(20_000, 1, 1, 0, 0, 0, 0, time.UTC)}
	if got := list(t, s, far); len(got) != 1 {
		t.Errorf("between the year -4000 and 20000 there are %d mails, want 1", len(got))
	}
	for _, v := range []string{"", "\x00", "\xff", "'", "%", strings.Repeat("x", 10_000)} {
		if _, err := s.Mail(t.Context(), "acme", v); !errors.Is(err, mailstore.ErrNotFound) {
			t.Errorf("Mail %q: %v; want ErrNotFound", v, err)
		}
		if _, err := s.Raw(t.Context(), "acme", v); !errors.Is(err, mailstore.ErrNotFound) {
			t.Errorf("Raw %q: %v; want ErrNotFound", v, err)
		}
		if v != "" {
			if _, err := s.Mail(t.Context(), v, id); !errors.Is(err, mailstore.ErrNotFound) {
				t.Errorf("Mail of tenant %q: %v; want ErrNotFound", v, err)
			}
		}
		if got, err := s.Stats(t.Context(), v); v != "" && (err != nil || len(got.Mailboxes) != 0) {
			t.Errorf("Stats of %q: %+v, %v", v, got, err)
		}
	}
	for _, position := range []int{-1, 0, 1, 1 << 40} {
		if _, err := s.Attachment(t.Context(), "acme", id, position); !errors.Is(err, mailstore.ErrNotFound) {
			t.Errorf("attachment %d: %v; want ErrNotFound", position, err)
		}
	}
}

// Whatever is asked with the tenant given, nothing of another tenant comes back.
func queriesApart(t *testing.T, db Database) {
	s := db.Open(t)
	a := NewMail("acme", "inbox", 1, 1, 500)
	b := a // the same mail, in a mailbox and a folder of the same names
	b.Key.Tenant = "globex"
	c := unmatchedMail("globex", "inbox", 2, to("secret@globex.example"))
	c.Decision.Clones = nil
	persist(t, s, a, b, c)
	if _, err := s.IndexPending(t.Context(), 10); err != nil {
		t.Fatal(err)
	}
	foreign := b.Key.ID()
	for _, q := range []mailstore.Query{
		{}, {Mailbox: "inbox"}, {Folder: "support"}, {Verdict: schemas.Accepted}, {State: mailstore.Undisposed}, {Text: "order"}, {Address: "kim@example.org"},
		{Subject: "order"}, {MessageID: "1.1@example.org"}, {Since: time.Now().Add(-time.Hour)}, {Until: time.Now().Add(time.Hour)}, {Before: mailstore.Place{At: time.Now().Add(time.Hour), Seq: 1}},
	} {
		q.Tenant = "acme"
		if got := list(t, s, q); len(got) != 1 || got[0].Tenant != "acme" {
			t.Errorf("%+v finds %+v, want the tenant's one mail", q, got)
		}
	}
	for _, q := range []mailstore.Query{{Verdict: schemas.Invalid}, {Reason: schemas.ReasonNoMatchingFolder}, {Address: "secret@globex.example"}} {
		q.Tenant = "acme"
		if got := list(t, s, q); len(got) != 0 {
			t.Errorf("%+v finds mail of another tenant", q)
		}
	}
	_, missing := s.Mail(t.Context(), "acme", strings.Repeat("a", 26))
	_, theirs := s.Mail(t.Context(), "acme", foreign)
	if !errors.Is(theirs, mailstore.ErrNotFound) || strings.ReplaceAll(theirs.Error(), foreign, strings.Repeat("a", 26)) != missing.Error() {
		t.Errorf("another tenant's mail: %v; one that is not there: %v", theirs, missing)
	}
	if _, err := s.Raw(t.Context(), "acme", foreign); !errors.Is(err, mailstore.ErrNotFound) {
		t.Errorf("Raw of another tenant's mail: %v", err)
	}
	if got, err := s.UnmatchedAddresses(t.Context(), "acme", "", time.Time{}, 10); err != nil || len(got) != 0 {
		t.Errorf("addresses of another tenant: %+v, %v", got, err)
	}
	if got, err := s.Stats(t.Context(), "acme"); err != nil || len(got.Mailboxes) != 1 || got.Mailboxes[0].Accepted != 1 || len(got.Mailboxes[0].Invalid) != 0 || got.Mailboxes[0].Undisposed != 1 {
		t.Errorf("Stats: %+v, %v", got, err)
	}
}
