package storetest

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mailyard/mailyard/pkg/address"
	"github.com/mailyard/mailyard/pkg/mailstore"
	"github.com/mailyard/mailyard/schemas"
)

func queries(t *testing.T, db Database) {
	s := db.Open(t)
	a, b, c := NewMail("acme", "inbox", 1, 1, 900), NewMail("acme", "second", 1, 2, 900), NewMail("acme", "inbox", 1, 3, 900)
	a.Message.Subject = `100% of_order\ Müller`
	b.Message.To = []address.Address{{Local: "Sales", Domain: "BÜCHER.example"}}
	b.Decision.Clones[0].Folder = "sales"
	c.Decision = schemas.Decision{Verdict: schemas.Invalid, Reason: schemas.ReasonLoop}
	start := time.Now()
	persist(t, s, a, b, c)
	dispose(t, s, a)
	for name, test := range map[string]struct {
		q    mailstore.Query
		want []uint32
	}{
		"everything":               {mailstore.Query{}, []uint32{1, 2, 3}},
		"mailbox":                  {mailstore.Query{Mailbox: "inbox"}, []uint32{1, 3}},
		"folder":                   {mailstore.Query{Folder: "sales"}, []uint32{2}},
		"verdict":                  {mailstore.Query{Verdict: schemas.Invalid}, []uint32{3}},
		"reason":                   {mailstore.Query{Reason: schemas.ReasonLoop}, []uint32{3}},
		"other reason":             {mailstore.Query{Reason: schemas.ReasonOversize}, nil},
		"disposed":                 {mailstore.Query{State: mailstore.Disposed}, []uint32{1}},
		"undisposed":               {mailstore.Query{State: mailstore.Undisposed}, []uint32{2, 3}},
		"address":                  {mailstore.Query{Address: "SUPPORT@acme.example"}, []uint32{1, 3}},
		"international address":    {mailstore.Query{Address: " sales@bücher.EXAMPLE "}, []uint32{2}},
		"part of an address":       {mailstore.Query{Address: "support"}, nil},
		"subject":                  {mailstore.Query{Subject: "ORDER"}, []uint32{1, 2, 3}},
		"subject with wildcards":   {mailstore.Query{Subject: `0% of_`}, []uint32{1}},
		"subject with a backslash": {mailstore.Query{Subject: `order\ `}, []uint32{1}},
		"subject like wildcards":   {mailstore.Query{Subject: `1_0%`}, nil},
		"message id":               {mailstore.Query{MessageID: "<1.2@example.org>"}, []uint32{2}},
		"since":                    {mailstore.Query{Since: start.Add(-time.Minute)}, []uint32{1, 2, 3}},
		"since later":              {mailstore.Query{Since: start.Add(time.Hour)}, nil},
		"until":                    {mailstore.Query{Until: start.Add(-time.Minute)}, nil},
		"several":                  {mailstore.Query{Mailbox: "inbox", State: mailstore.Undisposed, Verdict: schemas.Invalid}, []uint32{3}},
		"several of different":     {mailstore.Query{Mailbox: "second", Verdict: schemas.Invalid}, nil},
	} {
		for _, tenant := range []string{"acme", ""} {
			q := test.q
			q.Tenant = tenant
			var got []uint32
			for _, m := range list(t, s, q) {
				got = append(got, m.UID)
			}
			slices.Sort(got)
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("%s, tenant %q (-want +got):\n%s", name, tenant, diff)
			}
		}
	}
}

func paging(t *testing.T, db Database) {
	s := db.Open(t)
	const mails = 25
	for uid := uint32(1); uid <= mails; uid++ {
		persist(t, s, NewMail("acme", "inbox", 1, uid, 500))
		persist(t, s, NewMail("globex", "inbox", 1, uid, 500))
	}
	var got []uint32
	for q := (mailstore.Query{Tenant: "acme", Limit: 10}); ; {
		page := list(t, s, q)
		if len(page) == 0 || len(got) > mails {
			break
		}
		for _, m := range page {
			got = append(got, m.UID)
		}
		persist(t, s, NewMail("acme", "inbox", 1, uint32(100+len(got)), 500)) // new mail does not move the pages
		q.Before = page[len(page)-1].Place()
	}
	want := make([]uint32, mails)
	for i := range want {
		want[i] = uint32(mails - i)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("pages (-want +got):\n%s", diff)
	}
	if all := list(t, s, mailstore.Query{Limit: 1 << 30}); len(all) != 2*mails+3 || !slices.IsSortedFunc(all, func(a, b mailstore.Summary) int { return int(b.Seq - a.Seq) }) {
		t.Errorf("the landlord sees %d mails, want %d, newest first", len(all), 2*mails+3)
	}
}

