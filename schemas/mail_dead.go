package schemas

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"net/textproto"
	"slices"
	"sort"
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
	UIDs        []uint32  `json:"uids"`
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
	names := make([]string, 0, len(m.Header))
	for name := range m.Header {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		for _, v := range m.Header[name] {
			if strings.ContainsAny(name, ":\r\n") || strings.ContainsAny(v, "\r\n") {
				return nil, fmt.Errorf("encoding NATS message: header %q does not fit on a line", name)
			}
			b.WriteString(name + ": " + v + "\r\n")
		}
	}
	b.WriteString("\r\n")
	b.Write(m.Payload)
	return b.Bytes(), nil
}

// UnmarshalBinary is the inverse of MarshalBinary. Header names keep their case.
func (m *NATSMessage) UnmarshalBinary(b []byte) error {
	if !bytes.HasPrefix(b, []byte(natsHeaderLine)) {
		return errors.New("decoding NATS message: it does not begin with NATS/1.0")
	}
	head, payload, ok := bytes.Cut(b[len(natsHeaderLine)-2:], []byte("\r\n\r\n"))
	if !ok {
		return errors.New("decoding NATS message: its header does not end")
	}
	r := textproto.NewReader(bufio.NewReader(bytes.NewReader(bytes.TrimPrefix(head, []byte("\r\n")))))
	m.Header = map[string][]string{}
	for {
		line, err := r.ReadLine()
		if line == "" && err != nil {
			break
		}
		name, value, ok := strings.Cut(line, ":")
		if !ok || name == "" {
			return fmt.Errorf("decoding NATS message: %q is not a header line", line)
		}
		m.Header[name] = append(m.Header[name], strings.TrimPrefix(value, " "))
	}
	m.Payload = slices.Clone(payload)
	return nil
}
