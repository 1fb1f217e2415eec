package message

import (
	"time"

	"github.com/mailyard/mailyard/pkg/address"
)

// A Message is what Parse makes of a mail. All strings are valid UTF-8 without
// NUL.
type Message struct {
	Header     Header
	Unparsable bool // not one header field found; the whole mail is in Text

	MessageID  string    // without angle brackets, as all ids here
	InReplyTo  string    // the first id of In-Reply-To
	References []string  // at most 1,000
	Subject    string    // encoded words decoded
	Date       time.Time // UTC; zero if there is none that makes sense

	From, Sender, ReplyTo, To, Cc, Bcc []address.Address

	Text        string // lines end with LF; derived from HTML when there is no text part
	HTML        string // as it came; not sanitised
	Attachments []Attachment

	Bounce        bool   // a report that delivery failed
	DSN           *DSN   // what a delivery status notification says, also of a delay or a success
	AutoSubmitted string // keyword of Auto-Submitted (RFC 3834, section 5) in lower case; empty if absent
	AutoReply     bool   // written by a machine in answer to something

	AuthResults []string // values of Authentication-Results, topmost first; trust only your own server's
	Defects     []Defect
}

// An Attachment is a part that is not shown as text: a file, an inline image, a
// nested message, or what exceeded a limit.
type Attachment struct {
	Filename    string // safe as a file name on any system, never empty; not unique within a mail
	ContentType string // type/subtype in lower case, without parameters
	ContentID   string // without angle brackets
	Inline      bool   // meant to be shown within the text
	Size        int64  // octets of Content
	SHA256      string // hex, of Content
	Content     []byte // decoded; may share memory with the raw mail
	Part        string // IMAP part number, such as "2.1"
	Message     bool   // Content is itself a mail; its attachments are not listed here
}

// DSN is what a delivery status notification (RFC 3464) says about the first
// recipient that failed, or the first one if none did. Fields that the report
// does not have are empty.
type DSN struct {
	Action            string // failed, delayed, delivered, relayed, expanded; lower case
	Status            string // RFC 3463, such as 5.1.1
	FinalRecipient    string // address, without its type
	Diagnostic        string // Diagnostic-Code, without its type
	OriginalMessageID string // of the mail that the report is about
}
