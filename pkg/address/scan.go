package address

import "strings"

type kind uint8

const (
	end       kind = iota
	atom           // a run of ordinary characters, dots included
	quoted         // the inside of a quoted string, still escaped
	literal        // a domain literal with its brackets
	at             // @
	comma          // ,
	semicolon      // ;
	colon          // :
	less           // <
	greater        // >
)

type token struct {
	kind  kind
	glued bool   // nothing stands between it and the token before
	text  string // a part of the value
}

// A scanner splits a value into the tokens of RFC 5322, section 3.2. It takes
// every value, and reads no byte more than a few times: what a missing end
// would swallow is read up to the next '<', ',' or ';', and from then on no
// end is searched beyond these.
type scanner struct {
	s    string
	i    int
	note string // the first comment since the parser cleared it
	last kind   // of the token before

	brokenQuotes   bool // a quoted string did not end
	brokenComments bool // a comment did not end
	wordless       int  // no encoded word ends before this offset
	literalless    int  // no domain literal ends before this offset
}

// next returns the next token; comments and white space only show in glued.
func (p *scanner) next() token {
	glued := true
	for p.i < len(p.s) {
		switch c := p.s[p.i]; {
		case isBlank(c):
			p.i++
			glued = false
		case c == '(':
			p.comment()
			glued = false
		default:
			t := p.token(c)
			t.glued = glued
			p.last = t.kind
			return t
		}
	}
	return token{kind: end}
}

func (p *scanner) token(c byte) token {
	k := special(c)
	switch {
	case k != end:
		p.i++
		return token{kind: k, text: p.s[p.i-1 : p.i]}
	case c == '"':
		return p.quoted()
	case c == '[' && p.last == at:
		return p.literal()
	}
	return p.atom()
}

func (p *scanner) quoted() token {
	start := p.i + 1
	for j := start; j < len(p.s) && !p.brokenQuotes; j++ {
		switch p.s[j] {
		case '\\':
			j++
		case '"':
			p.i = j + 1
			return token{kind: quoted, text: p.s[start:j]}
		}
	}
	p.brokenQuotes = true
	p.i = p.delimiter(start)
	return token{kind: quoted, text: p.s[start:p.i]}
}

func (p *scanner) literal() token {
	start := p.i
	for j := max(start, p.literalless); j < len(p.s) && p.s[j] != '<' && p.s[j] != '>'; j++ {
		if p.s[j] == ']' {
			p.i = j + 1
			return token{kind: literal, text: p.s[start:p.i]}
		}
		p.literalless = j
	}
	p.i = p.atomEnd(start)
	return token{kind: literal, text: p.s[start:p.i]}
}

func (p *scanner) atom() token {
	start := p.i
	if p.i = p.wordEnd(start); p.i == start {
		p.i = p.atomEnd(start)
	}
	return token{kind: atom, text: p.s[start:p.i]}
}

// atomEnd returns where the atom that begins at i ends; it is never empty.
func (p *scanner) atomEnd(i int) int {
	for j := i; j < len(p.s); j++ {
		c := p.s[j]
		if c == '\\' && j+1 < len(p.s) && !isBlank(p.s[j+1]) {
			j++
			continue
		}
		if isBlank(c) || c == '(' || c == '"' || special(c) != end {
			return j
		}
	}
	return len(p.s)
}

// wordEnd returns where the encoded word that begins at i ends, or i if none
// does. An encoded word is one token although commas, brackets or addresses
// stand in it, which RFC 2047 forbids and mailers write.
func (p *scanner) wordEnd(i int) int {
	if !strings.HasPrefix(p.s[i:], "=?") || i < p.wordless {
		return i
	}
	marks := 0 // question marks behind "=?": charset?encoding?text?=
	j := i + 2
	for ; j < len(p.s) && !isBlank(p.s[j]); j++ {
		if p.s[j] != '?' {
			continue
		}
		if marks == 2 && strings.HasPrefix(p.s[j:], "?=") {
			return j + 2
		}
		marks = min(marks+1, 2)
	}
	p.wordless = j
	return i
}

// comment skips a comment with the comments in it.
func (p *scanner) comment() {
	start := p.i + 1
	depth, j := 0, p.i
scan:
	for ; j < len(p.s); j++ {
		switch c := p.s[j]; {
		case c == '\\':
			j++
		case c == '(':
			depth++
		case c == ')':
			if depth--; depth == 0 {
				break scan
			}
		case p.brokenComments && isDelimiter(c):
			break scan
		}
	}
	j = min(j, len(p.s))
	if j == len(p.s) {
		p.brokenComments = true
		j = p.delimiter(start)
	}
	if p.note == "" {
		p.note = p.s[start:j]
	}
	p.i = j
	if j < len(p.s) && p.s[j] == ')' {
		p.i++
	}
}

// delimiter returns the offset of the first delimiter at or behind i, or the
// length of the value.
func (p *scanner) delimiter(i int) int {
	for ; i < len(p.s); i++ {
		if isDelimiter(p.s[i]) {
			return i
		}
	}
	return len(p.s)
}

func isDelimiter(c byte) bool { return c == '<' || c == ',' || c == ';' }

func isBlank(c byte) bool { return c <= ' ' || c == 0x7f }

func special(c byte) kind {
	switch c {
	case '@':
		return at
	case ',':
		return comma
	case ';':
		return semicolon
	case ':':
		return colon
	case '<':
		return less
	case '>':
		return greater
	}
	return end
}
