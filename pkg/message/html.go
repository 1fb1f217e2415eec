package message

import (
	"bytes"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// textOf returns the text of an HTML document, at most limit bytes of it, and
// whether it was cut. It uses the tokenizer, not the parser: its time is linear
// in the input, whatever the tags are.
func textOf(document string, limit int) (s string, cut bool) {
	w := textWriter{limit: limit}
	z := html.NewTokenizer(strings.NewReader(document))
	for w.b.Len() < limit {
		switch z.Next() {
		case html.ErrorToken:
			return w.text(), w.b.Len() > limit
		case html.TextToken:
			if !w.skip {
				w.write(z.Text())
			}
			w.skip = false
		case html.StartTagToken, html.SelfClosingTagToken:
			name, attributes := z.TagName()
			w.start(z, atom.Lookup(name), attributes)
		case html.EndTagToken:
			name, _ := z.TagName()
			w.end(atom.Lookup(name))
		}
	}
	return w.text(), true
}

type textWriter struct {
	b     strings.Builder
	limit int
	skip  bool // the next text token is a script or the like
	pre   int
	space bool // white space is due before the next word
	lines int  // line breaks that are due before the next word
}

func (w *textWriter) start(z *html.Tokenizer, tag atom.Atom, attributes bool) {
	w.skip = false
	switch tag {
	case atom.Script, atom.Style, atom.Title, atom.Noembed, atom.Noframes, atom.Iframe:
		w.skip = true // raw text: the tokenizer gives it as one token
	case atom.Br:
		w.lines++
	case atom.P, atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6, atom.Table, atom.Blockquote, atom.Ul, atom.Ol, atom.Hr:
		w.lines = max(w.lines, 2)
	case atom.Div, atom.Tr, atom.Section, atom.Article, atom.Header, atom.Footer, atom.Dt, atom.Dd, atom.Address:
		w.lines = max(w.lines, 1)
	case atom.Li:
		w.lines = max(w.lines, 1)
		w.write([]byte("- "))
	case atom.Td, atom.Th:
		w.space = true
	case atom.Pre:
		w.lines = max(w.lines, 1)
		w.pre++
	case atom.Img:
		for attributes {
			var key, value []byte
			key, value, attributes = z.TagAttr()
			if string(key) == "alt" {
				w.write(value)
			}
		}
	}
}

func (w *textWriter) end(tag atom.Atom) {
	w.skip = false
	switch tag {
	case atom.P, atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6, atom.Table, atom.Blockquote, atom.Ul, atom.Ol:
		w.lines = max(w.lines, 2)
	case atom.Div, atom.Tr, atom.Li, atom.Section, atom.Article, atom.Header, atom.Footer, atom.Dt, atom.Dd, atom.Address:
		w.lines = max(w.lines, 1)
	case atom.Td, atom.Th:
		w.space = true
	case atom.Pre:
		w.lines = max(w.lines, 1)
		w.pre = max(w.pre-1, 0)
	}
}

// write adds text with its white space collapsed, unless it is preformatted.
func (w *textWriter) write(text []byte) {
	if w.pre > 0 {
		w.breaks()
		w.b.Write(bytes.ReplaceAll(text, []byte("\r"), nil))
		return
	}
	for len(text) > 0 {
		i := 0
		for i < len(text) && isHTMLSpace(text[i:]) > 0 {
			i += isHTMLSpace(text[i:])
			w.space = true
		}
		text = text[i:]
		n := 0
		for n < len(text) && isHTMLSpace(text[n:]) == 0 {
			n++
		}
		if n > 0 {
			w.breaks()
			w.b.Write(text[:n])
			text = text[n:]
		}
	}
}

// isHTMLSpace returns the length of the white space character at the start of
// b, 0 if there is none. A no-break space counts.
func isHTMLSpace(b []byte) int {
	switch {
	case b[0] == ' ' || b[0] == '\n' || b[0] == '\t' || b[0] == '\r' || b[0] == '\f':
		return 1
	case b[0] == 0xC2 && len(b) > 1 && b[1] == 0xA0:
		return 2
	}
	return 0
}

// breaks writes the white space that is due.
func (w *textWriter) breaks() {
	switch {
	case w.b.Len() == 0:
	case w.lines > 0:
		w.b.WriteString("\n\n"[:min(w.lines, 2)])
	case w.space:
		w.b.WriteByte(' ')
	}
	w.lines, w.space = 0, false
}

func (w *textWriter) text() string {
	return strings.TrimRight(clip(w.b.String(), w.limit), " \n")
}
