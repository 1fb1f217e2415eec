package mailstore

import "github.com/mailyard/mailyard/schemas"

// A Detail is all that is stored of a mail except bytes.
type Detail struct {
	Summary
	SHA256        string              `json:"sha256"`
	HeaderOnly    bool                `json:"header_only"` // only the header section was downloaded
	InReplyTo     string              `json:"in_reply_to"`
	References    []string            `json:"reference_ids"`
	AutoSubmitted string              `json:"auto_submitted"`
	AuthResults   []string            `json:"auth_results"`
	DSN           *DSN                `json:"dsn"` // nil unless the mail is a delivery status notification
	Defects       []Defect            `json:"defects"`
	Revision      int64               `json:"revision"`   // config revision that the decision was made with
	Recipients    []schemas.Recipient `json:"recipients"` // what routing looked at
	Items         []Item              `json:"items"`
	Addresses     []Address           `json:"addresses"`
	Attached      []Attachment        `json:"attachments"` // without content
	Text          string              `json:"text"`
	HTML          string              `json:"html"`
}

// An Item is one clone of a mail: a folder that it belongs in, and why.
type Item struct {
	ID             string       `json:"item_id"`
	Seq            int64        `json:"-"`
	Folder         string       `json:"folder"`
	FolderName     string       `json:"folder_name"`
	MatchedAddress string       `json:"matched_address"`
	MatchedHeader  string       `json:"matched_header"`
	MatchedRule    schemas.Rule `json:"matched_rule"`
}

// An Address is an address of a mail's header.
type Address struct {
	Role     string `json:"role"`     // from, sender, reply-to, to, cc or bcc
	Position int    `json:"position"` // within the role, from 1
	Name     string `json:"name"`
	Address  string `json:"address"`
	Key      string `json:"address_key"` // the form in which addresses are compared
}

// An Attachment is a file of a mail.
type Attachment struct {
	Position    int    `json:"position"` // within the mail, from 1
	Part        string `json:"part"`     // IMAP part number
	Filename    string `json:"filename"` // safe to create on any system
	ContentType string `json:"content_type"`
	ContentID   string `json:"content_id"`
	Inline      bool   `json:"inline"`
	IsMessage   bool   `json:"is_message"`
	Size        int64  `json:"size"`
	SHA256      string `json:"sha256"`
	Content     []byte `json:"-"` // only from Store.Attachment
}

// A Defect is something that was wrong with a mail.
type Defect struct {
	Code   string `json:"code"`
	Detail string `json:"detail,omitempty"`
	Part   string `json:"part,omitempty"`
}

// DSN holds the facts of a delivery status notification (RFC 3464).
type DSN struct {
	Action            string `json:"action"`
	Status            string `json:"status"`
	FinalRecipient    string `json:"final_recipient"`
	Diagnostic        string `json:"diagnostic"`
	OriginalMessageID string `json:"original_message_id"`
}
