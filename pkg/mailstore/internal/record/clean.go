package record

import (
	"strings"
	"time"
	"unicode/utf8"
)

// Bounds, in bytes. What is in an index has to stay below 2,704, the largest
// entry of a PostgreSQL B-tree.
const (
	maxID      = 998       // message ids: the longest line that RFC 5322 allows
	maxName    = 1 << 10   // display names, file names, codes
	maxAddress = 1 << 10   // RFC 5321 allows 254
	maxSubject = 16 << 10  // two thousand times a long one
	maxValue   = 4 << 10   // other header values
	maxBody    = 128 << 20 // text, html; the parser's own limit is far below
)

// Bounds, in entries per mail.
const (
	maxAddresses   = 10_000
	maxReferences  = 1_000
	maxRecipients  = 1_000
	maxAuthResults = 100
	maxDefects     = 200
	maxAttachments = 10_000
)

// text returns s as valid UTF-8 without NUL, at most limit bytes, and whether
// it was shortened. It copies only what it has to change.
func text(s string, limit int) (string, bool) {
	short := len(s) > limit
	if short {
		// A long string would be kept in memory whole by a part of it.
		s = strings.Clone(cut(s, limit))
	}
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "\uFFFD")
	}
	if strings.IndexByte(s, 0) >= 0 {
		s = strings.ReplaceAll(s, "\x00", "\uFFFD")
	}
	if len(s) > limit { // replacements are longer than what they replace
		s, short = cut(s, limit), true
	}
	return s, short
}

// cut returns at most n bytes of s, not ending within a character.
func cut(s string, n int) string {
	for i := 0; i < utf8.UTFMax && n > 0 && !utf8.RuneStart(s[n]); i++ {
		n--
	}
	return s[:n]
}

// moment returns t in UTC with the precision of both databases, microseconds;
// nil if it is zero or outside the years 1 to 9999.
func moment(t time.Time) *time.Time {
	if t = t.UTC().Truncate(time.Microsecond); t.IsZero() || t.Year() < 1 || t.Year() > 9999 {
		return nil
	}
	return &t
}
