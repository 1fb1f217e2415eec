package console

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/microcosm-cc/bluemonday"
	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// A cleanHTML is what is left of the HTML of a mail: no script, no form, no
// frame, nothing that is loaded, no link that leads anywhere.
type cleanHTML struct {
	HTML   string
	Remote int // images and the like on other hosts that are left out
	Links  int
	Cut    bool
}

// sanitiseMail makes the HTML of a mail harmless. image returns the bytes of an
// image of the mail by its Content-ID, nil if there is none. Images are made
// data: URLs, and only those that are PNG, JPEG, GIF or WebP by their content.
//
// The policy has the last word: what rewrite makes is not trusted.
func sanitiseMail(raw string, image func(id string) []byte) cleanHTML {
	var out cleanHTML
	raw, out.Cut = cutText(raw, shownHTML)
	out.HTML = mailPolicy().Sanitize(out.rewrite(raw, image))
	return out
}

// rewrite puts images in the place of their references, shows where links lead
// in place of following them, and counts what would come from other hosts.
func (c *cleanHTML) rewrite(raw string, image func(string) []byte) string {
	var b strings.Builder
	tokens := html.NewTokenizer(strings.NewReader(raw))
	style := false
	for {
		switch tokens.Next() {
		case html.ErrorToken: // the end: it comes from memory
			return b.String()
		case html.CommentToken, html.DoctypeToken:
			continue
		}
		t := tokens.Token()
		switch t.Type {
		case html.TextToken:
			if style {
				c.Remote += remoteURLs(t.Data)
				continue
			}
		case html.StartTagToken, html.SelfClosingTagToken:
			style = t.DataAtom == atom.Style && t.Type == html.StartTagToken
			c.element(&t, image)
		case html.EndTagToken:
			style = false
		}
		if t.DataAtom == atom.Body {
			t.Data, t.DataAtom = "div", atom.Div // its colours belong to the mail
		}
		b.WriteString(t.String())
	}
}

// element rewrites the attributes of an element, the first of each name as
// browsers do.
func (c *cleanHTML) element(t *html.Token, image func(string) []byte) {
	var kept []html.Attribute
	seen := map[string]bool{}
	for _, a := range t.Attr {
		if seen[a.Key] {
			continue
		}
		seen[a.Key] = true
		switch a.Key {
		case "src", "srcset", "background", "poster":
			if t.DataAtom == atom.Img && a.Key == "src" {
				if data := imageData(a.Val, image); data != "" {
					kept = append(kept, html.Attribute{Key: "src", Val: data})
					continue
				}
			}
			if isRemote(a.Val) && (a.Key != "srcset" || !seen["src"]) {
				c.Remote++
			}
		case "href":
			if t.DataAtom != atom.A {
				continue
			}
			if u := strings.TrimSpace(a.Val); hasScheme(u, "https:", "http:", "mailto:", "tel:") {
				c.Links++
				kept = append(kept, html.Attribute{Key: "title", Val: clip(plainLine(u), 500)})
				seen["title"] = true
			}
		case "style":
			const most = 10_000
			c.Remote += remoteURLs(a.Val)
			if len(a.Val) <= most {
				kept = append(kept, a)
			}
		default:
			kept = append(kept, a)
		}
	}
	t.Attr = kept
}

// imageData returns an image of the mail, or one that stands in its HTML, as a
// data: URL of the type that its content has.
func imageData(src string, image func(string) []byte) string {
	src = strings.TrimSpace(src)
	var content []byte
	switch {
	case hasScheme(src, "cid:"):
		id := src[len("cid:"):]
		if decoded, err := url.PathUnescape(id); err == nil {
			id = decoded
		}
		content = image(id)
	case hasScheme(src, "data:"):
		head, data, ok := strings.Cut(src, ",")
		if !ok || !strings.HasSuffix(strings.ToLower(strings.TrimSpace(head)), ";base64") {
			return ""
		}
		var err error
		if content, err = base64.StdEncoding.DecodeString(strings.Join(strings.Fields(data), "")); err != nil {
			return ""
		}
	}
	kind := http.DetectContentType(content)
	switch kind {
	case "image/png", "image/jpeg", "image/gif", "image/webp":
		return "data:" + kind + ";base64," + base64.StdEncoding.EncodeToString(content)
	}
	return ""
}

