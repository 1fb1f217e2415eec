package storetest

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/mailyard/mailyard/pkg/address"
	"github.com/mailyard/mailyard/pkg/mailstore"
	"github.com/mailyard/mailyard/pkg/message"
	"github.com/mailyard/mailyard/schemas"
)

// The parser returns none of this; the last boundary must not depend on it.
func hostileText(t *testing.T, db Database) {
	s := db.Open(t)
	for i, bad := range []string{"a\x00b", "a\xff\xfeb", "\xed\xa0\x80", "'; DROP TABLE mails; --", `\u0000 "\`, "\u202e\ufeff\uffff", strings.Repeat("\x00", 5000), "{,}"} {
		m := NewMail("acme", "inbox", 1, uint32(i+1), 900)
		who := []address.Address{{Name: bad, Local: bad, Domain: bad}}
		*m.Message = message.Message{
			MessageID: bad, InReplyTo: bad, References: []string{bad}, Subject: bad, From: who, To: who, Text: bad, HTML: bad,
			Attachments: []message.Attachment{{Filename: bad, ContentType: bad, ContentID: bad, Content: []byte(bad), Part: bad}},
			DSN:         &message.DSN{Status: bad, Diagnostic: bad}, AutoSubmitted: bad, AuthResults: []string{bad}, Defects: []message.Defect{{Code: bad, Detail: bad, Part: bad}},
		}
		m.Decision.Clones[0].Address, m.Decision.Clones[0].FolderName = bad, bad
		m.Decision.Recipients = []schemas.Recipient{{Address: bad, Header: bad}}
		d := detail(t, s, "acme", persist(t, s, m)[0].MailID)
		for field, got := range map[string]string{
			"subject": d.Subject, "text": d.Text, "html": d.HTML, "from": d.FromName, "message id": d.MessageID, "diagnostic": d.DSN.Diagnostic,
			"reference": d.References[0], "file name": d.Attached[0].Filename, "recipient": d.Recipients[0].Address, "matched address": d.Items[0].MatchedAddress,
		} {
			if !utf8.ValidString(got) || strings.ContainsRune(got, 0) || got == "" {
				t.Errorf("%q: %s is stored as %q", bad, field, got)
			}
			if utf8.ValidString(bad) && !strings.ContainsRune(bad, 0) && !strings.Contains(got, bad) {
				t.Errorf("%q: %s is stored as %q, though nothing is wrong with it", bad, field, got)
			}
		}
		if a, err := s.Attachment(t.Context(), "acme", d.MailID, 1); err != nil || string(a.Content) != bad {
			t.Errorf("%q: the content of the attachment is %q, %v", bad, a.Content, err)
		}
	}
	if _, err := s.IndexPending(t.Context(), 100); err != nil {
		t.Errorf("IndexPending: %v", err)
	}
}

func absurdDates(t *testing.T, db Database) {
	s := db.Open(t)
	for i, date := range []time.Time{{}, time.Unix(1<<55, 0), time.Unix(-1<<55, 0), time.Date(-5000, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(300_000, 1, 1, 0, 0, 0, 0, time.UTC)} {
		m := NewMail("acme", "inbox", 1, uint32(i+1), 900)
		m.Message.Date, m.InternalDate, m.FetchedAt, m.Decision.ClassifiedAt = date, date, date, date
		d := detail(t, s, "acme", persist(t, s, m)[0].MailID)
		if d.SentAt != nil || d.InternalAt != nil || d.FetchedAt != nil || d.ClassifiedAt != nil {
			t.Errorf("%v is stored as %v", date, d.SentAt)
		}
	}
	for i, date := range []time.Time{time.Date(1, 1, 1, 0, 0, 1, 0, time.UTC), time.Date(9999, 12, 31, 23, 59, 59, 999_999_000, time.UTC), time.Date(2026, 3, 1, 2, 0, 0, 123_456_789, time.FixedZone("", 7*3600))} {
		m := NewMail("acme", "inbox", 1, uint32(i+101), 900)
		m.Message.Date = date
		want := date.UTC().Truncate(time.Microsecond)
		if d := detail(t, s, "acme", persist(t, s, m)[0].MailID); d.SentAt == nil || !d.SentAt.Equal(want) {
			t.Errorf("%v is stored as %v", want, d.SentAt)
		}
	}
}

func manyRecipients(t *testing.T, db Database) {
	s := db.Open(t)
	m := NewMail("acme", "inbox", 1, 1, 900)
	for i := range 12_000 {
		m.Message.To = append(m.Message.To, address.Address{Local: fmt.Sprintf("r%d", i), Domain: "example.org"})
	}
	d := detail(t, s, "acme", persist(t, s, m)[0].MailID)
	if len(d.Addresses) != 10_000 || d.Addresses[0].Role != "from" || d.Addresses[9_000].Address != "r8998@example.org" {
		t.Errorf("%d addresses are stored, want 10,000 in their order", len(d.Addresses))
	}
	wantShortened(t, d, "addresses")
}

func oversizedFields(t *testing.T, db Database) {
	s := db.Open(t)
	m := NewMail("acme", "inbox", 1, 1, 900)
	long := strings.Repeat("ä ", 500_000)
	m.Message.Subject, m.Message.MessageID, m.Message.InReplyTo = long, long, long
	m.Message.From = []address.Address{{Name: long, Local: long, Domain: long}}
	m.Message.References = slices.Repeat([]string{"r"}, 5000)
	m.Message.Attachments = []message.Attachment{{Filename: long, Content: []byte("x")}}
	d := detail(t, s, "acme", persist(t, s, m)[0].MailID)
	if n := len(d.Subject); n < 16_000 || n > 16<<10 || !strings.HasPrefix(long, d.Subject) {
		t.Errorf("the subject has %d bytes, want the first 16 KiB", n)
	}
	if len(d.MessageID) > 998 || len(d.FromName) > 1024 || len(d.References) != 1000 || len(d.Attached[0].Filename) > 1024 {
		t.Errorf("stored message id of %d bytes, name of %d, %d references", len(d.MessageID), len(d.FromName), len(d.References))
	}
	for _, field := range []string{"subject", "message id", "in-reply-to", "address", "address name", "references", "file name"} {
		wantShortened(t, d, field)
	}
}

func wantShortened(t *testing.T, d mailstore.Detail, field string) {
	t.Helper()
	if !slices.Contains(d.Defects, mailstore.Defect{Code: "stored-shortened", Detail: field}) {
		t.Errorf("no defect tells that %q was shortened: %+v", field, d.Defects)
	}
}

func withoutMessage(t *testing.T, db Database) {
	s := db.Open(t)
	m := NewMail("acme", "inbox", 1, 1, 900)
	m.Message, m.Raw = nil, nil
	id := persist(t, s, m)[0].MailID
	if d := detail(t, s, "acme", id); d.Subject != "" || len(d.Addresses) != 0 || len(d.Attached) != 0 {
		t.Errorf("stored %+v", d)
	}
	if raw, err := s.Raw(t.Context(), "acme", id); err != nil || len(raw) != 0 {
		t.Errorf("Raw returned %d bytes, %v", len(raw), err)
	}
}
