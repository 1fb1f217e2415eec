package imapconn

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mailyard/mailyard/pkg/mailhost"
)

// maxDialogue bounds one response before the mailbox is open, bytes.
const maxDialogue = 64 << 10

// A dialogue is the beginning of a connection, up to the namespace, spoken by
// hand: go-imap would send the next command over a connection that an attacker
// has put words into, and ends the connection for odd answers to ID.
type dialogue struct {
	conn    net.Conn
	br      *bufio.Reader
	timeout time.Duration // for one answer
	tag     int
	caps    []string // upper case; nil: not known
	bye     string
	secrets mailhost.Secrets
	tracer  *tracer
}

func newDialogue(conn net.Conn, timeout time.Duration) *dialogue {
	return &dialogue{conn: conn, br: bufio.NewReader(conn), timeout: timeout}
}

// An answer is a tagged response with the untagged ones before it.
type answer struct {
	status, code, text string
	untagged           []string // without "* "
}

func (a answer) ok() bool { return a.status == "OK" }

// err returns a refusal as an error, cleaned.
func (a answer) err() error { return &refusal{a.status, a.code, mailhost.CleanText(a.text)} }

// shown returns the answer as it may be shown.
func (d *dialogue) shown(a answer) string {
	text := a.status + " " + a.text
	if a.code != "" && !strings.HasPrefix(a.code, "CAPABILITY") { // they are told elsewhere
		text = a.status + " [" + a.code + "] " + a.text
	}
	return mailhost.CleanText(d.secrets.Redact(text))
}

// A refusal is a NO, BAD or BYE.
type refusal struct{ status, code, text string }

func (r *refusal) Error() string {
	s := "server said " + r.status
	if r.code != "" {
		s += " [" + r.code + "]"
	}
	return s + " " + r.text
}

// greeting reads the server's first line.
func (d *dialogue) greeting() (answer, error) {
	line, err := d.response()
	if err != nil {
		return answer{}, err
	}
	rest, ok := strings.CutPrefix(line, "* ")
	if !ok {
		return answer{}, &notIMAPError{mailhost.CleanText(line)}
	}
	a := parseStatus(rest)
	switch a.status {
	case "OK", "PREAUTH":
		d.learn(a)
		return a, nil
	case "BYE":
		return a, a.err()
	}
	return answer{}, &notIMAPError{mailhost.CleanText(line)}
}

type notIMAPError struct{ line string }

func (e *notIMAPError) Error() string { return fmt.Sprintf("server greets with %q", e.line) }

// command sends a command and reads its answer. continuation, when not empty,
// is sent when the server asks to go on.
func (d *dialogue) command(line string, continuation ...string) (answer, error) {
	d.tag++
	tag := "M" + strconv.Itoa(d.tag)
	d.tracer.command(tag + " " + line)
	if err := d.send(tag + " " + line); err != nil {
		return answer{}, err
	}
	var untagged []string
	for total := 0; ; {
		line, err := d.response()
		if err != nil {
			return answer{}, err
		}
		if total += len(line); total > 4*maxDialogue {
			return answer{}, errors.New("server sends too much before the mailbox is open")
		}
		if rest, ok := strings.CutPrefix(line, "* "); ok {
			if word, tail, _ := strings.Cut(rest, " "); strings.EqualFold(word, "BYE") {
				d.bye = mailhost.CleanText(d.secrets.Redact(tail))
			}
			untagged = append(untagged, rest)
		} else if strings.HasPrefix(line, "+") {
			next := "*" // RFC 9051, section 6.2.2: cancels
			if len(continuation) > 0 {
				next, continuation = continuation[0], continuation[1:]
			}
			d.tracer.continued(next)
			if err := d.send(next); err != nil {
				return answer{}, err
			}
		} else if rest, ok := strings.CutPrefix(line, tag+" "); ok {
			a := parseStatus(rest)
			a.untagged = untagged
			if !slices.Contains([]string{"OK", "NO", "BAD"}, a.status) {
				return answer{}, fmt.Errorf("server answers %q", mailhost.CleanText(d.secrets.Redact(line)))
			}
			if !a.ok() {
				a.code, a.text = d.secrets.Redact(a.code), d.secrets.Redact(a.text)
			}
			d.learn(a)
			return a, nil
		}
	}
}

func (d *dialogue) send(line string) error {
	d.conn.SetDeadline(time.Now().Add(d.timeout))
	_, err := io.WriteString(d.conn, line+"\r\n")
	return err
}

// response reads one response, literals included.
func (d *dialogue) response() (string, error) {
	d.conn.SetDeadline(time.Now().Add(d.timeout))
	var b []byte
	from := 0 // in b, of the line
	for {
		line, err := d.br.ReadSlice('\n')
		b = append(b, line...)
		if len(b) > maxDialogue {
			return "", errors.New("server sent a line without end")
		}
		if err == bufio.ErrBufferFull {
			continue
		}
		if err == io.EOF && len(b) > 0 {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return "", err
		}
		d.tracer.server(b[from:], from > 0, d.phase())
		text := strings.TrimRight(string(b), "\r\n")
		n := literalSize([]byte(text))
		if n < 0 || isStatus(text) {
			return text, nil
		}
		if n > maxDialogue {
			return "", errors.New("server sends too much before the mailbox is open")
		}
		literal := make([]byte, n)
		if _, err := io.ReadFull(d.br, literal); err != nil {
			return "", err
		}
		// What follows the literal continues the same response.
		b = append(b[:strings.LastIndexByte(text, '{')], quote(string(literal))...)
		from = len(b)
	}
}

func isStatus(text string) bool {
	_, rest, _ := strings.Cut(text, " ")
	word, _, _ := strings.Cut(rest, " ")
	return slices.Contains([]string{"OK", "NO", "BAD", "BYE", "PREAUTH"}, strings.ToUpper(word))
}

// parseStatus parses what follows the tag of a status response.
func parseStatus(rest string) answer {
	word, tail, _ := strings.Cut(rest, " ")
	code, args, text := splitCode([]byte(tail))
	if code == "CAPABILITY" {
		code += " " + args
	}
	return answer{status: strings.ToUpper(word), code: code, text: string(text)}
}

// learn takes the capabilities out of an answer, if it tells any.
func (d *dialogue) learn(a answer) {
	for _, line := range append([]string{a.code}, a.untagged...) {
		if a := parseStatus(line); a.status == "OK" {
			line = a.code
		}
		word, list, _ := strings.Cut(line, " ")
		if strings.EqualFold(word, "CAPABILITY") {
			d.caps = slices.DeleteFunc(strings.Fields(strings.ToUpper(list)), func(name string) bool { return !isAtom(name) })
		}
	}
}

// isAtom reports whether s is an atom (RFC 9051, section 9), as the name of a
// capability is: nothing that go-imap, a log or a page would stumble over.
func isAtom(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune(`(){}%*"\[]`, r) })
}

func (d *dialogue) has(capability string) bool { return slices.Contains(d.caps, capability) }

// needCaps asks for the capabilities when they are not known.
func (d *dialogue) needCaps() error {
	if d.caps != nil {
		return nil
	}
	a, err := d.command("CAPABILITY")
	if err == nil && !a.ok() {
		err = a.err()
	}
	if err == nil && len(d.caps) == 0 {
		err = errors.New("server tells no capabilities")
	}
	return err
}

// quote returns s as a quoted string (RFC 9051, section 4.3).
func quote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\r", " ", "\n", " ", "\x00", "").Replace(s) + `"`
}
