package message

import (
	"sort"
	"strconv"
	"strings"

	"github.com/mailyard/mailyard/pkg/message/charset"
)

// maxParams is how many parameters of one field are looked at.
const maxParams = 1000

// A param is one parameter of a Content-Type or Content-Disposition field, or a
// section of one (RFC 2231).
type param struct {
	name     string // lower case, without asterisks
	value    string
	section  int  // -1: not continued
	extended bool // percent-encoded
}

type params struct {
	list []param
	cut  bool // there were more than maxParams
}

// parseParams splits a field value such as `text/plain; charset="utf-8"` at its
// semicolons, in linear time. It takes what is there: unquoted values with
// spaces, missing quotes and semicolons, empty parameters.
func parseParams(s string) (value string, p params) {
	end := strings.IndexByte(s, ';')
	if end < 0 {
		end = len(s)
	}
	value = strings.ToLower(strings.TrimSpace(s[:end]))
	if i := strings.IndexAny(value, " \t(,"); i >= 0 {
		value = value[:i]
	}
	for s = s[end:]; s != ""; {
		s = strings.TrimLeft(s, "; \t")
		i := strings.IndexAny(s, "=;")
		if i < 0 {
			break
		}
		if s[i] == ';' {
			s = s[i:]
			continue
		}
		if len(p.list) == maxParams {
			p.cut = true
			break
		}
		one := newParam(s[:i])
		one.value, s = cutValue(strings.TrimLeft(s[i+1:], " \t"))
		p.list = append(p.list, one)
	}
	return value, p
}

// newParam reads a parameter's name: name, name*, name*0, name*0*.
func newParam(s string) param {
	name, section, found := strings.Cut(strings.ToLower(strings.TrimSpace(s)), "*")
	p := param{name: name, section: -1}
	if !found || section == "" {
		p.extended = found
		return p
	}
	digits, extended := strings.CutSuffix(section, "*")
	n, err := strconv.ParseUint(digits, 10, 31)
	if err != nil {
		p.name = "" // no section number: a parameter of no use
		return p
	}
	p.section, p.extended = int(n), extended
	return p
}

// cutValue reads a parameter's value, quoted or not, up to its semicolon. A
// backslash quotes only a quote or another backslash, because unescaped Windows
// paths are more frequent than other escapes.
func cutValue(s string) (value, rest string) {
	if !strings.HasPrefix(s, `"`) {
		value, rest, _ = strings.Cut(s, ";")
		return strings.TrimRight(value, " \t"), rest
	}
	s = s[1:]
	var b strings.Builder
	for {
		i := strings.IndexAny(s, `"\`)
		switch {
		case i < 0:
			b.WriteString(s)
			return b.String(), ""
		case s[i] == '"':
			if b.Len() == 0 {
				value = s[:i]
			} else {
				b.WriteString(s[:i])
				value = b.String()
			}
			_, rest, _ = strings.Cut(s[i+1:], ";")
			return value, rest
		case i+1 < len(s) && (s[i+1] == '"' || s[i+1] == '\\'):
			b.WriteString(s[:i])
			b.WriteByte(s[i+1])
			s = s[i+2:]
		default:
			b.WriteString(s[:i+1])
			s = s[i+1:]
		}
	}
}

// get returns the value of a parameter as UTF-8, extended forms before plain
// ones (RFC 6266, section 4.3, has the reason). whole is false if a section of
// it is missing.
func (p params) get(name string) (value string, whole bool) {
	var sections []param
	plain, found := "", false
	for _, one := range p.list {
		switch {
		case one.name != name:
		case one.section >= 0:
			sections = append(sections, one)
		case one.extended:
			return decodeExtended(one.value), true
		case !found:
			plain, found = one.value, true
		}
	}
	if len(sections) == 0 {
		return plain, true
	}
	return join(sections)
}

// join puts the sections of a continued parameter together.
func join(sections []param) (value string, whole bool) {
	sort.SliceStable(sections, func(i, j int) bool { return sections[i].section < sections[j].section })
	whole = sections[0].section == 0
	label := ""
	var octets []byte
	for i, s := range sections {
		if i > 0 {
			if s.section == sections[i-1].section {
				continue
			}
			whole = whole && s.section == sections[i-1].section+1
		}
		if !s.extended {
			octets = append(octets, s.value...)
			continue
		}
		text := s.value
		if i == 0 {
			label, text = cutLabel(text)
		}
		octets = appendPercent(octets, text)
	}
	value, _ = charset.Decode(octets, label)
	return value, whole
}

func decodeExtended(s string) string {
	label, text := cutLabel(s)
	value, _ := charset.Decode(appendPercent(nil, text), label)
	return value
}

// cutLabel splits charset'language'text. Without the quotes it is all text.
func cutLabel(s string) (label, text string) {
	name, rest, ok := strings.Cut(s, "'")
	if !ok {
		return "", s
	}
	_, text, ok = strings.Cut(rest, "'")
	if !ok {
		return "", s
	}
	return name, text
}

func appendPercent(dst []byte, s string) []byte {
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) && unhex(s[i+1]) >= 0 && unhex(s[i+2]) >= 0 {
			dst = append(dst, byte(unhex(s[i+1])<<4|unhex(s[i+2])))
			i += 2
			continue
		}
		dst = append(dst, s[i])
	}
	return dst
}
