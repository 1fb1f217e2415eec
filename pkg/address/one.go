package address

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

// Limits of RFC 5321, section 4.5.3.1, in octets; a path of 256 includes its
// brackets.
const (
	maxLocal   = 64
	maxAddress = 254
)

// ParseOne reads one address that a person configured: exactly a mailbox of
// RFC 5321, section 4.1.2, with the characters of RFC 6531 and with
// internationalised domains in either spelling. The error says what is wrong
// with the address; it does not repeat the address.
func ParseOne(s string) (Address, error) {
	if err := checkText(s); err != nil {
		return Address{}, err
	}
	local, rest, err := strictLocal(s)
	if err != nil {
		return Address{}, err
	}
	domain := rest[1:]
	ascii, err := strictDomain(domain)
	if err != nil {
		return Address{}, err
	}
	written := len(s) - len(rest)
	if written > maxLocal {
		return Address{}, fmt.Errorf("the part before the @ has %d octets, but at most %d are allowed", written, maxLocal)
	}
	if n := written + 1 + max(len(domain), len(ascii)); n > maxAddress {
		return Address{}, fmt.Errorf("the address has %d octets, but at most %d are allowed", n, maxAddress)
	}
	return Address{Local: local, Domain: domain}, nil
}

// checkText refuses what no address contains.
func checkText(s string) error {
	switch {
	case s == "":
		return errors.New("the address is empty")
	case !utf8.ValidString(s):
		return errors.New("the address is not valid UTF-8")
	case strings.TrimSpace(s) != s:
		return errors.New("white space stands before or behind the address")
	case strings.HasSuffix(s, ">"):
		return errors.New("give only the address, without a name and without < and >")
	}
	for _, r := range s {
		if r != ' ' && (isInvisible(r) || r == utf8.RuneError || unicode.Is(unicode.Z, r)) {
			return fmt.Errorf("the address contains the invisible or invalid character %U", r)
		}
	}
	return nil
}

// strictLocal returns the local part, without quotes, and the rest, which
// begins with the @.
func strictLocal(s string) (local, rest string, err error) {
	if s[0] == '"' {
		return strictQuoted(s)
	}
	split := strings.LastIndexByte(s, '@')
	if split < 0 {
		return "", "", errors.New("the address has no @")
	}
	local, rest = s[:split], s[split:]
	switch {
	case local == "":
		return "", "", errors.New("nothing stands before the @")
	case strings.IndexByte(local, '@') >= 0:
		return "", "", errors.New("the address has more than one @; give one address only")
	case local[0] == '.' || local[len(local)-1] == '.' || strings.Contains(local, ".."):
		return "", "", errors.New("the part before the @ begins or ends with a dot or has two dots in a row; such a part must stand in double quotes")
	}
	for i := range len(local) {
		if local[i] != '.' && !isAtomByte(local[i]) {
			return "", "", fmt.Errorf("the part before the @ contains %q, which is allowed only in double quotes", local[i])
		}
	}
	return local, rest, nil
}

func strictQuoted(s string) (local, rest string, err error) {
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
			if i < len(s) && s[i] >= 0x80 {
				return "", "", errors.New("a backslash may only stand before an ASCII character")
			}
		case '"':
			local, rest = unescape(s[1:i]), s[i+1:]
			if local == "" {
				return "", "", errors.New("nothing stands before the @")
			}
			if !strings.HasPrefix(rest, "@") {
				return "", "", errors.New("the quoted part is not followed by an @")
			}
			return local, rest, nil
		}
	}
	return "", "", errors.New("the double quote that begins the address is not closed")
}

// strictDomain checks a domain name or domain literal and returns it as A-labels.
func strictDomain(s string) (string, error) {
	switch {
	case s == "":
		return "", errors.New("nothing stands behind the @")
	case s[0] == '[':
		return s, strictLiteral(s)
	case strings.HasSuffix(s, "."):
		return "", errors.New("the domain ends with a dot")
	case len(s) > maxLookupDomain:
		return "", fmt.Errorf("the domain has %d octets, but at most 253 are allowed", len(s))
	}
	if _, err := netip.ParseAddr(s); err == nil {
		return "", errors.New("an IP address must stand in brackets behind the @, as in [192.0.2.1] or [IPv6:2001:db8::1]")
	}
	ascii, err := strictIDNA.ToASCII(s)
	if err != nil {
		return "", fmt.Errorf("%q is not a domain name", s)
	}
	return ascii, nil
}

var strictIDNA = idna.New(idna.MapForLookup(), idna.BidiRule(), idna.VerifyDNSLength(true))

// strictLiteral checks an address literal (RFC 5321, section 4.1.3).
func strictLiteral(s string) error {
	inner, ok := strings.CutSuffix(s[1:], "]")
	if !ok {
		return errors.New("the bracket behind the @ is not closed")
	}
	v6, is6 := strings.CutPrefix(strings.ToLower(inner), "ipv6:")
	addr, err := netip.ParseAddr(v6)
	if err != nil || addr.Is4() == is6 || addr.Zone() != "" {
		return fmt.Errorf("%q is not an IP address in brackets, as in [192.0.2.1] or [IPv6:2001:db8::1]", s)
	}
	return nil
}
