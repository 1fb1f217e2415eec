package imapconn

import (
	"bytes"
	"fmt"
	"strconv"
	"sync"

	"github.com/mailyard/mailyard/pkg/mailhost"
)

// maxSmallLiteral bounds every literal that is not part of a mail, bytes.
const maxSmallLiteral = 64 << 10

// A filter looks at every line that the server sends before go-imap does. It
// drops what was not asked for and mends what go-imap would end the connection
// for: servers in use send all of it. What go-imap would lose (the text of a
// BYE, all but the last COPYUID), it keeps.
type filter struct {
	maxLiteral int64
	seen       seen

	inside bool // a literal came, the response goes on
	skip   bool // the response is dropped
	fetch  fetchState
	body   bool // the literal just announced is a whole mail
	out    []byte
}

// seen is what the rest of the package learns from, and tells, the filter.
type seen struct {
	mu          sync.Mutex
	bye         string    // text of the last BYE
	uidvalidity uint32    // last told
	copied      []copyUID // since the last mutation began
	expunged    int       // since the last mutation began
	only        uint32    // the one UID that is being fetched, for servers that send it after the body
	goAhead     bool      // a "+" is expected
	readOnly    bool      // the selected folder is
	answer      string    // the last tagged answer, cleaned
}

// expectGoAhead says whether the server is to ask to go on.
func (s *seen) expectGoAhead(is bool) {
	s.mu.Lock()
	s.goAhead = is
	s.mu.Unlock()
}

// expect names the one UID that is being fetched; 0: more than one.
func (s *seen) expect(uid uint32) {
	s.mu.Lock()
	s.only = uid
	s.mu.Unlock()
}

// line takes one line with its line end. It returns what go-imap is to see, nil
// for nothing, and the size of the literal that follows, -1 for none. The slice
// is good until the next call.
func (f *filter) line(line []byte) (out []byte, literal int64, err error) {
	text := bytes.TrimSuffix(bytes.TrimSuffix(line, []byte("\n")), []byte("\r"))
	f.body = false
	switch {
	case f.inside && f.fetch.open && !f.skip:
		out, literal, err = f.fetchItems(text)
	case f.inside:
		out = line
		literal, err = smallLiteral(text)
	default:
		f.skip = false
		f.fetch = fetchState{}
		out, literal, err = f.response(line, text)
		f.skip = out == nil
	}
	f.inside = literal >= 0
	if f.skip {
		out = nil
	}
	return out, literal, err
}

// response takes the first line of a response (RFC 9051, section 7).
func (f *filter) response(line, text []byte) (out []byte, literal int64, err error) {
	literal = -1
	first, rest, _ := bytes.Cut(text, []byte(" "))
	word, tail, _ := bytes.Cut(rest, []byte(" "))
	switch {
	case len(text) == 0:
		return nil, -1, nil
	case string(first) == "+":
		f.seen.mu.Lock()
		defer f.seen.mu.Unlock()
		if !f.seen.goAhead {
			return nil, -1, nil
		}
		f.seen.goAhead = false
		return []byte("+ idling\r\n"), -1, nil
	case string(first) != "*":
		return f.status(first, word, tail), -1, nil
	case len(word) > 0 && word[0] == '[': // "* [COPYUID …]" without the OK
		return f.status(first, []byte("OK"), rest), -1, nil
	}
	switch string(bytes.ToUpper(word)) {
	case "OK", "NO", "BAD", "PREAUTH", "BYE":
		return f.status(first, word, tail), -1, nil
	case "SEARCH", "ESEARCH":
		return line, -1, nil
	case "LIST":
		// An empty delimiter means what NIL means.
		line = bytes.Replace(line, []byte(`) "" `), []byte(") NIL "), 1)
		if !listable(text) {
			line = nil
		}
		literal, err = smallLiteral(text)
		return line, literal, err
	case "STATUS":
		literal, err = smallLiteral(text)
		return line, literal, err
	}
	if _, err := strconv.ParseUint(string(word), 10, 32); err == nil {
		kind, items, _ := bytes.Cut(tail, []byte(" "))
		switch string(bytes.ToUpper(kind)) {
		case "FETCH":
			f.fetch.open = true
			f.fetch.seq = append(f.fetch.seq[:0], word...)
			return f.fetchItems(items)
		case "EXPUNGE":
			f.seen.mu.Lock()
			f.seen.expunged++
			f.seen.mu.Unlock()
			return line, -1, nil
		case "EXISTS":
			return line, -1, nil
		}
	}
	literal, err = smallLiteral(text)
	return nil, literal, err // nothing that we asked for
}

