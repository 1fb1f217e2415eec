package routing

import (
	"crypto/sha256"
	"encoding/base32"
	"strings"

	"github.com/mailyard/mailyard/pkg/message"
)

// LoopHeader is the header field by which a mailbox recognises mail that it
// sent itself; its value is LoopMark.
const LoopHeader = "X-Mailyard-Loop"

// ProbeHeader is the header field of a test mail; its value is the token by
// which the installation that sent it knows it.
const ProbeHeader = "X-Mailyard-Probe"

// LoopMark returns the value of LoopHeader in mail that a mailbox sends: 26
// lower-case letters and digits that tell strangers nothing.
func LoopMark(tenant, mailbox string) string {
	sum := sha256.Sum256([]byte("loop " + tenant + "/" + mailbox))
	return strings.ToLower(base32.StdEncoding.EncodeToString(sum[:])[:26])
}

// MessageID returns a Message-ID for a mail that the mailbox sends, with its
// angle brackets. unique is letters, digits, hyphens and inner dots, and must
// not be used twice by the mailbox.
func MessageID(tenant, mailbox, unique string) string {
	return "<" + unique + idSuffix(tenant, mailbox) + ">"
}

func idSuffix(tenant, mailbox string) string {
	return "@" + LoopMark(tenant, mailbox) + ".mailyard"
}

// isOwn reports whether the mailbox itself sent the mail. A reply to it is not
// its own: that one names our Message-ID in References.
func (t *Table) isOwn(h message.Header) bool {
	for _, f := range h.Fields {
		switch {
		case strings.EqualFold(f.Name, LoopHeader):
			if strings.EqualFold(strings.TrimSpace(f.Value), t.loopMark) {
				return true
			}
		case strings.EqualFold(f.Name, "Message-ID"):
			id := strings.Trim(f.Value, "<> \t")
			if n := len(id) - len(t.idSuffix); n > 0 && strings.EqualFold(id[n:], t.idSuffix) {
				return true
			}
		}
	}
	return false
}
