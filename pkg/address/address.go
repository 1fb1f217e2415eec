package address

import (
	"strings"
)

// An Address is one mailbox of an address list. Local and Domain are never
// empty in what ParseList and ParseOne return, and all three are valid UTF-8.
type Address struct {
	Name   string // display name, decoded to UTF-8, without control characters
	Local  string // local part without quotes and escapes
	Domain string // as it was written, without a trailing dot; a domain literal has its brackets
}

// Addr returns the address in the form local@domain, with the local part
// quoted where RFC 5321 wants that.
func (a Address) Addr() string {
	return quoteLocal(a.Local) + "@" + a.Domain
}

// quoteLocal returns the local part as a dot-atom or else as a quoted string.
func quoteLocal(local string) string {
	if isDotAtom(local) {
		return local
	}
	var b strings.Builder
	b.Grow(len(local) + 2)
	b.WriteByte('"')
	for i := range len(local) {
		if local[i] == '"' || local[i] == '\\' {
			b.WriteByte('\\')
		}
		b.WriteByte(local[i])
	}
	b.WriteByte('"')
	return b.String()
}

// isDotAtom reports whether s is a dot-atom (RFC 5321, section 4.1.2), with
// UTF-8 allowed as by RFC 6531, section 3.3.
func isDotAtom(s string) bool {
	if s == "" || s[0] == '.' || s[len(s)-1] == '.' || strings.Contains(s, "..") {
		return false
	}
	for i := range len(s) {
		if s[i] != '.' && !isAtomByte(s[i]) {
			return false
		}
	}
	return true
}

func isAtomByte(c byte) bool {
	return c > ' ' && c != 0x7f && strings.IndexByte(`()<>[]:;@\,."`, c) < 0
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}
