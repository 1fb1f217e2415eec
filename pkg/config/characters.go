package config

import (
	"strings"
	"unicode"
)

// isControl reports what ends a line, or steers a terminal or a protocol.
func isControl(r rune) bool { return unicode.IsControl(r) || r == '\u2028' || r == '\u2029' }

// isUnseen reports what makes two texts look alike that differ, or a text look
// like another one: format characters (zero width, soft hyphen, bidirectional
// overrides and isolates, tags), fillers, and what stands for broken text.
// Unicode Standard Annex 39, section 3.1, leaves the same out of identifiers.
func isUnseen(r rune) bool {
	switch r {
	case '\u034f', '\u115f', '\u1160', '\u17b4', '\u17b5', '\u2800', '\u3164', '\uffa0', unicode.ReplacementChar:
		return true
	}
	return unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Noncharacter_Code_Point, r) || unicode.Is(unicode.Co, r)
}

// firstUnseen returns the first such character of a text that has one.
func firstUnseen(s string) rune {
	return []rune(s[strings.IndexFunc(s, isUnseen):])[0]
}

// shorten keeps what is quoted from a document readable in one line.
func shorten(s string) string { return cut(s, 80) }

func cut(s string, limit int) string {
	n := 0
	for i := range s {
		if n++; n > limit {
			s = s[:i] + "…"
			break
		}
	}
	return strings.Map(func(r rune) rune {
		if isControl(r) || isUnseen(r) {
			return unicode.ReplacementChar
		}
		return r
	}, s)
}
