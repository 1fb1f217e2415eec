package message

import (
	"bytes"
	"encoding/base64"
	"strings"
)

// decodeTransfer undoes a Content-Transfer-Encoding (RFC 2045, section 6). What
// is broken is decoded as far as it goes. The result shares memory with b when
// nothing was encoded.
func decodeTransfer(b []byte, encoding, part string, d *defects) []byte {
	switch name := transferName(encoding); name {
	case "", "7bit", "8bit", "binary":
		return b
	case "base64":
		out, ok := decodeBase64(b)
		if !ok {
			d.add(DefectBase64, part, "broken base64")
		}
		return out
	case "quoted-printable":
		out, ok := decodeQuotedPrintable(b)
		if !ok {
			d.add(DefectQuotedPrintable, part, "broken quoted-printable")
		}
		return out
	default:
		d.add(DefectTransferEncoding, part, name)
		return b
	}
}

func transferName(s string) string {
	s = strings.ToLower(strings.Trim(s, " \t\"';"))
	if i := strings.IndexAny(s, ";("); i >= 0 {
		s = strings.Trim(s[:i], " \t\"'")
	}
	switch s {
	case "7-bit", "7 bit", "8-bit", "8 bit", "none", "identity", "plain":
		return ""
	case "base-64", "base 64", "base_64", "b", "x-base64":
		return "base64"
	case "quotedprintable", "quoted printable", "quoted_printable", "qp", "x-quoted-printable":
		return "quoted-printable"
	}
	return s
}

// decodeBase64 decodes with the standard decoder, and only what that refuses by
// hand.
func decodeBase64(b []byte) ([]byte, bool) {
	b = bytes.TrimSpace(b)
	out := make([]byte, base64.StdEncoding.DecodedLen(len(b)))
	if n, err := base64.StdEncoding.Decode(out, b); err == nil {
		return out[:n], true
	}
	return salvageBase64(out[:0], b)
}

// salvageBase64 skips what is not base64, goes on after padding in the middle
// (blocks that were encoded one by one), and stops at text behind it (footers
// of mailing lists). What starts like no base64 at all is returned as it is.
func salvageBase64(out, b []byte) ([]byte, bool) {
	if line := firstLine(b); foreign(line) > len(line)/8 {
		return b, false
	}
	ok := true
	var acc uint32
	digits := 0
	for i := 0; i < len(b); i++ {
		v := base64Values[b[i]]
		switch {
		case v < 64:
			acc = acc<<6 | uint32(v)
			if digits++; digits == 4 {
				out = append(out, byte(acc>>16), byte(acc>>8), byte(acc))
				acc, digits = 0, 0
			}
		case v == padding:
			out, ok = flushBase64(out, acc, digits), ok && digits >= 2
			acc, digits = 0, 0
			for i+1 < len(b) && b[i+1] == '=' {
				i++
			}
			if next := b[i+1:]; lineEnds(next) && foreign(firstLine(next)) > 0 {
				return out, false
			}
		case v == junk:
			ok = false
			if line := b[i:]; i > 0 && b[i-1] == '\n' && foreign(firstLine(line)) > len(firstLine(line))/2 {
				return flushBase64(out, acc, digits), false
			}
		}
	}
	return flushBase64(out, acc, digits), ok && digits == 0
}

func lineEnds(b []byte) bool { return len(b) > 0 && (b[0] == '\r' || b[0] == '\n') }

// firstLine returns the first line that is not empty. Each line is asked for
// once or twice only, which keeps the decoder linear.
func firstLine(b []byte) []byte {
	line, _, _ := bytes.Cut(bytes.TrimLeft(b, "\r\n"), []byte("\n"))
	return bytes.TrimRight(line, "\r")
}

// flushBase64 writes the octets of a group of fewer than four digits.
func flushBase64(out []byte, acc uint32, digits int) []byte {
	switch digits {
	case 2:
		return append(out, byte(acc>>4))
	case 3:
		return append(out, byte(acc>>10), byte(acc>>2))
	}
	return out
}

// foreign counts what does not occur in base64: other characters, and spaces
// within a line.
func foreign(b []byte) int {
	n := 0
	for i, c := range b {
		if base64Values[c] == junk || c == ' ' && i > 0 && i+1 < len(b) && base64Values[b[i-1]] < 64 && base64Values[b[i+1]] < 64 {
			n++
		}
	}
	return n
}

const (
	blank   = 64
	padding = 65
	junk    = 66
)

var base64Values = func() (t [256]byte) {
	for i := range t {
		t[i] = junk
	}
	for i, c := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/") {
		t[c] = byte(i)
	}
	t['='] = padding
	t[' '], t['\t'], t['\r'], t['\n'] = blank, blank, blank, blank
	return t
}()

// decodeQuotedPrintable takes lower-case digits, white space after a soft line
// break, and raw 8-bit octets, and leaves an equals sign that means nothing.
func decodeQuotedPrintable(b []byte) ([]byte, bool) {
	out := make([]byte, 0, len(b))
	ok := true
	for len(b) > 0 {
		end := bytes.IndexByte(b, '\n')
		line, next := b, len(b)
		if end >= 0 {
			line, next = b[:end], end+1
		}
		text := bytes.TrimRight(line, " \t\r")
		ending := b[len(bytes.TrimSuffix(line, []byte("\r"))):next]
		b = b[next:]
		soft := len(text) > 0 && text[len(text)-1] == '='
		if soft {
			text, ending = text[:len(text)-1], nil
		}
		for {
			i := bytes.IndexByte(text, '=')
			if i < 0 {
				break
			}
			out = append(out, text[:i]...)
			text = text[i:]
			if len(text) < 3 || unhex(text[1]) < 0 || unhex(text[2]) < 0 {
				ok = false
				out = append(out, '=')
				text = text[1:]
				continue
			}
			out = append(out, byte(unhex(text[1])<<4|unhex(text[2])))
			text = text[3:]
		}
		out = append(append(out, text...), ending...)
	}
	return out, ok
}

func unhex(c byte) int {
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
