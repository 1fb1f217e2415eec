package mailstore

import "time"

// MaxUnmatchedMails is how many mails UnmatchedAddresses looks at.
const MaxUnmatchedMails = 2000

// An UnmatchedAddress is an address that mail came to and no folder has.
type UnmatchedAddress struct {
	Address string    `json:"address"` // as it stood in the newest of the mails
	Count   int64     `json:"count"`   // of mails
	Last    time.Time `json:"last"`    // when the newest of them was persisted
	Tenant  string    `json:"tenant"`
	Mailbox string    `json:"mailbox"` // that it came to
	MailID  string    `json:"mail_id"` // of the newest
}
