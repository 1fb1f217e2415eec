package schemas

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// TypeMailClassified is the CloudEvents type of MailClassified.
const TypeMailClassified = "mailyard.mail.classified.v1"

const (
	// MaxClones is the most folders that one mail can be cloned into.
	MaxClones = 1000
	// MaxDecision is the most octets of a decision on the wire. Together with
	// MaxInline it stays below what fits in a message.
	MaxDecision = 600 << 10
)

// MailClassified says where a mail belongs. All clones travel in one event, so
// they are stored in one transaction: a mail can never be half cloned. Sent by
// the classifier.
type MailClassified struct {
	Attributes
	MailAttributes
	Data ClassifiedMail `json:"data"`
}

// ClassifiedMail is the decision and the mail it was made for. On the wire it
// is a line of JSON (the decision), a newline, then the mail's bytes.
type ClassifiedMail struct {
	Decision Decision `json:"decision"`
	Mail     []byte   `json:"mail"` // raw mail, or the header section when dataref or reason "oversize" is set
}

// A Decision is the outcome of routing one mail.
type Decision struct {
	Verdict      Verdict     `json:"verdict"`
	Reason       Reason      `json:"reason,omitempty"` // set when the verdict is invalid
	Clones       []Clone     `json:"clones,omitempty"` // one per matched folder; empty when invalid
	Recipients   []Recipient `json:"recipients,omitempty"`
	Revision     int64       `json:"revision"` // config revision that the decision was made with
	ClassifiedAt time.Time   `json:"classified_at"`
}

// A Clone is one folder that a mail belongs in, and why.
type Clone struct {
	Folder     string `json:"folder"`      // folder id
	FolderName string `json:"folder_name"` // at the time of the decision
	Address    string `json:"address"`     // the recipient address that matched, as it stood in the mail; empty for the catch-all
	Header     string `json:"header"`      // the header field it stood in; empty for the catch-all
	Rule       Rule   `json:"rule"`
}

// A Rule names how an address came to match a folder.
type Rule string

const (
	RuleExact    Rule = "exact"     // the address is one of the folder's addresses
	RulePlus     Rule = "plus"      // it is, without its +tag
	RuleCatchAll Rule = "catch-all" // nothing matched; the mailbox's unmatched setting names this folder
)

// A Recipient is an address that routing looked at: at most the first 100 of
// a mail, for the explanation; fewer if MaxDecision would be exceeded.
type Recipient struct {
	Address string `json:"address"`
	Header  string `json:"header"`
	Folder  string `json:"folder,omitempty"` // the folder it matched, if any
	Used    bool   `json:"used"`             // whether its set (envelope or header) decided
}

// MarshalBinary frames the decision and the mail for the wire.
func (c ClassifiedMail) MarshalBinary() ([]byte, error) {
	var out bytes.Buffer
	out.Grow(len(c.Mail) + 1<<10) // most decisions are shorter
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)                       // an & or < would grow sixfold
	if err := e.Encode(c.Decision); err != nil { // ends with the newline
		return nil, fmt.Errorf("encoding decision: %w", err)
	}
	out.Write(c.Mail)
	return out.Bytes(), nil
}

// UnmarshalBinary is the inverse of MarshalBinary. Mail aliases b.
func (c *ClassifiedMail) UnmarshalBinary(b []byte) error {
	head, mail, ok := bytes.Cut(b, []byte{'\n'})
	if !ok {
		return errors.New("decoding classified mail: no newline after the decision")
	}
	*c = ClassifiedMail{Mail: mail}
	if err := json.Unmarshal(head, &c.Decision); err != nil {
		return fmt.Errorf("decoding decision: %w", err)
	}
	return nil
}
