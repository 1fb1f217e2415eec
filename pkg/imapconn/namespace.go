package imapconn

import (
	"strings"
	"unicode/utf8"

	"github.com/mailyard/mailyard/pkg/mailhost"
)

// A namespace is where a user's own folders are (RFC 2342).
type namespace struct {
	prefix string
	delim  rune // 0: no hierarchy
}

// delimiter returns the delimiter, empty for none.
func (ns namespace) delimiter() string {
	if ns.delim == 0 {
		return ""
	}
	return string(ns.delim)
}

// readNamespace asks for the personal namespace; servers without NAMESPACE at
// least tell the delimiter. line is what the server said, cleaned.
func (d *dialogue) readNamespace() (ns namespace, line string, err error) {
	if d.has("NAMESPACE") || d.has("IMAP4REV2") {
		a, err := d.command("NAMESPACE")
		if err != nil {
			return namespace{}, "", err
		}
		for _, line := range a.untagged {
			if ns, ok := parseNamespace(line); ok {
				return ns, mailhost.CleanText(line), nil
			}
		}
	}
	a, err := d.command(`LIST "" ""`)
	if err != nil {
		return namespace{}, "", err
	}
	for _, line := range a.untagged {
		if delim, ok := parseListDelim(line); ok {
			return namespace{delim: delim}, mailhost.CleanText(line), nil
		}
	}
	return namespace{delim: '/'}, "", nil
}

// parseNamespace takes the first personal namespace of a NAMESPACE response.
func parseNamespace(line string) (namespace, bool) {
	word, rest, _ := strings.Cut(line, " ")
	if !strings.EqualFold(word, "NAMESPACE") {
		return namespace{}, false
	}
	rest, ok := strings.CutPrefix(strings.TrimLeft(rest, " "), "((")
	if !ok {
		return namespace{}, false
	}
	prefix, rest, ok := cutQuoted(rest)
	if !ok {
		return namespace{}, false
	}
	delim, ok := cutDelim(rest)
	return namespace{prefix, delim}, ok
}

// parseListDelim takes the delimiter of a LIST response.
func parseListDelim(line string) (rune, bool) {
	word, rest, _ := strings.Cut(line, " ")
	_, rest, found := strings.Cut(rest, ")")
	if !strings.EqualFold(word, "LIST") || !found {
		return 0, false
	}
	return cutDelim(rest)
}

func cutDelim(s string) (rune, bool) {
	s = strings.TrimLeft(s, " ")
	if len(s) >= 3 && strings.EqualFold(s[:3], "NIL") {
		return 0, true
	}
	delim, _, ok := cutQuoted(s)
	if !ok || delim == "" {
		return 0, ok
	}
	r, size := utf8.DecodeRuneInString(delim)
	return r, size == len(delim) && r != utf8.RuneError
}

// cutQuoted takes a quoted string off the beginning of s.
func cutQuoted(s string) (value, rest string, ok bool) {
	s = strings.TrimLeft(s, " ")
	if s == "" || s[0] != '"' {
		return "", s, false
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '"':
			return b.String(), s[i+1:], true
		case '\\':
			if i++; i == len(s) {
				return "", s, false
			}
		}
		b.WriteByte(s[i])
	}
	return "", s, false
}

// folder turns a display name into the name on this server: "/" is the
// hierarchy, the prefix is added unless it is there.
func (ns namespace) folder(display string) string {
	display = strings.Trim(display, "/ ")
	if strings.EqualFold(display, "INBOX") {
		return "INBOX"
	}
	if ns.delim != 0 && ns.delim != '/' {
		display = strings.ReplaceAll(display, "/", string(ns.delim))
	}
	if n := len(ns.prefix); n > 0 && len(display) > n && strings.EqualFold(display[:n], ns.prefix) {
		return display
	}
	return ns.prefix + display
}
