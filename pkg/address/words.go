package address

import (
	"strings"
)

// DecodeWords replaces the encoded words of RFC 2047 in s by what they stand
// for, in UTF-8. It serves display names and unstructured fields alike, never
// fails, and takes the usual deviations: words with blanks in them, words glued
// to other text, characters split over two words, missing base64 padding,
// unknown or wrong charsets.
func DecodeWords(s string) string {
	if !strings.Contains(s, "=?") {
		return strings.ToValidUTF8(s, "\uFFFD")
	}
	var out strings.Builder
	var charset string // of the bytes that wait
	var waiting []byte
	flush := func() {
		out.WriteString(decodeCharset(charset, waiting))
		waiting = waiting[:0]
	}
	plain := 0 // where the text behind the last encoded word begins
	for i := 0; i < len(s); {
		next := strings.Index(s[i:], "=?")
		if next < 0 {
			break
		}
		i += next
		w, ok := encodedWord(s[i:])
		if !ok {
			if w.length < 0 {
				break
			}
			i += 2
			continue
		}
		between := s[plain:i]
		if plain == 0 || strings.Trim(between, " \t\r\n") != "" || !strings.EqualFold(w.charset, charset) {
			flush()
		}
		if plain == 0 || strings.Trim(between, " \t\r\n") != "" { // blanks between encoded words are no text
			out.WriteString(between)
		}
		charset = w.charset
		waiting = w.decode(waiting)
		i += w.length
		plain = i
	}
	flush()
	out.WriteString(s[plain:])
	return strings.ToValidUTF8(out.String(), "\uFFFD")
}

type word struct {
	charset, text string
	base64        bool
	length        int // in s; -1 if no encoded word can follow, because none ends
}

// maxCharset bounds the search for the end of a charset's name.
const maxCharset = 64

// encodedWord reads the encoded word that begins at s.
func encodedWord(s string) (word, bool) {
	charset, rest, ok := strings.Cut(s[2:min(len(s), maxCharset+2)], "?")
	if !ok || charset == "" || strings.ContainsAny(charset, " \t") {
		return word{}, false
	}
	head := 2 + len(charset) + 1
	if len(s) < head+2 || s[head+1] != '?' {
		return word{}, false
	}
	charset, _, _ = strings.Cut(charset, "*") // RFC 2231, section 5: the language
	w := word{charset: charset}
	switch s[head] {
	case 'B', 'b':
		w.base64 = true
	case 'Q', 'q':
	default:
		return word{}, false
	}
	rest = s[head+2:]
	stop := strings.Index(rest, "?=")
	if stop < 0 {
		return word{length: -1}, false
	}
	w.text = rest[:stop]
	w.length = head + 2 + stop + 2
	return w, true
}

func (w word) decode(dst []byte) []byte {
	if w.base64 {
		return decodeB(dst, w.text)
	}
	return decodeQ(dst, w.text)
}

// decodeQ leaves as it is what is not a hexadecimal pair.
func decodeQ(dst []byte, s string) []byte {
	for i := 0; i < len(s); i++ {
		switch c := s[i]; c {
		case '_':
			dst = append(dst, ' ')
		case '=':
			if i+2 < len(s) {
				if hi, lo := unhex(s[i+1]), unhex(s[i+2]); hi >= 0 && lo >= 0 {
					dst = append(dst, byte(hi<<4|lo))
					i += 2
					continue
				}
			}
			dst = append(dst, c)
		default:
			dst = append(dst, c)
		}
	}
	return dst
}

func unhex(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'A' <= c && c <= 'F':
		return int(c-'A') + 10
	case 'a' <= c && c <= 'f':
		return int(c-'a') + 10
	}
	return -1
}

// decodeB passes over what is not base64 and starts anew behind padding.
func decodeB(dst []byte, s string) []byte {
	var bits, n uint
	for i := range len(s) {
		c := s[i]
		v := strings.IndexByte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", c)
		if v < 0 {
			if c == '=' {
				bits, n = 0, 0
			}
			continue
		}
		bits, n = bits<<6|uint(v), n+6
		if n >= 8 {
			n -= 8
			dst = append(dst, byte(bits>>n))
			bits &= 1<<n - 1
		}
	}
	return dst
}
