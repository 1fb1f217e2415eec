package imapconn

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"regexp"
	"strings"
	"sync"

	"github.com/mailyard/mailyard/pkg/mailhost"
)

// A tracer tells a Trace what is said, and leaves out what must not be shown:
// the arguments of a sign-in, and everything that is or may be of a mail. A nil
// tracer tells nothing.
type tracer struct {
	trace   *mailhost.Trace
	secrets func() mailhost.Secrets

	// Of who writes to the server, one at a time.
	synced  bool   // the place in the client's stream is known
	line    []byte // begun
	literal int64  // bytes of a literal still to come
	after   bool   // a literal came, the command goes on
}

// maxTraced is how much of a line is looked at, bytes: much more than is shown.
const maxTraced = 64 << 10

func newTracer(trace *mailhost.Trace, t Target) *tracer {
	if trace == nil {
		return nil
	}
	// Not before something is told: most connections are never traced.
	hide := func() mailhost.Secrets { return mailhost.HideSecrets(t.Username, t.Password.Reveal()) }
	return &tracer{trace: trace, secrets: sync.OnceValue(hide)}
}

func (t *tracer) active() bool { return t != nil && t.trace.Active() }

// say tells a line without the password, which servers are known to repeat.
func (t *tracer) say(d mailhost.Direction, text string) {
	t.trace.Say(d, t.secrets().Redact(text))
}

// remark tells of the connection itself.
func (t *tracer) remark(format string, args ...any) {
	if t.active() {
		t.say(mailhost.Remark, fmt.Sprintf(format, args...))
	}
}

// secured tells how a connection is encrypted.
func (t *tracer) secured(conn net.Conn) {
	if c, ok := conn.(*tls.Conn); ok && t.active() {
		s := c.ConnectionState()
		t.remark("encrypted with %s, %s", tls.VersionName(s.Version), tls.CipherSuiteName(s.CipherSuite))
	}
}

// ended tells why a connection ended.
func (t *tracer) ended(cause error) {
	switch {
	case errors.Is(cause, errClosed):
		t.remark("closed")
	case errors.Is(cause, io.EOF):
		t.remark("closed by the server")
	default:
		t.remark("ended: %v", mailhost.WithoutAddresses(cause))
	}
}

// command tells a command of the dialogue, continued what follows it when the
// server asks to go on: that is of a sign-in.
func (t *tracer) command(line string) {
	if t.active() {
		t.say(mailhost.ToServer, shownCommand(line))
	}
}

func (t *tracer) continued(line string) {
	if t.active() {
		t.say(mailhost.ToServer, fmt.Sprintf("(%d bytes, not shown)", len(line)))
	}
}

// A phase of a connection says what a line of the server may hold.
type phase int

const (
	phaseGreeting phase = iota // whatever the server is
	phaseSignIn                // what it was told
	phaseOpen                  // mail
)

func (d *dialogue) phase() phase {
	if d.tag == 0 {
		return phaseGreeting
	}
	return phaseSignIn
}

// server tells a line of the server with its line end. inside says that it goes
// on with a response behind a literal.
func (t *tracer) server(line []byte, inside bool, p phase) {
	if t.active() {
		cut := ""
		if len(line) > maxTraced {
			cut, line = fmt.Sprintf(" … (%d bytes in all)", len(line)), line[:maxTraced]
			line = line[:bytes.LastIndexByte(line, ' ')+1] // no half of what is to be left out
		}
		t.say(mailhost.FromServer, shownResponse(strings.TrimRight(string(line), "\r\n"), inside, p)+cut)
	}
}

// commandStart is how a command of go-imap begins.
var commandStart = regexp.MustCompile(`^(?:T[0-9]+ [A-Z]|DONE\r\n)`)

// client tells the lines in what go-imap writes.
func (t *tracer) client(p []byte) {
	if !t.active() {
		if t != nil {
			t.synced = false
		}
		return
	}
	if !t.synced {
		// It was switched on just now; what comes may be the middle of a literal.
		if !commandStart.Match(p) {
			return
		}
		t.synced, t.line, t.literal, t.after = true, nil, 0, false
	}
	for len(p) > 0 {
		if n := min(t.literal, int64(len(p))); n > 0 {
			t.literal, p = t.literal-n, p[n:]
			continue
		}
		end := bytes.IndexByte(p, '\n') + 1
		if end == 0 {
			end = len(p)
		}
		t.line, p = append(t.line, p[:end]...), p[end:]
		if len(t.line) > maxTraced {
			t.synced = false
			return
		}
		if t.line[len(t.line)-1] == '\n' {
			t.clientLine(bytes.TrimRight(t.line, "\r\n"))
			t.line = t.line[:0]
		}
	}
}

func (t *tracer) clientLine(line []byte) {
	text := shownCommand(string(line))
	if t.after {
		text = shownItems(string(line))
	}
	n := literalSize(line)
	t.literal, t.after = max(n, 0), n >= 0
	t.say(mailhost.ToServer, text)
}

// Write is go-imap's way to the server.
func (g *guard) Write(p []byte) (int, error) {
	g.tracer.client(p)
	return g.Conn.Write(p)
}

// newDialogue begins a dialogue that is traced.
func (c *Conn) newDialogue(conn net.Conn) *dialogue {
	d := newDialogue(conn, c.opts.GreetingTimeout)
	d.tracer = c.tracer
	c.tracer.secured(conn)
	return d
}
