package address

import (
	"strings"
	"unicode"

	"golang.org/x/net/idna"
	"golang.org/x/text/unicode/norm"
)

// A Key is the comparable form of an address: two addresses are the same
// mailbox if their keys are equal. The local part is NFC and without case, in
// quotes only where it needs them; the domain is in lower case, as A-labels.
type Key string

// maxLookupDomain bounds what is given to IDNA, whose cost grows faster than
// its input. No host name is longer than 253 octets as A-labels.
const maxLookupDomain = 512

// Key returns the comparable form of the address.
func (a Address) Key() Key {
	return key(a.Local, a.Domain)
}

// KeyWithoutTag returns the key of the address without its +tag, which begins
// at the first '+' that does not begin the local part. It reports false if
// there is none.
func (a Address) KeyWithoutTag() (Key, bool) {
	if a.Local == "" {
		return "", false
	}
	i := strings.IndexByte(a.Local[1:], '+')
	if i < 0 {
		return "", false
	}
	return key(a.Local[:i+1], a.Domain), true
}

func key(local, domain string) Key {
	return Key(quoteLocal(foldLocal(local)) + "@" + foldDomain(domain))
}

// foldLocal takes case and Unicode form away. Case is simple case folding, one
// character for one: 'ß' is not "ss", and 'ı' is not 'i'.
func foldLocal(s string) string {
	if isASCII(s) {
		return strings.ToLower(s)
	}
	s = strings.Map(foldRune, norm.NFC.String(s))
	return norm.NFC.String(s)
}

// foldRune returns the same rune for all runes that differ only in case:
// the lower case of the first of them.
func foldRune(r rune) rune {
	first := r
	for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
		first = min(first, f)
	}
	if first == 'İ' { // it folds to nothing else, though its lower case is 'i'
		return first
	}
	return unicode.ToLower(first)
}

// foldDomain returns the A-label form, or the lower-case form of what is not
// a domain name by IDNA (UTS 46, non-transitional).
func foldDomain(s string) string {
	lower := strings.ToLower(s)
	if isASCII(s) && !strings.Contains(lower, "xn--") {
		return lower
	}
	if len(s) <= maxLookupDomain {
		if ascii, err := tolerantIDNA.ToASCII(s); err == nil {
			return strings.TrimRight(ascii, ".")
		}
	}
	return norm.NFC.String(lower)
}

// tolerantIDNA maps as for a lookup, but takes labels with underscores or odd
// hyphens, which occur in mail.
var tolerantIDNA = idna.New(idna.MapForLookup(), idna.StrictDomainName(false), idna.CheckHyphens(false))
