package storetest

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mailyard/mailyard/pkg/mailstore"
	"github.com/mailyard/mailyard/schemas"
)

func unmatchedMail(tenant, mailbox string, uid uint32, recipients ...schemas.Recipient) mailstore.Mail {
	m := NewMail(tenant, mailbox, 1, uid, 500)
	m.Decision = schemas.Decision{Verdict: schemas.Invalid, Reason: schemas.ReasonNoMatchingFolder, Recipients: recipients}
	return m
}

func to(address string) schemas.Recipient {
	return schemas.Recipient{Address: address, Header: "Delivered-To", Used: true}
}

func unmatchedAddresses(t *testing.T, db Database) {
	s := db.Open(t)
	start := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	unused := schemas.Recipient{Address: "list@example.org", Header: "To"}
	loop := unmatchedMail("acme", "inbox", 6, to("loop@acme.example"))
	loop.Decision.Reason = schemas.ReasonLoop
	accepted := NewMail("acme", "inbox", 1, 7, 500)
	mails := []mailstore.Mail{
		unmatchedMail("acme", "inbox", 1, to("sales@acme.example"), unused),
		unmatchedMail("acme", "inbox", 2, to("Sales@ACME.example"), to("jobs@acme.example"), to("sales@acme.example")), // twice in one mail counts once
		unmatchedMail("acme", "second", 3, to("sales@acme.example")),
		unmatchedMail("globex", "inbox", 4, to("secret@globex.example")),
		unmatchedMail("acme", "inbox", 5, to("'); DROP TABLE mails; --\x00\xff"), to(""), to("jobs@acme.example")),
		loop, accepted,
		unmatchedMail("acme", "inbox", 8), // nobody knows whom to
	}
	persist(t, s, mails...)
	for i, m := range mails {
		persistedAt(t, db, m.Key.Tenant, m.Key.UID, start.Add(time.Duration(i)*time.Minute))
	}
	at := func(i int) time.Time { return start.Add(time.Duration(i) * time.Minute) }
	id := func(i int) string { return mails[i].Key.ID() }
	odd := mailstore.UnmatchedAddress{Address: "'); DROP TABLE mails; --\uFFFD\uFFFD", Count: 1, Last: at(4), Tenant: "acme", Mailbox: "inbox", MailID: id(4)}
	jobs := mailstore.UnmatchedAddress{Address: "jobs@acme.example", Count: 2, Last: at(4), Tenant: "acme", Mailbox: "inbox", MailID: id(4)}
	second := mailstore.UnmatchedAddress{Address: "sales@acme.example", Count: 1, Last: at(2), Tenant: "acme", Mailbox: "second", MailID: id(2)}
	secret := mailstore.UnmatchedAddress{Address: "secret@globex.example", Count: 1, Last: at(3), Tenant: "globex", Mailbox: "inbox", MailID: id(3)}
	sales := mailstore.UnmatchedAddress{Address: "Sales@ACME.example", Count: 2, Last: at(1), Tenant: "acme", Mailbox: "inbox", MailID: id(1)}
	for _, step := range []struct {
		tenant, mailbox string
		since           time.Time
		limit           int
		want            []mailstore.UnmatchedAddress
	}{
		{"acme", "", time.Time{}, 0, []mailstore.UnmatchedAddress{odd, jobs, second, sales}},
		{"acme", "", start, 2, []mailstore.UnmatchedAddress{odd, jobs}},
		{"acme", "second", start, 10, []mailstore.UnmatchedAddress{second}},
		{"acme", "", at(2), 10, []mailstore.UnmatchedAddress{odd, {Address: jobs.Address, Count: 1, Last: at(4), Tenant: "acme", Mailbox: "inbox", MailID: id(4)}, second}},
		{"acme", "", at(60), 10, nil},
		{"globex", "", start, 10, []mailstore.UnmatchedAddress{secret}},
		{"globex", "second", start, 10, nil},
		{"", "", start, 10, []mailstore.UnmatchedAddress{odd, jobs, secret, second, sales}},
		{"nobody", "", start, 10, nil},
		{"\x00", "\xff", start, -1, nil},
	} {
		got, err := s.UnmatchedAddresses(t.Context(), step.tenant, step.mailbox, step.since, step.limit)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(append([]mailstore.UnmatchedAddress{}, step.want...), append([]mailstore.UnmatchedAddress{}, got...)); diff != "" {
			t.Errorf("%q, %q, since %v, limit %d (-want +got):\n%s", step.tenant, step.mailbox, step.since, step.limit, diff)
		}
	}
}

func unmatchedBounds(t *testing.T, db Database) {
	s := db.Open(t)
	const more = 20
	var batch []mailstore.Mail
	for uid := uint32(1); uid <= mailstore.MaxUnmatchedMails+more; uid++ {
		m := unmatchedMail("acme", "inbox", uid, to("often@acme.example"))
		m.Message, m.Raw = nil, nil
		if uid <= more/2 {
			m.Decision.Recipients = []schemas.Recipient{to("old@acme.example")}
		}
		if batch = append(batch, m); len(batch) == 500 || uid == mailstore.MaxUnmatchedMails+more {
			persist(t, s, batch...)
			batch = nil
		}
	}
	persistedAt(t, db, "acme", 1, time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC))
	got, err := s.UnmatchedAddresses(t.Context(), "acme", "", time.Time{}, 10)
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 1 || got[0].Address != "often@acme.example" || got[0].Count != mailstore.MaxUnmatchedMails {
		t.Errorf("of more mails than are looked at: %+v", got)
	}
}
