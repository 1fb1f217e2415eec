package mailhost

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

const maxServerText = 300 // runes

// CleanText makes a server's text fit for an error or a log line: one line,
// without control characters, cut.
func CleanText(s string) string {
	var b strings.Builder
	space, n := false, 0
	for _, r := range s {
		if r == utf8.RuneError || unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || unicode.IsSpace(r) {
			space = b.Len() > 0
			continue
		}
		if n >= maxServerText {
			b.WriteString("…")
			break
		}
		if space {
			b.WriteByte(' ')
			space = false
			n++
		}
		b.WriteRune(r)
		n++
	}
	return b.String()
}
