package message

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"github.com/mailyard/mailyard/pkg/message/charset"
)

// A collector makes texts and attachments of the parts that a walker finds.
type collector struct {
	limits Limits
	d      *defects
	m      *Message
	texts  []text
	html   int    // bytes of HTML so far
	sentID string // message id of the first nested mail
}

// A text is one part that is to be read.
type text struct {
	html        bool
	content     string
	alternative int // number of the multipart/alternative that it is a form of; 0: none
}

func (c *collector) leaf(e entity, content []byte) {
	if e.whole {
		e.encoding = ""
	}
	if e.id == "" {
		e.id = "1"
	}
	content = decodeTransfer(content, e.encoding, e.id, c.d)
	given := e.rawFilename(c.d)
	if e.isText(given != "") {
		c.text(&e, content)
		return
	}
	c.attach(&e, given, content)
	switch {
	case e.ctype == "message/delivery-status" || e.ctype == "message/global-delivery-status":
		readDSN(c.m, content)
	case c.sentID == "" && (e.isMessage() || strings.HasSuffix(e.ctype, "-headers")):
		h, _, _ := ScanHeader(content)
		c.sentID = firstID(h.Get("Message-ID"))
	}
}

func (c *collector) text(e *entity, content []byte) {
	isHTML := e.ctype == "text/html"
	limit := c.limits.Text
	if isHTML {
		limit = c.limits.HTML - c.html
	}
	if len(content) > limit {
		c.d.once(DefectTextTooLarge, e.id, "the text is cut")
		content = content[:limit]
	}
	label, _ := e.typeParams.get("charset")
	if label == "" && isHTML {
		label = metaCharset(content)
	}
	s, result := charset.Decode(content, label)
	switch result {
	case charset.Unknown:
		c.d.add(DefectCharsetUnknown, e.id, label)
	case charset.Wrong:
		c.d.add(DefectCharsetWrong, e.id, label)
	}
	if strings.Contains(s, "\x00") {
		c.d.add(DefectNUL, e.id, "removed") // by finish, with clip
	}
	if strings.Contains(s, "\r") {
		s = strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n")
	}
	s = strings.TrimPrefix(s, "\uFEFF")
	if strings.TrimSpace(s) == "" {
		return
	}
	if isHTML {
		s = clip(s, limit)
		c.html += len(s)
	} else if format, _ := e.typeParams.get("format"); strings.EqualFold(format, "flowed") {
		delSp, _ := e.typeParams.get("delsp")
		s = joinFlowed(s, strings.EqualFold(delSp, "yes"))
	}
	c.texts = append(c.texts, text{html: isHTML, content: s, alternative: e.alternative})
}

// finish puts Text and HTML together. Of the forms of a multipart/alternative the plain
// one is taken; text is made of HTML only where there is no plain form.
func (c *collector) finish() {
	plain := map[int]bool{}
	for _, t := range c.texts {
		if !t.html && t.alternative > 0 {
			plain[t.alternative] = true
		}
	}
	var b, page strings.Builder
	cut := false
	for _, t := range c.texts {
		if t.html {
			addLines(&page, t.content)
		}
		if t.html && plain[t.alternative] {
			continue
		}
		s := t.content
		if t.html {
			var short bool
			s, short = textOf(s, max(c.limits.Text-b.Len(), 0))
			cut = cut || short
		}
		if b.Len() < c.limits.Text {
			addLines(&b, s)
		}
	}
	if cut || b.Len() > c.limits.Text {
		c.d.once(DefectTextTooLarge, "", "the text is cut")
	}
	c.m.Text, c.m.HTML = clip(b.String(), c.limits.Text), clip(page.String(), c.limits.HTML)
	c.markInline()
}

// addLines adds the text of another part, on a new line.
func addLines(b *strings.Builder, s string) {
	if b.Len() > 0 && !strings.HasSuffix(b.String(), "\n") {
		b.WriteByte('\n')
	}
	b.WriteString(s)
}

func (c *collector) attach(e *entity, given string, content []byte) {
	name, changed := safeFilename(given)
	if changed && given != "" {
		c.d.add(DefectFilename, e.id, given)
	}
	if name == "" && e.isMessage() {
		h, _, _ := ScanHeader(content)
		if subject, _ := charset.Words(h.Get("Subject")); subject != "" {
			name, _ = safeFilename(strings.NewReplacer("/", "_", `\`, "_").Replace(clip(subject, 100)) + ".eml")
		}
	}
	if name == "" {
		name = defaultFilename(e.id, e.ctype)
	}
	sum := sha256.Sum256(content)
	c.m.Attachments = append(c.m.Attachments, Attachment{
		Filename:    name,
		ContentType: e.ctype,
		ContentID:   e.cid,
		Inline:      e.disposition == "inline" || e.cid != "" && e.disposition != "attachment",
		Size:        int64(len(content)),
		SHA256:      hex.EncodeToString(sum[:]),
		Content:     content,
		Part:        e.id,
		Message:     e.isMessage(),
	})
}

// markInline marks what the HTML refers to by Content-ID (RFC 2392), because
// some senders call such images attachments.
func (c *collector) markInline() {
	candidates := false
	for _, a := range c.m.Attachments {
		candidates = candidates || !a.Inline && a.ContentID != ""
	}
	if !candidates {
		return
	}
	used := map[string]bool{}
	for rest := c.m.HTML; ; {
		_, after, ok := strings.Cut(rest, "cid:")
		if !ok {
			break
		}
		end := strings.IndexAny(after, "\"' >)&\n")
		if end < 0 {
			end = len(after)
		}
		used[string(appendPercent(nil, after[:end]))] = true
		rest = after[end:]
	}
	for i, a := range c.m.Attachments {
		if a.ContentID != "" && used[a.ContentID] {
			c.m.Attachments[i].Inline = true
		}
	}
}

// metaCharset finds the charset that an HTML document names itself.
func metaCharset(b []byte) string {
	head := bytes.ToLower(b[:min(len(b), 1024)])
	_, value, ok := bytes.Cut(head, []byte("charset="))
	if !ok {
		return ""
	}
	value = bytes.TrimLeft(value, `"' `)
	if i := bytes.IndexAny(value, "\"' />;\r\n"); i >= 0 {
		value = value[:i]
	}
	return string(value)
}
