package imapconn

import (
	"bytes"
	"fmt"
	"strconv"
	"time"
)

// fetchState is what is known of a FETCH response that is under way.
type fetchState struct {
	open  bool
	seq   []byte
	uid   uint32 // 0: not yet said
	begun bool   // a part of it was handed over
}

// fetchItems rewrites one line of a FETCH response (RFC 9051, section 7.5.2) so
// that only what this package asks for is left, in a form that go-imap takes:
// UID, RFC822.SIZE, INTERNALDATE and BODY[…]. Flags, which servers push unasked
// and in many wrong forms, go: go-imap would take a response with the flags of a
// mail for the one with its body.
func (f *filter) fetchItems(text []byte) (out []byte, literal int64, err error) {
	literal = literalSize(text)
	var items fetchItems
	items.read(text, !f.fetch.begun)
	if items.uid != 0 {
		f.fetch.uid = items.uid
	}
	if literal >= 0 && f.fetch.uid == 0 {
		f.seen.mu.Lock()
		f.fetch.uid, items.uid = f.seen.only, f.seen.only
		f.seen.mu.Unlock()
	}
	f.body = bytes.HasPrefix(items.section, []byte("BODY[]"))
	switch {
	case literal < 0:
	case items.section == nil:
		if !f.fetch.begun {
			literal, err = smallLiteral(text)
			return nil, literal, err
		}
		f.skip = true
		return nil, literal, nil
	case literal > f.maxLiteral:
		return nil, literal, &TooLargeError{UID: f.fetch.uid, Size: literal, Limit: f.maxLiteral}
	}
	if !f.fetch.begun && !items.useful() {
		return nil, -1, nil
	}
	b := f.out[:0]
	if !f.fetch.begun {
		b = append(b, "* "...)
		b = append(b, f.fetch.seq...)
		b = append(b, " FETCH ("...)
	}
	b = items.append(b, f.fetch.begun)
	if literal < 0 {
		b = append(b, ')')
	}
	f.fetch.begun = true
	f.out = append(b, '\r', '\n')
	return f.out, literal, nil
}

// fetchItems are the items of one line that are kept.
type fetchItems struct {
	uid     uint32
	size    int64 // -1: not in the line
	date    string
	section []byte // "BODY[…]<…>"
	value   []byte // of the section: a quoted string or the announcement of a literal
}

// useful reports whether the line tells more than a UID.
func (it *fetchItems) useful() bool { return it.section != nil || it.size >= 0 || it.date != "" }

func (it *fetchItems) read(text []byte, first bool) {
	it.size = -1
	text = bytes.TrimLeft(text, " ")
	if first {
		text = bytes.TrimPrefix(text, []byte("("))
	}
	for {
		text = bytes.TrimLeft(text, " ")
		if len(text) == 0 || text[0] == ')' {
			return
		}
		var name, value []byte
		name, value, text = cutItem(text)
		it.keep(bytes.ToUpper(name), value)
	}
}

func (it *fetchItems) keep(name, value []byte) {
	switch {
	case string(name) == "UID":
		if n, err := strconv.ParseUint(string(value), 10, 32); err == nil {
			it.uid = uint32(n)
		}
	case string(name) == "RFC822.SIZE":
		n, err := strconv.ParseInt(string(value), 10, 64)
		if err != nil || n < 0 {
			n = 0 // Zoho says -1: unknown
		}
		it.size = n
	case string(name) == "INTERNALDATE":
		it.date = internalDate(string(bytes.Trim(value, `"`)))
	case bytes.HasPrefix(name, []byte("BODY[")):
		if n := literalSize(value); n >= 0 {
			it.section, it.value = name, fmt.Appendf(nil, "{%d}", n)
		} else if len(value) >= 2 && value[0] == '"' && value[len(value)-1] == '"' { // not NIL, not nothing
			it.section, it.value = name, value
		}
	}
}

func (it *fetchItems) append(b []byte, more bool) []byte {
	sep := func() {
		if more {
			b = append(b, ' ')
		}
		more = true
	}
	if it.uid != 0 {
		sep()
		b = strconv.AppendUint(append(b, "UID "...), uint64(it.uid), 10)
	}
	if it.size >= 0 {
		sep()
		b = strconv.AppendInt(append(b, "RFC822.SIZE "...), it.size, 10)
	}
	if it.date != "" {
		sep()
		b = append(append(append(b, `INTERNALDATE "`...), it.date...), '"')
	}
	if it.section != nil {
		sep()
		b = append(append(b, it.section...), ' ')
		b = append(b, it.value...)
	}
	return b
}

// cutItem takes the first item off the items of a FETCH response. It always
// takes at least one byte.
func cutItem(text []byte) (name, value, rest []byte) {
	end := bytes.IndexAny(text, " ()[")
	if end >= 0 && text[end] == '[' {
		if i := bytes.IndexByte(text[end:], ']'); i >= 0 {
			end += i + 1
			if end < len(text) && text[end] == '<' {
				if i := bytes.IndexByte(text[end:], '>'); i >= 0 {
					end += i + 1
				}
			}
		} else {
			end = len(text)
		}
	}
	if end < 0 {
		return text, nil, nil
	}
	if end == 0 {
		return nil, nil, text[1:]
	}
	name = text[:end]
	text = bytes.TrimLeft(text[end:], " ")
	n := valueEnd(text)
	return name, text[:n], text[n:]
}

// valueEnd returns the length of the value at the beginning of text: a quoted
// string, a list, or anything up to a space or a closing parenthesis.
func valueEnd(text []byte) int {
	depth := 0
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '"':
			for i++; i < len(text) && text[i] != '"'; i++ {
				if text[i] == '\\' {
					i++
				}
			}
			if depth == 0 {
				return min(i+1, len(text))
			}
		case c == '(':
			depth++
		case depth == 0 && (c == ' ' || c == ')'):
			return i
		case c == ')':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return len(text)
}

// internalDate returns a date in the form of RFC 9051, or nothing when it cannot
// be understood.
func internalDate(s string) string {
	const layout = "_2-Jan-2006 15:04:05 -0700"
	for _, known := range []string{layout, time.RFC1123Z, "Mon, _2 Jan 2006 15:04:05 -0700", "_2 Jan 2006 15:04:05 -0700", "_2-Jan-2006 15:04:05 MST", "_2-Jan-2006 15:04:05"} {
		if t, err := time.Parse(known, s); err == nil {
			return t.Format(layout)
		}
	}
	return ""
}
