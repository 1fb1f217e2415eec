package storetest

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/mailyard/mailyard/pkg/address"
	"github.com/mailyard/mailyard/pkg/mailstore"
	"github.com/mailyard/mailyard/pkg/message"
	"github.com/mailyard/mailyard/schemas"
)

// NewMail returns an accepted light mail of the given size in bytes, with one
// item and three addresses, as most mail is. Mails with different UIDs differ.
func NewMail(tenant, mailbox string, uidvalidity, uid uint32, size int) mailstore.Mail {
	head := fmt.Sprintf("From: Kim <kim@example.org>\r\nTo: support@%s.example\r\nCc: lee@example.org\r\nSubject: Order %d\r\nMessage-ID: <%d.%d@example.org>\r\n\r\n", tenant, uid, uidvalidity, uid)
	body := text(uid, max(0, size-len(head)))
	raw := []byte(head + body)
	sum := sha256.Sum256(raw)
	received := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC).Add(time.Duration(uid) * time.Second)
	return mailstore.Mail{
		Key:          schemas.MailKey{Tenant: tenant, Mailbox: mailbox, UIDValidity: uidvalidity, UID: uid},
		Lane:         schemas.Light,
		Size:         int64(len(raw)),
		SHA256:       hex.EncodeToString(sum[:]),
		InternalDate: received,
		FetchedAt:    received.Add(2 * time.Second),
		Decision: schemas.Decision{
			Verdict:      schemas.Accepted,
			Clones:       []schemas.Clone{{Folder: "support", FolderName: "Support", Address: "support@" + tenant + ".example", Header: "To", Rule: schemas.RuleExact}},
			Recipients:   []schemas.Recipient{{Address: "support@" + tenant + ".example", Header: "To", Folder: "support", Used: true}, {Address: "lee@example.org", Header: "Cc", Used: true}},
			Revision:     7,
			ClassifiedAt: received.Add(3 * time.Second),
		},
		Message: &message.Message{
			MessageID: fmt.Sprintf("%d.%d@example.org", uidvalidity, uid),
			Subject:   fmt.Sprintf("Order %d", uid),
			Date:      received.Add(-time.Second),
			From:      []address.Address{{Name: "Kim", Local: "kim", Domain: "example.org"}},
			To:        []address.Address{{Local: "support", Domain: tenant + ".example"}},
			Cc:        []address.Address{{Local: "Lee", Domain: "Example.org"}},
			Text:      body,
		},
		Raw: raw,
	}
}

// text returns n bytes of prose that compresses about as mail does.
func text(seed uint32, n int) string {
	words := strings.Fields("the parcel order number has not arrived yet and customer asks when it will be delivered to which address please answer soon kind regards invoice attached payment was made on monday")
	var b strings.Builder
	for x := seed*2654435761 + 12345; b.Len() < n; {
		x = x*1664525 + 1013904223
		fmt.Fprintf(&b, "%s %x ", words[int(x>>16)%len(words)], x>>24)
	}
	return b.String()[:n]
}