// status takes a status response: word is OK, NO, BAD, PREAUTH or BYE. Only the
// codes that go-imap must see reach it, in the form that it knows.
func (f *filter) status(tag, word, tail []byte) []byte {
	code, args, text := splitCode(tail)
	f.seen.mu.Lock()
	switch code {
	case "UIDVALIDITY", "UIDNEXT":
		n, err := strconv.ParseUint(args, 10, 32)
		if err != nil {
			code = ""
			break
		}
		if code == "UIDVALIDITY" {
			f.seen.uidvalidity = uint32(n)
		}
		code += " " + strconv.FormatUint(n, 10)
	case "COPYUID":
		code = ""
		if c, ok := parseCopyUID(args); ok {
			f.seen.copied = append(f.seen.copied, c)
		}
	case "READ-ONLY", "READ-WRITE":
		f.seen.readOnly = code == "READ-ONLY"
	case "CAPABILITY", "PERMANENTFLAGS", "HIGHESTMODSEQ", "APPENDUID":
		code = ""
	}
	if string(tag) != "*" {
		f.seen.answer = mailhost.CleanText(string(word) + " " + string(tail[:min(len(tail), 1000)]))
	}
	if bytes.EqualFold(word, []byte("BYE")) {
		f.seen.bye = mailhost.CleanText(string(tail))
	}
	f.seen.mu.Unlock()
	b := append(f.out[:0], tag...)
	b = append(b, ' ')
	b = append(b, bytes.ToUpper(word)...)
	if code != "" {
		b = append(b, ' ', '[')
		b = append(b, code...)
		b = append(b, ']')
	}
	b = append(b, ' ')
	if len(text) == 0 || text[0] == '[' {
		b = append(b, '-', ' ')
	}
	for _, c := range text {
		if c == '\r' || c == 0 {
			c = ' '
		}
		b = append(b, c)
	}
	f.out = append(b, '\r', '\n')
	return f.out
}

// splitCode takes the response code off a status text. The code is in upper
// case; one that is not well formed stays in the text.
func splitCode(tail []byte) (code, args string, text []byte) {
	tail = bytes.TrimLeft(tail, " ")
	if len(tail) == 0 || tail[0] != '[' {
		return "", "", tail
	}
	end := bytes.IndexByte(tail, ']')
	if end < 0 {
		return "", "", bytes.TrimLeft(tail, "[ ")
	}
	name, rest, _ := bytes.Cut(tail[1:end], []byte(" "))
	for _, c := range name {
		if !('A' <= c && c <= 'Z' || 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '-' || c == '.' || c == '_') {
			return "", "", bytes.TrimLeft(tail, "[ ")
		}
	}
	return string(bytes.ToUpper(name)), string(bytes.TrimSpace(rest)), bytes.TrimLeft(tail[end+1:], " ")
}

// lineLimit returns how long, in bytes, the line may become that begins with start.
func (f *filter) lineLimit(start []byte) int {
	if f.inside || len(start) < 10 {
		return maxLine
	}
	head := bytes.ToUpper(start[:10])
	if bytes.HasPrefix(head, []byte("* SEARCH")) || bytes.HasPrefix(head, []byte("* ESEARCH")) {
		return maxListing
	}
	return maxLine
}

// literalSize returns n of the "{n}" that a line ends in, -1 for none.
func literalSize(text []byte) int64 {
	if len(text) == 0 || text[len(text)-1] != '}' {
		return -1
	}
	i := bytes.LastIndexByte(text, '{')
	if i < 0 {
		return -1
	}
	n, err := strconv.ParseUint(string(bytes.TrimSuffix(text[i+1:len(text)-1], []byte("+"))), 10, 63)
	if err != nil {
		return -1
	}
	return int64(n)
}

func smallLiteral(text []byte) (int64, error) {
	n := literalSize(text)
	if n > maxSmallLiteral {
		return n, fmt.Errorf("server sent a string of %d bytes where a short one belongs", n)
	}
	return n, nil
}
