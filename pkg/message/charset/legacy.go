package charset

import (
	"bytes"
	"strings"
	"unicode/utf16"

	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
)

// decodeShifted reads ISO-2022-KR (RFC 1557) and the GB 2312 plane of
// ISO-2022-CN (RFC 1922): between SO and SI the octets are those of EUC-KR or
// EUC-CN without their high bit. Announcements (ESC $ …) are dropped.
func decodeShifted(b []byte, korea bool) string {
	const so, si, esc = 0x0E, 0x0F, 0x1B
	out := make([]byte, 0, len(b))
	shifted := false
	for i := 0; i < len(b); i++ {
		switch c := b[i]; {
		case c == so:
			shifted = true
		case c == si:
			shifted = false
		case c == esc && i+3 < len(b) && b[i+1] == '$':
			i += 3
		case shifted && c > ' ' && c < 0x7F:
			out = append(out, c|0x80)
		default:
			// A line end always returns to ASCII (RFC 1922, section 2).
			shifted = shifted && c != '\n'
			out = append(out, c)
		}
	}
	dec := simplifiedchinese.GBK.NewDecoder()
	if korea {
		dec = korean.EUCKR.NewDecoder()
	}
	text, err := dec.Bytes(out)
	if err != nil {
		return string(out)
	}
	return string(text)
}

// decodeUTF7 reads UTF-7 (RFC 2152). What is no valid sequence stays as it is.
func decodeUTF7(b []byte) string {
	var out strings.Builder
	out.Grow(len(b))
	for len(b) > 0 {
		plus := bytes.IndexByte(b, '+')
		if plus < 0 {
			break
		}
		out.Write(b[:plus])
		b = b[plus+1:]
		n := 0
		for n < len(b) && sextet(b[n]) >= 0 {
			n++
		}
		switch {
		case n == 0 && len(b) > 0 && b[0] == '-':
			out.WriteByte('+')
		case n == 0:
			out.WriteByte('+')
			continue
		default:
			out.WriteString(decodeSextets(b[:n]))
		}
		b = b[n:]
		if len(b) > 0 && b[0] == '-' {
			b = b[1:]
		}
	}
	out.Write(b)
	return out.String()
}

// decodeSextets decodes base64 of UTF-16 in big endian order.
func decodeSextets(b []byte) string {
	units := make([]uint16, 0, len(b)*6/16)
	var acc uint32
	bits := 0
	for _, c := range b {
		acc = acc<<6 | uint32(sextet(c))
		bits += 6
		if bits >= 16 {
			bits -= 16
			units = append(units, uint16(acc>>bits))
		}
	}
	return string(utf16.Decode(units))
}

func sextet(c byte) int {
	switch {
	case c >= 'A' && c <= 'Z':
		return int(c - 'A')
	case c >= 'a' && c <= 'z':
		return int(c-'a') + 26
	case c >= '0' && c <= '9':
		return int(c-'0') + 52
	case c == '+':
		return 62
	case c == '/':
		return 63
	}
	return -1
}