// isRasterImage reports whether a data: URL is one that imageData makes.
func isRasterImage(u *url.URL) bool {
	kind, data, _ := strings.Cut(u.Opaque, ";base64,")
	switch kind {
	case "image/png", "image/jpeg", "image/gif", "image/webp":
		return u.RawQuery == "" && u.Fragment == "" && !strings.ContainsFunc(data, func(r rune) bool {
			return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '+' && r != '/' && r != '='
		})
	}
	return false
}

// hasScheme reports whether a URL begins with one of the schemes.
func hasScheme(u string, schemes ...string) bool {
	for _, s := range schemes {
		if len(u) >= len(s) && strings.EqualFold(u[:len(s)], s) {
			return true
		}
	}
	return false
}

// isRemote reports whether a URL leads to another host, as browsers read it.
func isRemote(u string) bool {
	u = strings.TrimLeft(strings.ReplaceAll(u, `\`, "/"), " \t\r\n\f\x00")
	return hasScheme(u, "http:", "https:", "//")
}

// remoteURLs counts the images and the like that CSS loads from other hosts.
func remoteURLs(css string) int {
	return len(regexp.MustCompile(`(?i)(?:url\s*\(|@import)\s*["']?\s*(?:https?:)?//`).FindAllStringIndex(css, -1))
}

// mailPolicy lists what HTML of a mail may consist of. Whatever can load, run,
// send or navigate is not in it.
func mailPolicy() *bluemonday.Policy {
	elements := []string{
		"a", "abbr", "address", "article", "aside", "b", "bdi", "bdo", "big", "blockquote", "br", "caption", "center", "cite", "code", "col", "colgroup",
		"dd", "del", "dfn", "div", "dl", "dt", "em", "figcaption", "figure", "font", "footer", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "i", "img", "ins",
		"kbd", "li", "main", "mark", "nav", "ol", "p", "pre", "q", "s", "samp", "section", "small", "span", "strike", "strong", "sub", "sup",
		"table", "tbody", "td", "tfoot", "th", "thead", "time", "tr", "tt", "u", "ul", "var", "wbr",
	}
	p := bluemonday.NewPolicy()
	p.AllowElements(elements...)
	p.AllowNoAttrs().OnElements(elements...)
	p.SkipElementsContent("title", "svg", "math", "template", "textarea", "select", "option", "audio", "video", "canvas", "applet", "xmp", "plaintext")
	p.AllowAttrs("title", "alt").Globally()
	p.AllowAttrs("dir", "lang", "align", "valign", "width", "height", "bgcolor", "color", "border", "cellpadding", "cellspacing", "colspan", "rowspan", "nowrap", "size", "face", "start", "hspace", "vspace").
		Matching(regexp.MustCompile(`^[\p{L}\p{N}#%., '"+-]*$`)).Globally()
	p.AllowAttrs("src").OnElements("img")
	p.AllowURLSchemeWithCustomPolicy("data", isRasterImage)
	p.AllowStyles(
		"color", "background-color", "font", "font-family", "font-size", "font-style", "font-weight", "font-variant", "line-height", "letter-spacing", "word-spacing",
		"text-align", "text-decoration", "text-indent", "text-transform", "vertical-align", "white-space", "word-break", "overflow-wrap", "word-wrap", "direction",
		"width", "height", "max-width", "max-height", "min-width", "min-height", "display", "float", "clear", "visibility",
		"margin", "margin-top", "margin-right", "margin-bottom", "margin-left", "padding", "padding-top", "padding-right", "padding-bottom", "padding-left",
		"border", "border-top", "border-right", "border-bottom", "border-left", "border-color", "border-style", "border-width", "border-radius", "border-collapse", "border-spacing",
		"list-style-type", "table-layout", "box-sizing", "opacity",
	).Matching(regexp.MustCompile(`^(?:[\p{L}\p{N}#%., '"!+-]|rgba?\([0-9., %]*\)|hsla?\([0-9., %a-z]*\))*$`)).Globally()
	return p
}
