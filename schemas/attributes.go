package schemas

import (
	"strings"
	"time"
)

// Attributes are the CloudEvents 1.0 context attributes that every event
// carries, as "ce-" NATS headers (binary content mode of the NATS binding).
type Attributes struct {
	SpecVersion     string    `json:"specversion"`
	ID              string    `json:"id"`
	Type            string    `json:"type"`
	Source          string    `json:"source"`
	Subject         string    `json:"subject,omitempty"`
	Time            time.Time `json:"time"`
	DataContentType string    `json:"datacontenttype,omitempty"`
	DataSchema      string    `json:"dataschema,omitempty"`
	TraceParent     string    `json:"traceparent,omitempty"`
}

// SpecVersion is the CloudEvents version of every event.
const SpecVersion = "1.0"

// Content types of event payloads.
const (
	// ContentMail: the payload is the mail's raw RFC 5322 bytes.
	ContentMail = "message/rfc822"
	// ContentMailHeader: the payload is only the mail's header section; the
	// mail itself, unless it is oversize, is the object named by dataref.
	ContentMailHeader = "message/rfc822-headers"
	// ContentDecision: a line of JSON (the decision), a newline, then the
	// bytes of the mail or, when dataref or reason is set, of its header section.
	ContentDecision = "application/vnd.mailyard.decision"
	// ContentJSON is the payload of every event that carries no mail.
	ContentJSON = "application/json"
	// ContentNATS: a whole NATS message: "NATS/1.0", header lines, an empty
	// line, payload (NATS ADR-4).
	ContentNATS = "application/vnd.nats.message"
)

// MaxInline is the most octets of mail, or of its header section, that an event
// carries. A larger mail travels as a claim check.
const MaxInline = 256 << 10

// MailAttributes are the CloudEvents extension attributes of an event that
// carries a mail. Numbers travel as decimal strings, because a CloudEvents
// Integer has 31 bits and a UID has 32.
type MailAttributes struct {
	Tenant       string    `json:"tenant"`
	Mailbox      string    `json:"mailbox"`
	UIDValidity  uint32    `json:"uidvalidity,string"`
	UID          uint32    `json:"uid,string"`
	Lane         Lane      `json:"lane"`
	Size         int64     `json:"size,string"`       // octets of the whole mail: counted, or as the server announced (oversize)
	SHA256       string    `json:"sha256"`            // hex, of the bytes read: the mail, or the header section of an oversize mail
	Reason       Reason    `json:"reason,omitempty"`  // "oversize" or empty
	DataRef      string    `json:"dataref,omitempty"` // claim check: the name of an object in the bucket MAILBLOB
	Origin       string    `json:"origin,omitempty"`  // of which account and folder; see config.Mailbox.Origin
	InternalDate time.Time `json:"internaldate"`      // IMAP INTERNALDATE: when the mail server received it
	FetchedAt    time.Time `json:"fetchedat"`
	Generation   int64     `json:"generation,string"` // ms since 1970 of the download; a wanted re-fetch has another one
}

// Key returns the mail key.
func (m MailAttributes) Key() MailKey {
	return MailKey{Tenant: m.Tenant, Mailbox: m.Mailbox, UIDValidity: m.UIDValidity, UID: m.UID}
}

// NewAttributes returns the attributes of an event that is about to be
// published: specversion and dataschema are set, the time is in UTC.
func NewAttributes(eventType, source, subject, id, contentType string, now time.Time) Attributes {
	return Attributes{
		SpecVersion:     SpecVersion,
		ID:              id,
		Type:            eventType,
		Source:          source,
		Subject:         subject,
		Time:            now.UTC(),
		DataContentType: contentType,
		DataSchema:      DataSchema(eventType),
	}
}

// DataSchema returns the $id of the JSON Schema of an event type: the path of
// this module, and the file in it.
func DataSchema(eventType string) string {
	return "https://github.com/mailyard/mailyard/schemas/events/" + strings.TrimPrefix(eventType, "mailyard.") + ".json"
}
