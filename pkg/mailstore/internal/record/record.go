package record

import (
	"time"

	"github.com/mailyard/mailyard/pkg/mailstore"
	"github.com/mailyard/mailyard/pkg/message"
	"github.com/mailyard/mailyard/schemas"
)

// A Record is one mail, ready to be stored. JSON fields are text; DSN is empty
// for none.
type Record struct {
	Key       schemas.MailKey
	Origin    string
	MailID    string
	Lane      string
	Size      int64
	SHA256    string
	FetchedAt *time.Time

	Verdict, Reason                  string
	Revision                         int64
	MessageID, InReplyTo, Subject    string
	FromName, FromAddress            string
	Bounce, AutoReply, HeaderOnly    bool
	AutoSubmitted                    string
	InternalAt, SentAt, ClassifiedAt *time.Time

	References, Recipients, DSN, AuthResults, Defects string // JSON
	Text, HTML                                        string
	Raw                                               []byte

	Items       []Item
	Addresses   []mailstore.Address
	Attachments []mailstore.Attachment
}

// An Item is one clone of a mail.
type Item struct {
	ID                                  string
	Folder, FolderName                  string
	MatchedAddress, MatchedHeader, Rule string
}

// New returns the record of a mail. It shares the memory of the mail's bytes.
func New(m *mailstore.Mail) *Record {
	msg := m.Message
	if msg == nil {
		msg = &message.Message{}
	}
	c := &cleaner{}
	r := &Record{
		Key:           m.Key,
		Origin:        c.text("origin", m.Origin, maxName),
		Lane:          c.text("lane", string(m.Lane), maxName),
		Size:          m.Size,
		SHA256:        c.text("sha256", m.SHA256, maxName),
		FetchedAt:     moment(m.FetchedAt),
		Verdict:       c.text("verdict", string(m.Decision.Verdict), maxName),
		Reason:        c.text("reason", string(m.Decision.Reason), maxName),
		Revision:      m.Decision.Revision,
		MessageID:     c.text("message id", msg.MessageID, maxID),
		InReplyTo:     c.text("in-reply-to", msg.InReplyTo, maxID),
		Subject:       c.text("subject", msg.Subject, maxSubject),
		Bounce:        msg.Bounce,
		AutoReply:     msg.AutoReply,
		HeaderOnly:    m.Decision.Reason == schemas.ReasonOversize,
		AutoSubmitted: c.text("auto-submitted", msg.AutoSubmitted, maxName),
		InternalAt:    moment(m.InternalDate),
		SentAt:        moment(msg.Date),
		ClassifiedAt:  moment(m.Decision.ClassifiedAt),
		Text:          c.text("text", msg.Text, maxBody),
		HTML:          c.text("html", msg.HTML, maxBody),
		Raw:           m.Raw,
	}
	if r.Raw == nil {
		r.Raw = []byte{} // nil would be NULL
	}
	r.addresses(c, msg)
	r.attachments(c, msg)
	r.documents(c, msg, m.Decision)
	r.identify(m.Key.ID(), c, m.Decision.Clones)
	return r
}

// identify sets the mail id and the items, whose ids follow from it. Clones of
// the same folder are one item.
func (r *Record) identify(id string, c *cleaner, clones []schemas.Clone) {
	r.MailID = id
	seen := make(map[string]bool, len(clones))
	for _, clone := range clones {
		if seen[clone.Folder] {
			continue
		}
		seen[clone.Folder] = true
		r.Items = append(r.Items, Item{
			ID:             mailstore.ItemID(id, clone.Folder),
			Folder:         c.text("folder", clone.Folder, maxName),
			FolderName:     c.text("folder name", clone.FolderName, maxName),
			MatchedAddress: c.text("matched address", clone.Address, maxAddress),
			MatchedHeader:  c.text("matched header", clone.Header, maxName),
			Rule:           c.text("rule", string(clone.Rule), maxName),
		})
	}
}

// Reidentify gives the record another mail id, and its items theirs.
func (r *Record) Reidentify(id string) {
	r.MailID = id
	for i := range r.Items {
		r.Items[i].ID = mailstore.ItemID(id, r.Items[i].Folder)
	}
}

// Outcome returns the outcome of the record when it was stored just now.
func (r *Record) Outcome() mailstore.Outcome {
	o := mailstore.Outcome{MailID: r.MailID, Verdict: schemas.Verdict(r.Verdict), Reason: schemas.Reason(r.Reason), New: true}
	for i := range r.Items {
		o.Items = append(o.Items, mailstore.OutcomeItem{ID: r.Items[i].ID, Folder: r.Items[i].Folder})
	}
	return o
}
