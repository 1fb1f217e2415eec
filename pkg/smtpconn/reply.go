package smtpconn

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/mailyard/mailyard/pkg/mailhost"
)

const (
	maxLine  = 2000     // bytes of one line, twice what RFC 5321, section 4.5.3.1.5 allows
	maxReply = 64 << 10 // bytes between two commands of ours
)

var errTooMuch = errors.New("server says too much")

// A reply is a server's answer to a command (RFC 5321, section 4.2).
type reply struct {
	code  int
	lines []string // as sent
}

func (r reply) text() string { return strings.Join(r.lines, " ") }

// refusal returns a reply as an error.
func (r reply) refusal(s mailhost.Secrets) *refusal {
	return &refusal{r.code, mailhost.CleanText(s.Redact(r.text()))}
}

// A refusal is a reply of 400 or more, cleaned, without secrets.
type refusal struct {
	code int
	text string
}

func (r *refusal) Error() string { return fmt.Sprintf("server said %d %s", r.code, r.text) }

// A notSMTPError tells of a server that speaks something else.
type notSMTPError struct{ line string }

func (e *notSMTPError) Error() string { return fmt.Sprintf("server greets with %q", e.line) }

// A dialogue is the beginning of a connection, up to TLS, spoken by hand.
type dialogue struct {
	conn    net.Conn
	br      *bufio.Reader
	timeout time.Duration // for one reply
	trace   *mailhost.Trace
}

func (c *Conn) newDialogue(conn net.Conn) *dialogue {
	return &dialogue{conn, bufio.NewReaderSize(conn, maxLine), c.opts.GreetingTimeout, c.opts.Trace}
}

func (d *dialogue) command(line string) (reply, error) {
	say(d.trace, mailhost.ToServer, line)
	d.conn.SetDeadline(time.Now().Add(d.timeout))
	if _, err := io.WriteString(d.conn, line+"\r\n"); err != nil {
		return reply{}, err
	}
	return d.reply()
}

func (d *dialogue) reply() (reply, error) {
	d.conn.SetDeadline(time.Now().Add(d.timeout))
	var r reply
	for total := 0; ; {
		line, err := d.br.ReadSlice('\n')
		if total += len(line); errors.Is(err, bufio.ErrBufferFull) || total > maxReply {
			return r, errTooMuch
		}
		if err == io.EOF && total > 0 {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return r, err
		}
		text := strings.TrimRight(string(line), "\r\n")
		say(d.trace, mailhost.FromServer, text)
		code, rest, last, ok := parseLine(text)
		if !ok || r.code != 0 && code != r.code {
			return r, &notSMTPError{mailhost.CleanText(text)}
		}
		r.code = code
		r.lines = append(r.lines, rest)
		if last {
			return r, nil
		}
	}
}

// parseLine reads one line of a reply.
func parseLine(line string) (code int, text string, last, ok bool) {
	if len(line) < 3 {
		return 0, "", false, false
	}
	code, err := strconv.Atoi(line[:3])
	if err != nil || code < 200 || code > 599 {
		return 0, "", false, false
	}
	switch {
	case len(line) == 3:
		return code, "", true, true
	case line[3] == ' ':
		return code, line[4:], true, true
	case line[3] == '-':
		return code, line[4:], false, true
	}
	return 0, "", false, false
}

// offers reports whether a reply to EHLO lists an extension.
func (r reply) offers(extension string) bool {
	for _, line := range r.lines[min(1, len(r.lines)):] {
		word, _, _ := strings.Cut(line, " ")
		if strings.EqualFold(word, extension) {
			return true
		}
	}
	return false
}
