package storetest

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/mailyard/mailyard/pkg/mailstore"
	"github.com/mailyard/mailyard/pkg/message"
	"github.com/mailyard/mailyard/schemas"
)

// rich returns a mail with something in every field.
func rich() mailstore.Mail {
	m := NewMail("acme", "inbox", 1, 1, 3000)
	m.Message.InReplyTo = "1.2@example.org"
	m.Message.References = []string{"root@example.org", "1.2@example.org"}
	m.Message.Sender, m.Message.ReplyTo, m.Message.Bcc = m.Message.From, m.Message.Cc, m.Message.To
	m.Message.HTML = "<p>Grüße 🎉</p>"
	m.Message.Bounce, m.Message.AutoReply, m.Message.AutoSubmitted = true, true, "auto-replied"
	m.Message.DSN = &message.DSN{Action: "failed", Status: "5.1.1", FinalRecipient: "gone@example.net", Diagnostic: "550 no such user", OriginalMessageID: "sent@acme.example"}
	m.Message.AuthResults = []string{"mx.acme.example; spf=pass", "relay.example; dkim=none"}
	m.Message.Defects = []message.Defect{{Code: message.DefectCharsetWrong, Detail: "us-ascii", Part: "1"}}
	m.Message.Attachments = []message.Attachment{
		{Filename: "invoice.pdf", ContentType: "application/pdf", Size: 4, SHA256: strings.Repeat("ab", 32), Content: []byte("%PDF"), Part: "2"},
		{Filename: "logo.png", ContentType: "image/png", ContentID: "logo@1", Inline: true, Part: "3"},
		{Filename: "forwarded.eml", ContentType: "message/rfc822", Size: 3, Content: []byte{0, 0xff, '\n'}, Part: "4", Message: true},
	}
	return m
}

func comesBack(t *testing.T, db Database) {
	s := db.Open(t)
	m := rich()
	id := persist(t, s, m)[0].MailID
	dispose(t, s, m)
	at := func(v time.Time) *time.Time { return &v }
	kim := func(role string) mailstore.Address {
		return mailstore.Address{Role: role, Position: 1, Name: "Kim", Address: "kim@example.org", Key: "kim@example.org"}
	}
	lee := func(role string) mailstore.Address {
		return mailstore.Address{Role: role, Position: 1, Address: "Lee@Example.org", Key: "lee@example.org"}
	}
	support := func(role string) mailstore.Address {
		return mailstore.Address{Role: role, Position: 1, Address: "support@acme.example", Key: "support@acme.example"}
	}
	want := mailstore.Detail{
		Summary: mailstore.Summary{
			MailID: id, Tenant: "acme", Mailbox: "inbox", UIDValidity: 1, UID: 1, Lane: schemas.Light, Size: m.Size,
			Verdict: schemas.Accepted, Folders: []string{"support"}, Subject: "Order 1", FromName: "Kim", FromAddress: "kim@example.org",
			MessageID: "1.1@example.org", Bounce: true, AutoReply: true, Attachments: 3,
			InternalAt: at(m.InternalDate), SentAt: at(m.Message.Date), FetchedAt: at(m.FetchedAt), ClassifiedAt: at(m.Decision.ClassifiedAt),
			DisposedAt: at(disposedAt()), DisposedMethod: "move", DisposedTo: "PersistedCCSPItems",
		},
		SHA256: m.SHA256, InReplyTo: "1.2@example.org", References: m.Message.References, AutoSubmitted: "auto-replied", AuthResults: m.Message.AuthResults,
		DSN:      &mailstore.DSN{Action: "failed", Status: "5.1.1", FinalRecipient: "gone@example.net", Diagnostic: "550 no such user", OriginalMessageID: "sent@acme.example"},
		Defects:  []mailstore.Defect{{Code: message.DefectCharsetWrong, Detail: "us-ascii", Part: "1"}},
		Revision: 7, Recipients: m.Decision.Recipients,
		Items:     []mailstore.Item{{ID: mailstore.ItemID(id, "support"), Folder: "support", FolderName: "Support", MatchedAddress: "support@acme.example", MatchedHeader: "To", MatchedRule: schemas.RuleExact}},
		Addresses: []mailstore.Address{kim("from"), kim("sender"), lee("reply-to"), support("to"), lee("cc"), support("bcc")},
		Attached: []mailstore.Attachment{
			{Position: 1, Part: "2", Filename: "invoice.pdf", ContentType: "application/pdf", Size: 4, SHA256: strings.Repeat("ab", 32)},
			{Position: 2, Part: "3", Filename: "logo.png", ContentType: "image/png", ContentID: "logo@1", Inline: true},
			{Position: 3, Part: "4", Filename: "forwarded.eml", ContentType: "message/rfc822", Size: 3, IsMessage: true},
		},
		Text: m.Message.Text, HTML: m.Message.HTML,
	}
	got := detail(t, s, "acme", id)
	assigned := []cmp.Option{cmpopts.IgnoreFields(mailstore.Summary{}, "Seq", "PersistedAt"), cmpopts.IgnoreFields(mailstore.Item{}, "Seq")}
	if diff := cmp.Diff(want, got, assigned...); diff != "" {
		t.Errorf("Mail (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(want.Summary, list(t, s, mailstore.Query{Tenant: "acme"})[0], assigned...); diff != "" {
		t.Errorf("Mails (-want +got):\n%s", diff)
	}
	if age := time.Since(got.PersistedAt); age < 0 || age > time.Minute {
		t.Errorf("persisted %v ago, want now", age)
	}
	if raw, err := s.Raw(t.Context(), "acme", id); err != nil || !bytes.Equal(raw, m.Raw) {
		t.Errorf("Raw returned %d bytes, %v; want the %d that were stored", len(raw), err, len(m.Raw))
	}
	for i, want := range want.Attached {
		want.Content = append([]byte{}, m.Message.Attachments[i].Content...)
		got, err := s.Attachment(t.Context(), "acme", id, i+1)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("Attachment %d (-want +got):\n%s", i+1, diff)
		}
	}
}

