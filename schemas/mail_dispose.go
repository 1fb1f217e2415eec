package schemas

// TypeMailDispose is the CloudEvents type of MailDispose.
const TypeMailDispose = "mailyard.mail.dispose.v1"

// MailDispose says that the outcome of these mails is committed and that they
// may leave the inbox. Sent by the persister, one per mailbox, UIDVALIDITY and
// action.
type MailDispose struct {
	Attributes
	Data Dispose `json:"data"`
}

// MaxDisposeUIDs is the most UIDs that one MailDispose carries.
const MaxDisposeUIDs = 1000

// Dispose is the payload of MailDispose.
type Dispose struct {
	Tenant      string `json:"tenant"`
	Mailbox     string `json:"mailbox"`
	UIDValidity uint32 `json:"uidvalidity"` // the inbox must still have it, or nothing is touched
	// Origin names the account and folder that the mails were fetched from (see
	// config.Mailbox.Origin). A mailbox that was pointed elsewhere since is not
	// touched: its UIDs may name other mails, under the same UIDVALIDITY.
	Origin string   `json:"origin,omitempty"`
	Action Action   `json:"action"`
	UIDs   []uint32 `json:"uids"` // ascending, without duplicates, at most MaxDisposeUIDs
}
