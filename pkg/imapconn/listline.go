package imapconn

import (
	"bytes"
	"encoding/base64"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// listable reports whether go-imap can read the name in a line of a LIST
// response: it ends the connection for one that is not encoded properly. A name
// that follows as a literal is not seen here.
func listable(text []byte) bool {
	_, rest, _ := bytes.Cut(text, []byte(")"))
	s := strings.TrimLeft(string(rest), " ")
	if _, after, ok := cutQuoted(s); ok {
		s = after
	} else {
		_, s, _ = strings.Cut(s, " ")
	}
	s = strings.TrimLeft(s, " ")
	name, _, ok := cutQuoted(s)
	if !ok {
		if strings.HasPrefix(s, "{") {
			return true
		}
		name, _, _ = strings.Cut(s, " ")
	}
	return name != "" && validName(name)
}

// base64Name is the alphabet of modified UTF-7 (RFC 3501, section 5.1.3).
func base64Name() *base64.Encoding {
	return base64.NewEncoding("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,").WithPadding(base64.NoPadding)
}

// validName reports whether a folder's name is modified UTF-7, with UTF-8 let
// through.
func validName(name string) bool {
	if !utf8.ValidString(name) || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return false
	}
	shifted := false // a shift sequence ended right here
	for name != "" {
		if name[0] != '&' {
			name, shifted = name[1:], false
			continue
		}
		code, rest, ok := strings.Cut(name[1:], "-")
		if !ok || code != "" && (shifted || !validShift(code)) {
			return false
		}
		name, shifted = rest, code != ""
	}
	return true
}

// validShift reports whether code is UTF-16 of characters that need it.
func validShift(code string) bool {
	b, err := base64Name().DecodeString(code)
	if err != nil || len(b) == 0 || len(b)%2 != 0 || strings.ContainsAny(code, "\r\n") {
		return false
	}
	for i := 0; i < len(b); i += 2 {
		r := rune(b[i])<<8 | rune(b[i+1])
		if utf16.IsSurrogate(r) {
			if i += 2; i == len(b) || utf16.DecodeRune(r, rune(b[i])<<8|rune(b[i+1])) == utf8.RuneError {
				return false
			}
		} else if ' ' <= r && r <= '~' {
			return false
		}
	}
	return true
}
