package mailstore

import (
	"time"

	"github.com/mailyard/mailyard/schemas"
)

// MaxLimit is the most mails that one Query returns.
const MaxLimit = 1000

// A Query selects mails. Empty fields select everything; conditions add up. Texts
// have at most 1,000 bytes; NUL and invalid UTF-8 in them match U+FFFD, which is
// stored in their place.
type Query struct {
	Tenant    string // empty: all tenants; only the landlord may ask that
	Mailbox   string
	Folder    string // folder id of one of the items
	Verdict   schemas.Verdict
	Reason    schemas.Reason
	State     State
	Text      string    // words that all occur in subject, addresses or text, as far as IndexPending has come
	Address   string    // an address in any role, without regard to case
	Subject   string    // a part of the subject
	MessageID string    // with or without angle brackets
	Since     time.Time // persisted at or after
	Until     time.Time // persisted before
	Before    Place     // of the last mail of the page before; zero: the first page
	Limit     int       // 1 to MaxLimit; 0: 50
}

// A State says whether a mail is still in the inbox, as far as is known.
type State string

// The states. The empty one is either.
const (
	Undisposed State = "undisposed"
	Disposed   State = "disposed"
)

// A Summary is a mail in a list. Times are UTC; nil is unknown or not yet.
type Summary struct {
	Seq            int64           `json:"-"` // grows with every new mail of all tenants
	MailID         string          `json:"mail_id"`
	Tenant         string          `json:"tenant"`
	Mailbox        string          `json:"mailbox"`
	UIDValidity    uint32          `json:"uidvalidity"`
	UID            uint32          `json:"uid"`
	Lane           schemas.Lane    `json:"lane"`
	Size           int64           `json:"size"`
	Verdict        schemas.Verdict `json:"verdict"`
	Reason         schemas.Reason  `json:"reason,omitempty"`
	Folders        []string        `json:"folders"` // ids, one per item
	Subject        string          `json:"subject"`
	FromName       string          `json:"from_name"`
	FromAddress    string          `json:"from_address"`
	MessageID      string          `json:"message_id"`
	Bounce         bool            `json:"bounce"`
	AutoReply      bool            `json:"auto_reply"`
	Attachments    int             `json:"attachment_count"`
	InternalAt     *time.Time      `json:"internal_at"`   // the mail server received it
	SentAt         *time.Time      `json:"sent_at"`       // its Date header
	FetchedAt      *time.Time      `json:"fetched_at"`    // it was downloaded
	ClassifiedAt   *time.Time      `json:"classified_at"` // its folders were decided
	PersistedAt    time.Time       `json:"persisted_at"`
	DisposedAt     *time.Time      `json:"disposed_at"` // it left the inbox
	DisposedMethod string          `json:"disposed_method,omitempty"`
	DisposedTo     string          `json:"disposed_to,omitempty"`
}