func search(t *testing.T, db Database) {
	s := db.Open(t)
	a, b := NewMail("acme", "inbox", 1, 1, 900), NewMail("acme", "inbox", 1, 2, 900)
	a.Message.Subject, a.Message.Text = "Rechnung Größe", `the "Zebra" crossed`
	b.Message.Text = text(1, 8_000_000) // more than any index takes
	persist(t, s, a, b, NewMail("globex", "inbox", 1, 1, 900))
	if ms := list(t, s, mailstore.Query{Tenant: "acme", Text: "zebra"}); len(ms) != 0 {
		t.Error("a mail is found before it is indexed")
	}
	for _, want := range []int{2, 1, 0} {
		if n, err := s.IndexPending(t.Context(), 2); err != nil || n != want {
			t.Errorf("IndexPending = %d, %v; want %d", n, err, want)
		}
	}
	for text, want := range map[string]int{
		"zebra": 1, "ZEBRA rechnung": 1, "größe": 1, "zebra order": 0, "kim@example.org": 2, "order": 1,
		`"zebra`: 1, "zebra OR order": 0, "* - ( :": 0, "'": 0, "zeb": 0,
	} {
		if ms := list(t, s, mailstore.Query{Tenant: "acme", Text: text}); len(ms) != want {
			t.Errorf("%d mails match %q, want %d", len(ms), text, want)
		}
	}
}

func tenantsApart(t *testing.T, db Database) {
	s := db.Open(t)
	a := NewMail("acme", "inbox", 1, 1, 900)
	b := a
	b.Key.Tenant = "globex"
	out := persist(t, s, a, b)
	if !out[0].New || !out[1].New || out[0].MailID == out[1].MailID {
		t.Errorf("the same mail of two tenants: %+v", out)
	}
	wantStored(t, s, "acme", 1)
	wantStored(t, s, "globex", 1)
	dispose(t, s, b)
	if d := detail(t, s, "acme", out[0].MailID); d.DisposedAt != nil {
		t.Error("the disposal of another tenant was recorded")
	}
}

func stats(t *testing.T, db Database) {
	s := db.Open(t)
	mails := []mailstore.Mail{
		NewMail("acme", "inbox", 1, 1, 1000), NewMail("acme", "inbox", 1, 2, 1000), NewMail("acme", "inbox", 1, 3, 1000),
		NewMail("acme", "second", 1, 1, 1000), NewMail("globex", "inbox", 1, 1, 1000),
	}
	mails[2].Decision = schemas.Decision{Verdict: schemas.Invalid, Reason: schemas.ReasonLoop}
	persist(t, s, mails...)
	persist(t, s, mails...) // delivered again, not counted again
	persist(t, s, NewMail("acme", "inbox", 1, 4, 1000))
	dispose(t, s, mails[0], mails[1])
	yesterday(t, db.SQL(t), "second")
	got, err := s.Stats(t.Context(), "acme")
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Mailboxes) != 2 {
		t.Fatalf("Stats of %d mailboxes, want 2: %+v", len(got.Mailboxes), got)
	}
	inbox, second := got.Mailboxes[0], got.Mailboxes[1]
	for _, m := range []mailstore.MailboxStats{inbox, second} {
		if age := time.Since(m.LastPersisted); age < 0 || age > time.Minute || m.OldestUndisposed == nil || m.OldestUndisposed.After(m.LastPersisted) {
			t.Errorf("%s: last persisted %v ago, oldest undisposed %v", m.Mailbox, age, m.OldestUndisposed)
		}
	}
	inbox.LastPersisted, inbox.OldestUndisposed, second.LastPersisted, second.OldestUndisposed = time.Time{}, nil, time.Time{}, nil
	want := []mailstore.MailboxStats{
		{Tenant: "acme", Mailbox: "inbox", Accepted: 3, Invalid: map[schemas.Reason]int64{schemas.ReasonLoop: 1}, Bytes: 4000, AcceptedToday: 3, InvalidToday: 1, Undisposed: 2},
		{Tenant: "acme", Mailbox: "second", Accepted: 1, Invalid: map[schemas.Reason]int64{}, Bytes: 1000, Undisposed: 1},
	}
	if diff := cmp.Diff(want, []mailstore.MailboxStats{inbox, second}); diff != "" {
		t.Errorf("Stats (-want +got):\n%s", diff)
	}
	if all, err := s.Stats(t.Context(), ""); err != nil || len(all.Mailboxes) != 3 {
		t.Errorf("the landlord's Stats: %+v, %v", all, err)
	}
}
