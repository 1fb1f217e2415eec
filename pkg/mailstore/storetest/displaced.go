package storetest

import (
	"crypto/sha256"
	"encoding/hex"
	"testing"

	"github.com/mailyard/mailyard/pkg/mailstore"
	"github.com/mailyard/mailyard/pkg/message"
)

// otherContent returns a mail with the key of m and other content.
func otherContent(m mailstore.Mail, messageID string) mailstore.Mail {
	raw := []byte("Message-ID: <" + messageID + ">\r\n\r\nother content")
	sum := sha256.Sum256(raw)
	m.Raw, m.Size, m.SHA256 = raw, int64(len(raw)), hex.EncodeToString(sum[:])
	m.Message = &message.Message{MessageID: messageID, Text: "other content"}
	return m
}

// A mailbox that was pointed at another account may see its UIDVALIDITY again:
// what comes under an old key is another mail then, and is stored.
func otherMailUnderAKey(t *testing.T, db Database) {
	s := db.Open(t)
	first := NewMail("acme", "inbox", 1, 1, 900)
	before := persist(t, s, first)[0]
	other := otherContent(first, "other@example.org")
	out := persist(t, s, other)[0]
	if !out.New || out.MailID == before.MailID || len(out.Items) != 1 || out.Items[0].ID == before.Items[0].ID {
		t.Fatalf("another mail under the same key: %+v, want a new mail beside %+v", out, before)
	}
	if again := persist(t, s, other)[0]; again.New || again.MailID != out.MailID {
		t.Errorf("its second delivery: %+v, want %s, not new", again, out.MailID)
	}
	dispose(t, s, other)
	if d := detail(t, s, "acme", out.MailID); d.DisposedAt == nil || d.Text != "other content" {
		t.Errorf("the other mail: disposed %v, text %q", d.DisposedAt, d.Text)
	}
	if d := detail(t, s, "acme", before.MailID); d.DisposedAt != nil || d.MessageID != first.Message.MessageID {
		t.Errorf("the first mail: disposed %v, Message-ID %q; want it untouched", d.DisposedAt, d.MessageID)
	}
	wantStored(t, s, "acme", 2)
}

// Some servers write a mail anew each time that it is read.
func rewrittenMail(t *testing.T, db Database) {
	s := db.Open(t)
	first := NewMail("acme", "inbox", 1, 1, 900)
	before := persist(t, s, first)[0]
	if out := persist(t, s, otherContent(first, first.Message.MessageID))[0]; out.New || out.MailID != before.MailID {
		t.Errorf("a mail that its server wrote anew: %+v, want %s, not new", out, before.MailID)
	}
	wantStored(t, s, "acme", 1)
}
