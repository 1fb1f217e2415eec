package control

import (
	"strings"
	"unicode"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// UsernameKey is the form in which usernames are compared over all tenants:
// NFKC_Casefold (Unicode Standard, section 3.13, D146): without case, width,
// compatibility forms and invisible characters. PRECIS (RFC 8265) refuses some
// usernames that servers accept, and two rules for one comparison would let
// some pairs of the same meaning pass; this one is defined for every text.
func UsernameKey(s string) string {
	for range 3 { // folding and composing may each leave work for the other
		next := norm.NFKC.String(cases.Fold().String(norm.NFKC.String(strings.Map(visible, s))))
		if next == s {
			break
		}
		s = next
	}
	return s
}

// visible drops what is not seen: format characters (soft hyphen, zero-width
// space, directional marks) and variation selectors.
func visible(r rune) rune {
	if unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Variation_Selector, r) || r == '\u034f' {
		return -1
	}
	return r
}
