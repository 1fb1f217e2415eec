package charset

import (
	"encoding/base64"
	"strings"
)

// Words returns s with its encoded words (RFC 2047) decoded, and whether all of
// them were well-formed. It takes them wherever they stand (in quoted strings,
// glued to text, with spaces inside), joins the octets of neighbours before it
// decodes them, because many senders split a character between two, and leaves
// what it cannot read as it is. Control characters in decoded text become
// spaces, so that a word cannot smuggle a line break in.
func Words(s string) (string, bool) {
	if !strings.Contains(s, "=?") {
		return s, true
	}
	var (
		out     strings.Builder
		pending []byte // octets of the words since the last flush, all of one charset
		name    string
		joined  bool // the last thing read was a word
		clean   = true
	)
	flush := func() {
		if len(pending) > 0 {
			text, result := Decode(pending, name)
			clean = clean && result == Exact
			out.WriteString(strings.Map(printable, text))
			pending = pending[:0]
		}
	}
	for {
		i := strings.Index(s, "=?")
		if i < 0 {
			break
		}
		w, n := cutWord(s[i:])
		if n == 0 { // no encoded word after all
			flush()
			joined = false
			out.WriteString(s[:i+2])
			s = s[i+2:]
			continue
		}
		if !joined || strings.Trim(s[:i], " \t") != "" {
			flush()
			out.WriteString(s[:i])
		} else if !strings.EqualFold(w.charset, name) {
			flush()
		}
		clean = clean && w.terminated
		pending, name, joined = w.appendOctets(pending), w.charset, true
		s = s[i+n:]
	}
	flush()
	out.WriteString(s)
	return out.String(), clean
}

type word struct {
	charset    string
	base64     bool
	text       string
	terminated bool
}

// cutWord reads the encoded word that s begins with, and returns how long it is,
// 0 if it is none. A word whose end is missing ends before the next one.
func cutWord(s string) (word, int) {
	w, head := cutHead(s)
	if head == 0 {
		return word{}, 0
	}
	for i := head; i+1 < len(s); i++ {
		if s[i] == '?' && s[i+1] == '=' {
			w.text, w.terminated = s[head:i], true
			return w, i + 2
		}
		if s[i] == '=' && s[i+1] == '?' {
			if _, n := cutHead(s[i:]); n > 0 {
				w.text = s[head:i]
				return w, i
			}
		}
	}
	w.text = s[head:]
	return w, len(s)
}

// cutHead reads "=?charset*language?encoding?" and returns its length.
func cutHead(s string) (word, int) {
	const longest = 64 // bounds the work for text that is full of "=?"
	limit := min(len(s), longest)
	i := strings.IndexByte(s[2:limit], '?')
	if i <= 0 || 2+i+2 >= len(s) || s[2+i+2] != '?' {
		return word{}, 0
	}
	name, _, _ := strings.Cut(s[2:2+i], "*") // RFC 2231, section 5
	switch s[2+i+1] {
	case 'b', 'B':
		return word{charset: name, base64: true}, i + 5
	case 'q', 'Q':
		return word{charset: name}, i + 5
	}
	return word{}, 0
}

func (w word) appendOctets(dst []byte) []byte {
	if w.base64 {
		digits := make([]byte, 0, len(w.text))
		for i := range len(w.text) {
			if sextet(w.text[i]) >= 0 {
				digits = append(digits, w.text[i])
			}
		}
		if len(digits)%4 == 1 {
			digits = digits[:len(digits)-1]
		}
		out, err := base64.RawStdEncoding.AppendDecode(dst, digits)
		if err != nil {
			return dst
		}
		return out
	}
	for i := 0; i < len(w.text); i++ {
		switch c := w.text[i]; {
		case c == '_':
			dst = append(dst, ' ')
		case c == '=' && i+2 < len(w.text) && hexDigit(w.text[i+1]) >= 0 && hexDigit(w.text[i+2]) >= 0:
			dst = append(dst, byte(hexDigit(w.text[i+1])<<4|hexDigit(w.text[i+2])))
			i += 2
		default:
			dst = append(dst, c)
		}
	}
	return dst
}

func hexDigit(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

func printable(r rune) rune {
	if r < ' ' || r == 0x7F {
		return ' '
	}
	return r
}
