package record

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/mailyard/mailyard/pkg/address"
	"github.com/mailyard/mailyard/pkg/mailstore"
	"github.com/mailyard/mailyard/pkg/message"
	"github.com/mailyard/mailyard/schemas"
)

// DefectShortened is the code of a defect that New adds: a field, or a list of
// them, was longer than the database keeps. The raw mail has all of it.
const DefectShortened = "stored-shortened"

// A cleaner cleans the fields of one mail and remembers what it shortened.
type cleaner struct {
	shortened []string
}

func (c *cleaner) text(field, s string, limit int) string {
	s, short := text(s, limit)
	if short {
		c.short(field)
	}
	return s
}

func (c *cleaner) short(field string) {
	if !slices.Contains(c.shortened, field) {
		c.shortened = append(c.shortened, field)
	}
}

func (r *Record) addresses(c *cleaner, msg *message.Message) {
	lists := [...]struct {
		role string
		list []address.Address
	}{
		{"from", msg.From}, {"sender", msg.Sender}, {"reply-to", msg.ReplyTo},
		{"to", msg.To}, {"cc", msg.Cc}, {"bcc", msg.Bcc},
	}
	n := 0
	for _, l := range lists {
		n += len(l.list)
	}
	r.Addresses = make([]mailstore.Address, 0, min(n, maxAddresses))
	for _, l := range lists {
		for i, a := range l.list {
			if len(r.Addresses) == maxAddresses {
				c.short("addresses")
				break
			}
			r.Addresses = append(r.Addresses, mailstore.Address{
				Role:     l.role,
				Position: i + 1,
				Name:     c.text("address name", a.Name, maxName),
				Address:  c.text("address", a.Addr(), maxAddress),
				Key:      c.text("address", string(a.Key()), maxAddress),
			})
		}
	}
	if len(msg.From) > 0 {
		r.FromName, r.FromAddress = r.Addresses[0].Name, r.Addresses[0].Address
	}
}

func (r *Record) attachments(c *cleaner, msg *message.Message) {
	list := msg.Attachments
	if len(list) > maxAttachments {
		list = list[:maxAttachments]
		c.short("attachments")
	}
	r.Attachments = make([]mailstore.Attachment, len(list))
	for i, a := range list {
		content := a.Content
		if content == nil {
			content = []byte{}
		}
		r.Attachments[i] = mailstore.Attachment{
			Position:    i + 1,
			Part:        c.text("attachment part", a.Part, maxName),
			Filename:    cmp.Or(c.text("file name", a.Filename, maxName), fmt.Sprintf("attachment-%d", i+1)),
			ContentType: c.text("content type", a.ContentType, maxName),
			ContentID:   c.text("content id", a.ContentID, maxID),
			Inline:      a.Inline,
			IsMessage:   a.Message,
			Size:        a.Size,
			SHA256:      c.text("attachment sha256", a.SHA256, maxName),
			Content:     content,
		}
	}
}

// documents sets the JSON fields. The defects come last: they list what the
// others shortened.
func (r *Record) documents(c *cleaner, msg *message.Message, d schemas.Decision) {
	r.References = document(texts(c, "references", msg.References, maxReferences, maxID))
	r.AuthResults = document(texts(c, "authentication results", msg.AuthResults, maxAuthResults, maxValue))

	recipients := make([]schemas.Recipient, 0, min(len(d.Recipients), maxRecipients))
	for _, rcpt := range d.Recipients[:min(len(d.Recipients), maxRecipients)] {
		rcpt.Address = c.text("recipient", rcpt.Address, maxAddress)
		rcpt.Header = c.text("recipient", rcpt.Header, maxName)
		rcpt.Folder = c.text("recipient", rcpt.Folder, maxName)
		recipients = append(recipients, rcpt)
	}
	r.Recipients = document(recipients)

	if n := msg.DSN; n != nil {
		r.DSN = document(mailstore.DSN{
			Action:            c.text("dsn", n.Action, maxValue),
			Status:            c.text("dsn", n.Status, maxValue),
			FinalRecipient:    c.text("dsn", n.FinalRecipient, maxValue),
			Diagnostic:        c.text("dsn", n.Diagnostic, maxValue),
			OriginalMessageID: c.text("dsn", n.OriginalMessageID, maxID),
		})
	}

	defects := make([]mailstore.Defect, 0, len(msg.Defects)+len(c.shortened))
	for _, f := range msg.Defects[:min(len(msg.Defects), maxDefects)] {
		code, _ := text(f.Code, maxName)
		detail, _ := text(f.Detail, maxName)
		part, _ := text(f.Part, maxName)
		defects = append(defects, mailstore.Defect{Code: code, Detail: detail, Part: part})
	}
	for _, field := range c.shortened {
		defects = append(defects, mailstore.Defect{Code: DefectShortened, Detail: field})
	}
	r.Defects = document(defects)
}

// texts returns the last entries of a list, which for references are the
// nearest, and for authentication results all there ever are.
func texts(c *cleaner, field string, list []string, entries, limit int) []string {
	if len(list) > entries {
		list = list[len(list)-entries:]
		c.short(field)
	}
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = c.text(field, s, limit)
	}
	return out
}

// document returns v as JSON. Strings, numbers and structs of them always have
// a JSON form.
func document(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("record: encoding %T: %v", v, err))
	}
	return string(b)
}
