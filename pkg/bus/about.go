package bus

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/mailyard/mailyard/schemas"
	"github.com/mailyard/mailyard/schemas/cloudevents"
)

// about is which mails a message is about: as much as can be known of a message
// that possibly cannot be decoded.
type about struct {
	tenant, mailbox string // unknownID when not known
	uidvalidity     uint32
	uids            []uint32 // never nil
	park            bool     // whether the mails must not be fetched again
}

// unknownID stands for a tenant or mailbox that is not known.
const unknownID = "unknown"

func aboutMessage(l letter) about {
	a := about{uids: []uint32{}}
	switch eventType := cloudevents.Attribute(l.header, "type"); eventType {
	case schemas.TypeMailDispose, schemas.TypeMailDisposed:
		var d schemas.Dispose // and the beginning of schemas.Disposed
		if json.Unmarshal(l.payload, &d) == nil {
			a.tenant, a.mailbox, a.uidvalidity = d.Tenant, d.Mailbox, d.UIDValidity
			a.uids = append(a.uids, d.UIDs...)
		}
		// Disposed mail has left the inbox; released mail is to be fetched again.
		a.park = eventType == schemas.TypeMailDispose && d.Action != schemas.ActionRelease
	default:
		a.tenant = cloudevents.Attribute(l.header, "tenant")
		a.mailbox = cloudevents.Attribute(l.header, "mailbox")
		a.uidvalidity = number(cloudevents.Attribute(l.header, "uidvalidity"))
		if uid := number(cloudevents.Attribute(l.header, "uid")); uid != 0 {
			a.uids = append(a.uids, uid)
		}
		a.park = true
	}
	// The subject is right even when the message is not.
	if tokens := strings.Split(l.subject, "."); len(tokens) >= 2 {
		if !validID(a.tenant) {
			a.tenant = tokens[len(tokens)-2]
		}
		if !validID(a.mailbox) {
			a.mailbox = tokens[len(tokens)-1]
		}
	}
	if !validID(a.tenant) || !validID(a.mailbox) {
		a.tenant, a.mailbox = unknownID, unknownID
	}
	if a.uidvalidity == 0 || len(a.uids) == 0 || a.tenant == unknownID {
		a.park = false
	}
	return a
}

func (a about) key(uid uint32) schemas.MailKey {
	return schemas.MailKey{Tenant: a.tenant, Mailbox: a.mailbox, UIDValidity: a.uidvalidity, UID: uid}
}

// mailID is set when the message is about one mail.
func (a about) mailID() string {
	if len(a.uids) != 1 {
		return ""
	}
	return a.key(a.uids[0]).ID()
}

func (a about) list() string {
	var b strings.Builder
	for i, uid := range a.uids {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(strconv.FormatUint(uint64(uid), 10))
	}
	return b.String()
}

// keysOf is the inverse of list.
func keysOf(d schemas.MailDead) []schemas.MailKey {
	var keys []schemas.MailKey
	for s := range strings.SplitSeq(d.UIDs, ",") {
		if uid := number(s); uid != 0 {
			keys = append(keys, schemas.MailKey{Tenant: d.Tenant, Mailbox: d.Mailbox, UIDValidity: d.UIDValidity, UID: uid})
		}
	}
	return slices.Clip(keys)
}

func number(s string) uint32 {
	n, err := strconv.ParseUint(s, 10, 32)
	if err != nil {
		return 0
	}
	return uint32(n)
}

// validID tells whether s can be an id of a tenant or mailbox, and so a token
// of a subject.
func validID(s string) bool {
	if s == "" || len(s) > 63 {
		return false
	}
	for _, c := range []byte(s) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return true
}
