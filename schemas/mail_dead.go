package schemas

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// TypeMailDead is the CloudEvents type of MailDead.
const TypeMailDead = "mailyard.mail.dead.v1"

// MailDead is a dead letter: a message that a stage gave up, with all that it
// takes to replay it. The mail itself stays in the inbox. Sent by the stage.
type MailDead struct {
	Attributes
	Tenant          string      `json:"tenant"`
	Mailbox         string      `json:"mailbox"`
	Stage           Stage       `json:"stage"`
	Error           string      `json:"error"`              // what failed, at most 1,000 bytes, without secrets
	Attempts        int         `json:"attempts,string"`    // how often it was tried
	OriginalSubject string      `json:"originalsubject"`    // where a replay publishes it
	MailID          string      `json:"mailid,omitempty"`   // when the message was about one mail
	UIDValidity     uint32      `json:"uidvalidity,string"` // of the mails that it was about
	UIDs            string      `json:"uids"`               // their UIDs, decimal, comma-separated
	Data            NATSMessage `json:"data"`               // the message that was given up
}

// TypeMailParked is the CloudEvents type of MailParked.
const TypeMailParked = "mailyard.mail.parked.v1"

// MailParked tells that a dead letter was written. Sent by the stage that gave
// up, to the event stream, for alerts and consoles.
type MailParked struct {
	Attributes
	Data Parked `json:"data"`
}

// Parked is the payload of MailParked.
type Parked struct {
	MailID      string    `json:"mail_id,omitempty"`
	Tenant      string    `json:"tenant"`
	Mailbox     string    `json:"mailbox"`
	UIDValidity uint32    `json:"uidvalidity"`
	UIDs        []uint32  `json:"uids,omitempty"` // absent when the message was about no mail
	Stage       Stage     `json:"stage"`
	Error       string    `json:"error"`
	Attempts    int       `json:"attempts"`
	ParkedAt    time.Time `json:"parked_at"`
}

// NATSMessage is the content of a NATS message: headers and payload.
type NATSMessage struct {
	Header  map[string][]string `json:"header"`
	Payload []byte              `json:"payload"`
}

const natsHeaderLine = "NATS/1.0\r\n"

// MarshalBinary returns the wire form of NATS ADR-4, header lines sorted by
// name. Header names and values must not contain CR or LF.
func (m NATSMessage) MarshalBinary() ([]byte, error) {
	var b bytes.Buffer
	b.WriteString(natsHeaderLine)
	for _, name := range slices.Sorted(maps.Keys(m.Header)) {
		for _, v := range m.Header[name] {
			if !fitsLine(name, v) {
				return nil, fmt.Errorf("encoding NATS message: header %q does not fit on a line", name)
			}
			b.WriteString(name + ": " + v + "\r\n")
		}
	}
	b.WriteString("\r\n")
	b.Write(m.Payload)
	return b.Bytes(), nil
}

// UnmarshalBinary is the inverse of MarshalBinary. Header names keep their
// case. Payload aliases b.
func (m *NATSMessage) UnmarshalBinary(b []byte) error {
	rest, ok := bytes.CutPrefix(b, []byte(natsHeaderLine))
	if !ok {
		return errors.New("decoding NATS message: it does not begin with NATS/1.0")
	}
	header := map[string][]string{}
	for {
		line, after, ok := bytes.Cut(rest, []byte("\r\n"))
		if !ok {
			return errors.New("decoding NATS message: its header does not end")
		}
		rest = after
		if len(line) == 0 {
			break
		}
		name, value, ok := strings.Cut(string(line), ":")
		if !ok || !fitsLine(name, value) {
			return errors.New("decoding NATS message: a header line is not \"name: value\"")
		}
		header[name] = append(header[name], strings.TrimPrefix(value, " "))
	}
	*m = NATSMessage{Header: header, Payload: rest}
	return nil
}

func fitsLine(name, value string) bool {
	return name != "" && !strings.ContainsAny(name, ":\r\n") && !strings.ContainsAny(value, "\r\n")
}
