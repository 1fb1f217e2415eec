package schemas

import "time"

// TypeMailDisposed is the CloudEvents type of MailDisposed.
const TypeMailDisposed = "mailyard.mail.disposed.v1"

// MailDisposed tells that mails left the inbox. Sent by the disposer, one per
// command on the mail server; the persister records it in the messaging database.
type MailDisposed struct {
	Attributes
	Data Disposed `json:"data"`
}

// Disposed is the payload of MailDisposed.
type Disposed struct {
	Tenant      string    `json:"tenant"`
	Mailbox     string    `json:"mailbox"`
	UIDValidity uint32    `json:"uidvalidity"`
	UIDs        []uint32  `json:"uids"`
	Action      Action    `json:"action"` // persisted or invalid
	Method      string    `json:"method"` // move or delete
	Destination string    `json:"destination,omitempty"`
	DisposedAt  time.Time `json:"disposed_at"`
}
