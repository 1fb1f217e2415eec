package schemas

import "time"

// TypeMailPersisted is the CloudEvents type of MailPersisted.
const TypeMailPersisted = "mailyard.mail.persisted.v1"

// MailPersisted tells the consumers of the messaging database that an item (one
// clone of a mail) is committed there. One event per item. Sent by the persister.
type MailPersisted struct {
	Attributes
	Data Persisted `json:"data"`
}

// Persisted is the payload of MailPersisted.
type Persisted struct {
	MailID      string    `json:"mail_id"`
	ItemID      string    `json:"item_id"`
	Tenant      string    `json:"tenant"`
	Mailbox     string    `json:"mailbox"`
	Folder      string    `json:"folder"`
	UIDValidity uint32    `json:"uidvalidity"`
	UID         uint32    `json:"uid"`
	Lane        Lane      `json:"lane"`
	Size        int64     `json:"size"`
	Bounce      bool      `json:"bounce"`
	AutoReply   bool      `json:"auto_reply"`
	PersistedAt time.Time `json:"persisted_at"`
}

// TypeMailRejected is the CloudEvents type of MailRejected.
const TypeMailRejected = "mailyard.mail.rejected.v1"

// MailRejected tells that a mail was recorded as invalid. Sent by the persister.
type MailRejected struct {
	Attributes
	Data Rejected `json:"data"`
}

// Rejected is the payload of MailRejected.
type Rejected struct {
	MailID      string    `json:"mail_id"`
	Tenant      string    `json:"tenant"`
	Mailbox     string    `json:"mailbox"`
	UIDValidity uint32    `json:"uidvalidity"`
	UID         uint32    `json:"uid"`
	Reason      Reason    `json:"reason"`
	Size        int64     `json:"size"`
	PersistedAt time.Time `json:"persisted_at"`
}