func clones(t *testing.T, db Database) {
	s := db.Open(t)
	m := NewMail("acme", "inbox", 1, 1, 2000)
	m.Decision.Clones = []schemas.Clone{
		{Folder: "sales", FolderName: "Sales", Address: "sales@acme.example", Header: "To", Rule: schemas.RuleExact},
		{Folder: "support", FolderName: "Support", Address: "support+x@acme.example", Header: "Cc", Rule: schemas.RulePlus},
		{Folder: "sales", FolderName: "Sales", Address: "vertrieb@acme.example", Header: "Cc", Rule: schemas.RuleExact},
	}
	out := persist(t, s, m)[0]
	want := []mailstore.OutcomeItem{{ID: mailstore.ItemID(out.MailID, "sales"), Folder: "sales"}, {ID: mailstore.ItemID(out.MailID, "support"), Folder: "support"}}
	if diff := cmp.Diff(want, out.Items); diff != "" {
		t.Errorf("items (-want +got):\n%s", diff)
	}
	d := detail(t, s, "acme", out.MailID)
	if diff := cmp.Diff([]string{"sales", "support"}, d.Folders); diff != "" {
		t.Errorf("folders (-want +got):\n%s", diff)
	}
	if len(d.Items) != 2 || d.Items[0].MatchedAddress != "sales@acme.example" || d.Items[1].MatchedRule != schemas.RulePlus || d.Items[0].Seq == d.Items[1].Seq {
		t.Errorf("items are %+v", d.Items)
	}
	wantStored(t, s, "acme", 1)
	if diff := cmp.Diff(out.Items, persist(t, s, m)[0].Items); diff != "" {
		t.Errorf("items of the second delivery (-first +second):\n%s", diff)
	}
}

func invalid(t *testing.T, db Database) {
	s := db.Open(t)
	var mails []mailstore.Mail
	for i, reason := range []schemas.Reason{schemas.ReasonOversize, schemas.ReasonNoMatchingFolder, schemas.ReasonUnparsable, schemas.ReasonLoop} {
		m := NewMail("acme", "inbox", 1, uint32(i+1), 1000)
		m.Decision = schemas.Decision{Verdict: schemas.Invalid, Reason: reason, Revision: 3, ClassifiedAt: m.FetchedAt}
		mails = append(mails, m)
	}
	mails[0].Lane, mails[0].Size = schemas.Large, 50_000_000
	for i, out := range persist(t, s, mails...) {
		if !out.New || out.Verdict != schemas.Invalid || out.Reason != mails[i].Decision.Reason || len(out.Items) != 0 {
			t.Errorf("outcome of %s is %+v, want a new mail without items", mails[i].Decision.Reason, out)
		}
		d := detail(t, s, "acme", out.MailID)
		if d.Verdict != schemas.Invalid || d.Reason != mails[i].Decision.Reason || len(d.Items) != 0 || d.Size != mails[i].Size {
			t.Errorf("stored %+v", d.Summary)
		}
		if d.HeaderOnly != (d.Reason == schemas.ReasonOversize) {
			t.Errorf("%s: header only is %v", d.Reason, d.HeaderOnly)
		}
	}
}

// Content on both sides of every size at which it is stored in another way.
func largeContent(t *testing.T, db Database) {
	s := db.Open(t)
	sizes := []int{0, 1, 4095, 4096, 4097, 1<<20 - 1, 1 << 20, 1<<20 + 1, 6_000_000}
	mails := make([]mailstore.Mail, len(sizes))
	for i, size := range sizes {
		m := NewMail("acme", "inbox", 1, uint32(i+1), 500)
		m.Raw = []byte(text(uint32(i), size))
		m.Message.Text, m.Message.HTML = text(uint32(i)+100, size), text(uint32(i)+200, size/2)
		m.Message.Attachments = []message.Attachment{{Filename: fmt.Sprintf("%d.bin", size), Size: int64(size), Content: []byte(text(uint32(i)+300, size))}}
		mails[i] = m
	}
	for i, out := range persist(t, s, mails...) {
		m := mails[i]
		if raw, err := s.Raw(t.Context(), "acme", out.MailID); err != nil || !bytes.Equal(raw, m.Raw) {
			t.Errorf("%d bytes: Raw returned %d bytes, %v", sizes[i], len(raw), err)
		}
		if a, err := s.Attachment(t.Context(), "acme", out.MailID, 1); err != nil || !bytes.Equal(a.Content, m.Message.Attachments[0].Content) {
			t.Errorf("%d bytes: Attachment returned %d bytes, %v", sizes[i], len(a.Content), err)
		}
		if d := detail(t, s, "acme", out.MailID); d.Text != m.Message.Text || d.HTML != m.Message.HTML {
			t.Errorf("%d bytes: text has %d bytes, html %d", sizes[i], len(d.Text), len(d.HTML))
		}
	}
}
