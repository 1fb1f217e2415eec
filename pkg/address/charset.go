package address

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/simplifiedchinese"
)

// decodeCharset returns b as UTF-8. Charsets are read as the supersets that
// mailers mean by them (WHATWG Encoding, section 4.2: ISO-8859-1 is
// windows-1252, KS C 5601 is windows-949), GB 2312 and GBK as GB 18030. What
// names no charset is UTF-8 if it can be, else windows-1252.
func decodeCharset(charset string, b []byte) string {
	if len(b) == 0 {
		return ""
	}
	switch name := strings.ToLower(strings.TrimSpace(charset)); name {
	case "utf-8", "utf8", "us-ascii", "ascii":
		return guess(b)
	case "gb2312", "gbk", "gb_2312-80", "cp936", "x-gbk":
		return decodeWith(simplifiedchinese.GB18030, b)
	case "hz-gb-2312":
		return decodeWith(simplifiedchinese.HZGB2312, b)
	default:
		e, err := htmlindex.Get(name)
		if err != nil || e == encoding.Replacement {
			return guess(b)
		}
		return decodeWith(e, b)
	}
}

func decodeWith(e encoding.Encoding, b []byte) string {
	out, err := e.NewDecoder().Bytes(b)
	if err != nil {
		return guess(b)
	}
	return strings.ToValidUTF8(string(out), "\uFFFD")
}

// guess takes bytes as UTF-8, damaged in places, if any character beyond ASCII
// is whole, else as windows-1252.
func guess(b []byte) string {
	if utf8.Valid(b) || hasWholeCharacter(b) {
		return strings.ToValidUTF8(string(b), "\uFFFD")
	}
	out, err := charmap.Windows1252.NewDecoder().Bytes(b)
	if err != nil {
		return strings.ToValidUTF8(string(b), "\uFFFD")
	}
	return string(out)
}

func hasWholeCharacter(b []byte) bool {
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		if n > 1 && r != utf8.RuneError {
			return true
		}
		b = b[n:]
	}
	return false
}
