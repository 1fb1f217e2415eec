package doctor

import (
	"bytes"
	"context"
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
	taker    Taker     // the mailbox that the pipeline took it from; zero: not known
	removed  bool
}

// newProbe makes a probe. Its Message-ID is the mailbox's own: the pipeline takes
// it for mail that this mailbox sent itself also when it no longer knows the token.
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
		{routing.LoopHeader, routing.LoopMark(r.req.Document.Tenant, r.req.Document.ID)}, {routing.ProbeHeader, r.token},
		{"Auto-Submitted", "auto-generated"}, {"MIME-Version", "1.0"}, {"Content-Type", "text/plain; charset=utf-8"},
	} {
		if field[1] != "" {
			fmt.Fprintf(&b, "%s: %s\r\n", field[0], field[1])
		}
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

// came tells that it arrived, and how long that took if it was seen.
func (p *probe) came() string {
	if p.arrived.IsZero() {
		return "arrived"
	}
	return "arrived after " + p.arrived.Sub(p.sent).Round(10*time.Millisecond).String()
}

// announce tells the pipeline of the probes that will be sent.
func (r *run) announce(ctx context.Context) error {
	if r.doctor.Announce == nil {
		return nil
	}
	token := strings.ToLower(rand.Text())
	if err := r.doctor.Announce(ctx, token); err != nil {
		return err
	}
	r.token = token
	return nil
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
