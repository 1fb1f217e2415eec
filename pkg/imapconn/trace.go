package imapconn

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"regexp"
	"strconv"
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

var (
	commandStart = regexp.MustCompile(`^(?:T[0-9]+ [A-Z]|DONE\r\n)`)
	ourTag       = regexp.MustCompile(`^[MT][0-9]+$`)
)

// shownCommand returns the first line of a command as it may be shown.
func shownCommand(line string) string {
	fields := strings.SplitN(line, " ", 4)
	if len(fields) < 2 {
		return line
	}
	switch strings.ToUpper(fields[1]) {
	case "LOGIN":
		return fields[0] + " LOGIN (not shown)"
	case "AUTHENTICATE":
		if len(fields) == 4 {
			return strings.Join(fields[:3], " ") + " (not shown)"
		}
	case "UID", "SEARCH": // what is searched for may be of a mail
		if strings.Contains(strings.ToUpper(line), "SEARCH") {
			return quoted.ReplaceAllString(line, `"…"`)
		}
	}
	return withLiteral(line)
}

// plainResponses are the data that are not of mails.
var plainResponses = map[string]bool{
	"CAPABILITY": true, "ENABLED": true, "ID": true, "NAMESPACE": true, "LIST": true, "LSUB": true, "XLIST": true, "STATUS": true,
	"FLAGS": true, "SEARCH": true, "ESEARCH": true, "VANISHED": true, "QUOTA": true, "QUOTAROOT": true,
	"OK": true, "NO": true, "BAD": true, "BYE": true, "PREAUTH": true,
}

// shownResponse returns a line of the server as it may be shown.
func shownResponse(line string, inside bool, p phase) string {
	if inside {
		return shownItems(line)
	}
	first, rest, _ := strings.Cut(line, " ")
	word, tail, _ := strings.Cut(rest, " ")
	word = strings.ToUpper(word)
	switch {
	case first == "+" && (p == phaseOpen || rest == ""):
		return line
	case first == "+":
		return "+ (not shown)" // a challenge
	case first == "*" && plainResponses[word], first == "*" && strings.HasPrefix(word, "["):
		return withLiteral(line)
	case ourTag.MatchString(first) && (word == "OK" || word == "NO" || word == "BAD"):
		return line
	case first == "*" && isNumber(word):
		kind, items, _ := strings.Cut(tail, " ")
		switch strings.ToUpper(kind) {
		case "EXISTS", "RECENT", "EXPUNGE":
			return line
		case "FETCH":
			return "* " + word + " FETCH " + shownItems(items)
		}
	case p == phaseGreeting:
		return line
	}
	return fmt.Sprintf("(%d bytes, not shown)", len(line))
}

func isNumber(word string) bool {
	_, err := strconv.ParseUint(word, 10, 64)
	return err == nil
}

// withLiteral tells the size of the literal that a line ends in.
func withLiteral(line string) string {
	n := literalSize([]byte(line))
	if n < 0 {
		return line
	}
	return fmt.Sprintf("%s{%d bytes}", line[:strings.LastIndexByte(line, '{')], n)
}

var (
	quoted = regexp.MustCompile(`"(?:[^"\\]|\\.)*(?:"|$)`)
	// An item is a string, the section of a body, a parenthesis, space, or a word.
	item = regexp.MustCompile(`"(?:[^"\\]|\\.)*(?:"|$)|(?i:BODY|BINARY(?:\.SIZE)?)\[[A-Za-z0-9.() -]*\](?:<[0-9]+>)?|[()]|\s+|[^\s()"]+`)
	// Of the words those are shown that are names of items, flags or numbers.
	harmless = regexp.MustCompile(`^(?i:[()]|\s+|[0-9]+|NIL|UID|FLAGS|INTERNALDATE|RFC822(?:\.(?:SIZE|HEADER|TEXT))?|ENVELOPE|BODYSTRUCTURE|(?:BODY|BINARY(?:\.SIZE)?)(?:\[[A-Z0-9.() -]*\](?:<[0-9]+>)?)?|MODSEQ|EMAILID|THREADID|X-GM-(?:MSGID|THRID|LABELS)|[\\$][A-Z]+)$`)
	gaps     = regexp.MustCompile(`…(?:\s*…)+`)
)

// shownItems returns what is told of mails without what is in them.
func shownItems(line string) string {
	literal := ""
	if n := literalSize([]byte(line)); n >= 0 {
		literal = fmt.Sprintf("{%d bytes}", n)
		line = line[:strings.LastIndexByte(line, '{')]
	}
	line = item.ReplaceAllStringFunc(line, func(s string) string {
		switch {
		case harmless.MatchString(s):
			return s
		case s[0] == '"':
			return `"…"`
		}
		return "…"
	})
	return gaps.ReplaceAllString(line, "…") + literal
}
