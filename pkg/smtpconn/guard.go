package smtpconn

import (
	"bytes"
	"net"
	"time"

	"github.com/mailyard/mailyard/pkg/mailhost"
)

// A guard stands between go-smtp and the network: it first gives a greeting of
// ours for the one that was read already, bounds what the server may say between
// two writes, and gives writes a deadline where go-smtp has none. It is used by
// one goroutine at a time.
type guard struct {
	net.Conn
	first   []byte // for go-smtp, before anything else
	timeout time.Duration
	said    int64  // bytes since the last write
	tail    []byte // the end of them

	trace   *mailhost.Trace
	secrets mailhost.Secrets
	hidden  string // what is being written instead of what may be traced; empty: commands
	line    []byte // of the server, begun
}

// hide says that what is written from here on is not traced but named, until it
// is called with nothing.
func (g *guard) hide(what string) {
	if g.hidden = what; what != "" {
		say(g.trace, mailhost.ToServer, "("+what+")")
	}
}

// say tells a trace a line, if there is one and it is on.
func say(t *mailhost.Trace, d mailhost.Direction, text string) {
	if t.Active() {
		t.Say(d, text)
	}
}

// heard traces what the server said.
func (g *guard) heard(p []byte) {
	if !g.trace.Active() {
		g.line = nil
		return
	}
	g.line = append(g.line, p...)
	for {
		line, rest, ok := bytes.Cut(g.line, []byte("\n"))
		if !ok {
			break
		}
		say(g.trace, mailhost.FromServer, g.secrets.Redact(string(bytes.TrimRight(line, "\r"))))
		g.line = rest
	}
	if len(g.line) > maxReply {
		g.line = nil
	}
}

func (g *guard) Read(p []byte) (int, error) {
	if len(g.first) > 0 {
		n := copy(p, g.first)
		g.first = g.first[n:]
		return n, nil
	}
	n, err := g.Conn.Read(p)
	if g.said += int64(n); g.said > maxReply {
		return 0, errTooMuch
	}
	g.heard(p[:n])
	g.tail = append(g.tail, p[:n]...)
	g.tail = g.tail[max(0, len(g.tail)-maxLine):]
	return n, err
}

func (g *guard) Write(p []byte) (int, error) {
	g.said, g.tail = 0, nil
	if g.hidden == "" {
		say(g.trace, mailhost.ToServer, string(bytes.TrimRight(p, "\r\n")))
	}
	g.Conn.SetWriteDeadline(time.Now().Add(g.timeout))
	return g.Conn.Write(p)
}

// lastLine returns the last line that the server said since the last write.
func (g *guard) lastLine() string {
	text := bytes.TrimRight(g.tail, "\r\n")
	return string(text[bytes.LastIndexByte(text, '\n')+1:])
}
