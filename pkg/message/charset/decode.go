package charset

import (
	"bytes"
	"io"
	"strings"
	"unicode/utf8"

	mailcharset "github.com/emersion/go-message/charset"
	"golang.org/x/text/encoding/charmap"
)

// A Result says how far a charset could be trusted.
type Result int

const (
	// Exact: the text is in the charset that it claims.
	Exact Result = iota
	// Unknown: the charset has no name or none that is known; UTF-8 or, if it
	// is not that, windows-1252 was assumed.
	Unknown
	// Wrong: the text is not in the charset that it claims. It was taken as
	// UTF-8 or windows-1252, or has U+FFFD for what could not be read.
	Wrong
)

// Decode returns b, which claims to be in the named charset, as valid UTF-8.
// The name may be in any case and quoted. An empty name with ASCII is Exact.
func Decode(b []byte, name string) (string, Result) {
	name = normal(name)
	multi, valid := countUTF8(b)
	ascii := valid && multi == 0
	set := lookup(name)
	switch {
	case set.decode != nil:
		if valid && multi > 0 && set.sevenBit {
			return string(b), Wrong
		}
		return checked(set.decode(b))
	case set.utf8:
		switch {
		case ascii, valid && !set.ascii:
			return string(b), Exact
		case valid:
			return string(b), Wrong
		default:
			return guess(b), Wrong
		}
	case set.encoding != nil:
		if ascii && !set.sevenBit {
			return string(b), Exact
		}
		if valid && multi >= set.trust {
			return string(b), Wrong
		}
		text, err := set.encoding.NewDecoder().Bytes(b)
		if err != nil {
			return guess(b), Wrong
		}
		return checked(string(text))
	case name == "":
		if ascii {
			return string(b), Exact
		}
		return guess(b), Unknown
	}
	r, err := mailcharset.Reader(name, bytes.NewReader(b))
	if err != nil {
		return guess(b), Unknown
	}
	wide := strings.HasPrefix(name, "utf-16") || strings.HasPrefix(name, "utf-32")
	if valid && (multi >= trustOther || wide && bytes.IndexByte(b, 0) < 0) {
		return string(b), Wrong
	}
	text, err := io.ReadAll(r)
	if err != nil {
		return guess(b), Wrong
	}
	return checked(string(text))
}

func checked(text string) (string, Result) {
	if !utf8.ValidString(text) {
		return strings.ToValidUTF8(text, "\uFFFD"), Wrong
	}
	if strings.Contains(text, "\uFFFD") {
		return text, Wrong
	}
	return text, Exact
}

// guess takes bytes as UTF-8 if they mostly are, else as windows-1252, in which
// every byte means something.
func guess(b []byte) string {
	good, bad := 0, 0
	for rest := b; len(rest) > 0; {
		r, n := utf8.DecodeRune(rest)
		switch {
		case r == utf8.RuneError && n == 1:
			bad++
		case n > 1:
			good++
		}
		rest = rest[n:]
	}
	if good > bad || bad == 0 {
		return strings.ToValidUTF8(string(b), "\uFFFD")
	}
	text, err := charmap.Windows1252.NewDecoder().Bytes(b)
	if err != nil {
		return strings.ToValidUTF8(string(b), "\uFFFD")
	}
	return string(text)
}

// countUTF8 returns the number of octets beyond the first of their characters,
// and whether b is valid UTF-8 at all.
func countUTF8(b []byte) (multi int, valid bool) {
	if !utf8.Valid(b) {
		return 0, false
	}
	return len(b) - utf8.RuneCount(b), true
}
