package bus

import (
	"context"
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/mailyard/mailyard/pkg/fault"
	"github.com/mailyard/mailyard/schemas"
	"github.com/mailyard/mailyard/schemas/cloudevents"
)

// A letter is a message that is given up, before it is written.
type letter struct {
	stage    schemas.Stage
	subject  string // that it was published on first
	header   map[string][]string
	payload  []byte
	stream   string
	sequence uint64
	attempts int
	reason   string // safe to store and to show; see errorText
}

// id is the CloudEvents id of the message.
func (l letter) id() string { return eventID(l.header) }

// position names the message in the NATS store.
func (l letter) position() string { return l.stream + "-" + strconv.FormatUint(l.sequence, 10) }

// bury writes the dead letter, then the parked keys, then the event. Repeating
// it, because it failed half-way, does no harm.
func (c *Conn) bury(ctx context.Context, l letter) error {
	return c.buryAbout(ctx, l, aboutMessage(l))
}

func (c *Conn) buryAbout(ctx context.Context, l letter, about about) error {
	now := time.Now().UTC()
	// Not the event id alone: what is replayed and fails again is a new letter.
	id := fmt.Sprintf("q:%s:%s:%d:%s", l.id(), l.stage, l.attempts, l.position())
	dead := schemas.MailDead{
		Attributes:      attributes(id, schemas.TypeMailDead, about, now),
		Tenant:          about.tenant,
		Mailbox:         about.mailbox,
		Stage:           l.stage,
		Error:           l.reason,
		Attempts:        l.attempts,
		OriginalSubject: l.subject,
		MailID:          about.mailID(),
		UIDValidity:     about.uidvalidity,
		UIDs:            about.list(),
		Data:            schemas.NATSMessage{Header: fresh(l.header), Payload: l.payload},
	}
	// Not bound by MaxPayload: the letter is larger than the message in it, and
	// what that leaves of the server's max_payload is for its headers.
	header, payload, err := cloudevents.Encode(dead)
	if err != nil {
		return fault.Permanent(err)
	}
	msg := &nats.Msg{Subject: schemas.SubjectDead(l.stage, about.tenant, about.mailbox), Header: header, Data: payload}
	msg.Header.Set(jetstream.MsgIDHeader, id)
	ack, err := c.publish(ctx, msg)
	if err != nil {
		return err
	}
	if about.park {
		if err := c.park(ctx, about, l.stage, ack.Sequence); err != nil {
			return err
		}
	}
	return c.Publish(ctx, schemas.SubjectParked(about.tenant, about.mailbox), schemas.MailParked{
		Attributes: attributes("p"+id[1:], schemas.TypeMailParked, about, now),
		Data: schemas.Parked{
			MailID: about.mailID(), Tenant: about.tenant, Mailbox: about.mailbox,
			UIDValidity: about.uidvalidity, UIDs: about.uids,
			Stage: l.stage, Error: l.reason, Attempts: l.attempts, ParkedAt: now,
		},
	}, "p"+id[1:])
}

func attributes(id, eventType string, about about, now time.Time) schemas.Attributes {
	subject := ""
	if len(about.uids) == 1 {
		subject = about.key(about.uids[0]).Subject()
	}
	contentType := schemas.ContentJSON
	if eventType == schemas.TypeMailDead {
		contentType = schemas.ContentNATS
	}
	return schemas.Attributes{
		SpecVersion: schemas.SpecVersion, ID: id, Type: eventType,
		Source: schemas.Source(about.tenant, about.mailbox), Subject: subject,
		Time: now, DataContentType: contentType,
	}
}

// maxErrorText bounds the error texts in headers and events, in bytes.
const maxErrorText = 1000

// errorText makes an error's text fit a header line and a console: no control
// characters, valid UTF-8, at most maxErrorText bytes.
func errorText(err error) string {
	text := strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(err.Error(), "\uFFFD"))
	if len(text) <= maxErrorText {
		return text
	}
	cut := maxErrorText - len("…")
	for !utf8.RuneStart(text[cut]) {
		cut--
	}
	return text[:cut] + "…"
}

var tokenEncoding = base32.StdEncoding.WithPadding(base32.NoPadding)

// token turns any text into a subject token that is as good as unique.
func token(s string) string {
	sum := sha256.Sum256([]byte(s))
	return strings.ToLower(tokenEncoding.EncodeToString(sum[:])[:26])
}
