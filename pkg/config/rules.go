package config

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"
	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// maxNumber is the largest number that every reader of JSON takes as it is (RFC
// 8259, section 6).
const maxNumber = 1<<53 - 1

// maxEmailBytes is the largest size that a mailbox can allow for a mail. A mail is
// in memory as a whole where it is parsed and stored, so this bounds what one
// mailbox can take of a process that serves all tenants.
const maxEmailBytes = 250_000_000

// Longest texts, in characters.
const (
	maxName        = 200
	maxDescription = 2000
	maxUsername    = 320 // an address: 64 + 1 + 255
	maxHost        = 253 // octets, as A-labels
)

// IsSlug reports whether s can be an id: [a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?.
func IsSlug(s string) bool {
	if s == "" || len(s) > 63 || s[0] == '-' || s[len(s)-1] == '-' {
		return false
	}
	for i := range len(s) {
		if c := s[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return true
}

// NameKey is the form in which names are compared: without regard to case and
// Unicode form.
func NameKey(name string) string {
	return norm.NFC.String(cases.Fold().String(norm.NFC.String(name)))
}

func (p *Problems) slug(path, s string) {
	switch {
	case s == "":
		p.add(path, "is required")
	case !IsSlug(s):
		p.add(path, "%q is not an id: 1 to 63 of a-z, 0-9 and -, not beginning or ending with -", shorten(s))
	}
}

// CheckText checks text that is no part of a document by the rules of those that
// are: valid, at most so many characters, none of them a control character or
// invisible, no space at its ends. Empty text is accepted.
func CheckText(path, s string, limit int) Problems {
	var p Problems
	p.text(path, s, limit, false)
	return p
}

// Quote returns text from outside as it can stand in one line of a message.
func Quote(s string) string { return strconv.Quote(shorten(s)) }

func (p *Problems) text(path, s string, limit int, required bool) {
	switch {
	case s == "" && required:
		p.add(path, "is required")
	case !utf8.ValidString(s):
		p.add(path, "is not UTF-8")
	case utf8.RuneCountInString(s) > limit:
		p.add(path, "has %d characters; at most %d are allowed", utf8.RuneCountInString(s), limit)
	case strings.ContainsFunc(s, isControl):
		p.add(path, "holds a control character")
	case strings.ContainsFunc(s, isUnseen):
		p.add(path, "holds the invisible or invalid character %U; type the text instead of pasting it", firstUnseen(s))
	case strings.TrimSpace(s) != s:
		p.add(path, "begins or ends with a space")
	}
}

// prose is text in which the joiners of Persian, Hindi and emoji may stand.
func (p *Problems) prose(path, s string, limit int) {
	p.text(path, strings.NewReplacer("\u200c", "", "\u200d", "").Replace(s), limit, false)
}

func (p *Problems) oneOf(path, s string, values ...string) {
	if !slices.Contains(values, s) {
		p.add(path, "%q is not one of %s", shorten(s), strings.Join(values, ", "))
	}
}

func (p *Problems) within(path string, n, low, high int, unit string) {
	if n < low || n > high {
		p.add(path, "%d is out of range (%d-%d%s)", n, low, high, unit)
	}
}

func (p *Problems) port(path string, n int) {
	if n < 1 || n > 65535 {
		p.add(path, "%d is not a port (1-65535)", n)
	}
}

// host accepts a host name (RFC 1123, internationalised in either spelling,
// underscores tolerated) or an IP address.
func (p *Problems) host(path, s string) {
	if hint, ok := checkHost(s); !ok {
		p.add(path, "%q is not a host name or an address%s", shorten(s), hint)
	}
}

func checkHost(s string) (hint string, ok bool) {
	if a, err := netip.ParseAddr(s); err == nil && a.Zone() == "" {
		return "", true
	}
	switch {
	case !utf8.ValidString(s), strings.ContainsFunc(s, isControl):
		return "", false
	case strings.ContainsFunc(s, isUnseen): // IDNA would leave some of them out
		return "; it holds an invisible or invalid character", false
	case strings.Contains(s, "/"):
		return "; give only the host, without a protocol or a path", false
	case strings.HasPrefix(s, "["):
		return "; give an IPv6 address without brackets", false
	case strings.Count(s, ":") == 1:
		return "; give the port in its own field", false
	case strings.Contains(s, "@"):
		return "; give the mail server, not an email address", false
	}
	if len(s) > 2*maxHost { // IDNA's cost grows faster than its input
		return "", false
	}
	ascii, err := idna.New(idna.MapForLookup(), idna.StrictDomainName(false), idna.CheckHyphens(false)).ToASCII(s)
	if err != nil || len(ascii) > maxHost {
		return "", false
	}
	labels := strings.Split(ascii, ".")
	if slices.ContainsFunc(labels, func(label string) bool { return !isHostLabel(label) }) {
		return "", false
	}
	// Only digits at the end: an address, but a wrong one (10.0.0.256).
	return "", strings.Trim(labels[len(labels)-1], "0123456789") != ""
}

func isHostLabel(s string) bool {
	if s == "" || len(s) > 63 || s[0] == '-' || s[len(s)-1] == '-' {
		return false
	}
	for i := range len(s) {
		if c := s[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '_' {
			return false
		}
	}
	return true
}
