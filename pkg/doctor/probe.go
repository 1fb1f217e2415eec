package doctor

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"strings"
	"time"

	"golang.org/x/net/idna"

	"github.com/mailyard/mailyard/pkg/routing"
)

// A probe is a mail that the doctor sends.
type probe struct {
	from, to string
	id       string // Message-ID with its angle brackets
	sent     time.Time
	refused  error
	arrived  time.Time // zero: not seen
	folder   string    // where it was found; empty: not found, or gone from there
	removed  bool
}

// newProbe makes a probe. Its Message-ID is the mailbox's own, so that the
// pipeline, should it be quicker than the doctor, takes it for what it is: mail
// that this mailbox sent itself.
func newProbe(req Request, from, to string) *probe {
	unique := "doctor." + strings.ToLower(rand.Text())
	return &probe{from: from, to: to, id: routing.MessageID(req.Document.Tenant, req.Document.ID, unique)}
}

// text is a probe as it is sent.
func (r *run) text(p *probe) []byte {
	var b bytes.Buffer
	for _, field := range [][2]string{
		{"From", "<" + inASCII(p.from) + ">"}, {"To", "<" + inASCII(p.to) + ">"}, {"Subject", "Test of this mailbox"},
		{"Date", time.Now().Format(time.RFC1123Z)}, {"Message-ID", p.id},
		{routing.LoopHeader, routing.LoopMark(r.req.Document.Tenant, r.req.Document.ID)},
		{"Auto-Submitted", "auto-generated"}, {"MIME-Version", "1.0"}, {"Content-Type", "text/plain; charset=utf-8"},
	} {
		fmt.Fprintf(&b, "%s: %s\r\n", field[0], field[1])
	}
	b.WriteString("\r\nThe settings of this mailbox are being tested: it sends this mail to itself.\r\nIt is deleted when it has arrived, and may be deleted at any time.\r\n")
	return b.Bytes()
}

// inASCII returns an address with its domain as A-labels: a header section that
// needs no SMTPUTF8 must be ASCII.
func inASCII(mail string) string {
	at := strings.LastIndexByte(mail, '@')
	if ascii, err := idna.Lookup.ToASCII(mail[at+1:]); err == nil {
		return mail[:at+1] + ascii
	}
	return mail
}

// awaited reports whether a mail that was sent may still come, or is still there.
func (r *run) awaited() bool {
	for _, p := range r.probes {
		if p.refused == nil && !p.removed {
			return true
		}
	}
	return false
}
