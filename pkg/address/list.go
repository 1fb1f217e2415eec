package address

import (
	"strings"
	"unicode"

	"github.com/mailyard/mailyard/pkg/message/charset"
)

// ParseList returns the addresses of a header field value, in their order. It
// follows RFC 5322, section 3.4, with its obsolete forms, and makes the best
// of what does not: it never fails, and its work grows with the length of the
// value only.
//
//   - Groups are expanded, comments and source routes dropped.
//   - What stands in a display name, a comment, a quoted string or an encoded
//     word is never an address: `support@x <evil@y>` is evil@y alone.
//   - Semicolons separate like commas; missing commas, brackets and ends of
//     quoted strings or comments are guessed.
//   - Of several @ in one address the last one separates, as mail servers do it.
//   - A word without @ is not an address.
func ParseList(value string) []Address {
	room := make([]token, 16) // most addresses need no more
	p := parser{
		scanner: scanner{s: strings.ToValidUTF8(value, "\uFFFD")},
		words:   room[:0:8], angle: room[8:8],
	}
	for {
		t := p.next()
		switch t.kind {
		case end:
			p.separate(t)
			return p.list
		case comma, semicolon:
			p.separate(t)
		case colon:
			p.dropPrefix()
		case less:
			p.open()
		case greater:
			p.closeAngle()
		default:
			p.add(t)
		}
	}
}

type parser struct {
	scanner
	list    []Address
	words   []token // outside of brackets, since the last address
	segment int     // where in words the text behind the last comma begins
	angle   []token // inside of brackets
	inAngle bool
}

func (p *parser) add(t token) {
	if p.inAngle {
		p.angle = append(p.angle, t)
	} else {
		p.words = append(p.words, t)
	}
}

// separate ends an address. Words without an address stay, because the comma
// may be in an unquoted name: Doe, John <john@example.com>.
func (p *parser) separate(t token) {
	switch {
	case p.inAngle && t.kind == comma && len(p.angle) > 0 && p.angle[0].kind == at:
		p.add(t) // source route: <@a,@b:user@example.com>
		return
	case p.inAngle:
		p.finishAngle()
	case p.finishBare(false) == 0 && t.kind == comma && len(p.words) > 0:
		t.glued = true
		p.add(t)
		p.segment = len(p.words)
		p.note = ""
		return
	}
	p.reset()
}

// dropPrefix forgets a group's name, a source route, or "mailto".
func (p *parser) dropPrefix() {
	if p.inAngle {
		p.angle = p.angle[:0]
	} else {
		p.reset()
	}
}

// open begins an address in brackets. Brackets that did not close before it
// were part of the name.
func (p *parser) open() {
	p.inAngle = true
	p.angle = p.angle[:0]
}

func (p *parser) closeAngle() {
	if p.inAngle {
		p.finishAngle()
	} else {
		p.finishBare(true) // the opening bracket is missing
	}
	p.reset()
}

func (p *parser) reset() {
	p.words, p.segment = p.words[:0], 0
	p.angle, p.inAngle = p.angle[:0], false
	p.note = ""
}

// finishAngle adds the address in brackets, with the words before as its name.
func (p *parser) finishAngle() {
	first := len(p.list)
	for rest := p.angle; len(rest) > 0; {
		n := runLength(rest, true)
		if a, ok := mailbox(rest[:n]); ok {
			p.list = append(p.list, a)
		}
		rest = rest[n:]
	}
	if len(p.list) > first {
		p.list[first].Name = displayName(p.words)
	}
}

// finishBare adds the addresses that stand without brackets and returns how
// many. With lastOnly, all words before the last address are its name.
func (p *parser) finishBare(lastOnly bool) int {
	first := len(p.list)
	words := p.words[p.segment:]
	name, i := 0, 0
	for i < len(words) {
		n := runLength(words[i:], false)
		if a, ok := mailbox(words[i : i+n]); ok {
			if lastOnly {
				p.list, name = p.list[:first], 0
			}
			a.Name = displayName(words[name:i])
			p.list = append(p.list, a)
			name = i + n
		}
		i += n
	}
	found := len(p.list) - first
	if found == 1 && p.list[first].Name == "" {
		p.list[first].Name = cleanName(unescape(p.note)) // root@example.com (Cron Daemon)
	}
	return found
}

// runLength returns how many tokens belong together as one word: white space
// may stand around '@' and, in places, around dots.
func runLength(tokens []token, angle bool) int {
	n := 1
	for ; n < len(tokens); n++ {
		a, b := tokens[n-1], tokens[n]
		if a.kind == comma || b.kind == comma {
			break
		}
		dotted := b.kind == atom && b.text[0] == '.' ||
			a.kind == atom && (a.text == "." || angle && a.text[len(a.text)-1] == '.')
		if !b.glued && a.kind != at && b.kind != at && !dotted {
			break
		}
	}
	return n
}

// mailbox makes an address of one word.
func mailbox(run []token) (Address, bool) {
	split := len(run) - 1
	for split >= 0 && run[split].kind != at {
		split--
	}
	if split <= 0 || split == len(run)-1 {
		return Address{}, false
	}
	for _, t := range run[split+1:] {
		if t.kind == quoted {
			return Address{}, false
		}
	}
	a := Address{
		Local:  strings.Map(noControl, join(run[:split], true)),
		Domain: strings.Map(noControl, strings.TrimRight(strings.TrimFunc(join(run[split+1:], false), isInvisible), ".")),
	}
	if run[0].kind != quoted {
		a.Local = strings.TrimFunc(a.Local, isInvisible)
	}
	if strings.HasPrefix(a.Local, "'") && strings.HasSuffix(a.Domain, "'") { // 'user@example.com'
		a.Local, a.Domain = strings.TrimLeft(a.Local, "'"), strings.TrimRight(a.Domain, "'.")
	}
	return a, a.Local != "" && a.Domain != ""
}

// join puts the texts of tokens together.
func join(tokens []token, escaped bool) string {
	var b strings.Builder
	for _, t := range tokens {
		text := t.text
		if escaped {
			text = unescape(text)
		}
		if len(tokens) == 1 {
			return text
		}
		b.WriteString(text)
	}
	return b.String()
}

// isInvisible reports what is pasted along with an address and never part of it.
func isInvisible(r rune) bool {
	return unicode.IsSpace(r) || unicode.IsControl(r) || unicode.Is(unicode.Cf, r)
}

// noControl makes an address fit for databases and lines of text.
func noControl(r rune) rune {
	if unicode.IsControl(r) {
		return unicode.ReplacementChar
	}
	return r
}

func displayName(tokens []token) string {
	if len(tokens) == 0 {
		return ""
	}
	var b strings.Builder
	for i, t := range tokens {
		if i > 0 && !t.glued {
			b.WriteByte(' ')
		}
		if t.kind == quoted {
			b.WriteString(unescape(t.text))
		} else {
			b.WriteString(t.text)
		}
	}
	return cleanName(b.String())
}

// cleanName decodes a name and leaves nothing in it that breaks a line of text.
func cleanName(s string) string {
	if s == "" {
		return ""
	}
	s, _ = charset.Words(s)
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, s)
	s = strings.Join(strings.Fields(s), " ")
	if n := len(s); n > 2 && s[0] == '\'' && s[n-1] == '\'' { // Outlook: 'John Doe' <john@example.com>
		s = s[1 : n-1]
	}
	return s
}

// unescape resolves quoted pairs.
func unescape(s string) string {
	if strings.IndexByte(s, '\\') < 0 {
		return s
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) {
			i++
		}
		b = append(b, s[i])
	}
	return string(b)
}
