package message

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"github.com/mailyard/mailyard/pkg/message/charset"
)

// ScanHeader reads the header section at the start of a mail. It takes what
// other programs stumble over (RFC 5322, section 4, and worse): any kind of line
// ending, empty lines or white space before the first field, an mbox "From "
// line, lines that are no fields, white space before the colon, NUL and bytes
// that are not UTF-8 (then taken as windows-1252). body is the offset of the
// first byte after the empty line, len(raw) if there is none, and 0 if there is
// not one field: then everything is body. Fields beyond MaxHeader are ignored.
func ScanHeader(raw []byte) (h Header, body int, list []Defect) {
	var d defects
	h, body = scanHeader(raw, &d)
	return h, body, d.list
}

// HeaderSection returns the start of raw up to and including the empty line, cut
// after the last line within MaxHeader. ScanHeader finds the same fields in it as in
// the whole mail.
func HeaderSection(raw []byte) []byte {
	s := findSection(raw)
	if s.cut {
		return raw[:s.end]
	}
	return raw[:s.body]
}

func scanHeader(raw []byte, d *defects) (Header, int) {
	s := findSection(raw)
	lines := raw[s.start:s.end]
	line, n := cutLine(lines, s.cr)
	mbox := bytes.HasPrefix(line, []byte("From ")) || bytes.HasPrefix(line, []byte(">From "))
	if mbox {
		lines = lines[n:]
	}
	h := Header{Fields: scanFields(lines, s.cr, "", d)}
	if len(h.Fields) == 0 {
		d.add(DefectNoHeader, "", "not one header field found")
		return h, 0
	}
	for _, found := range []struct {
		is           bool
		code, detail string
	}{
		{s.start > 0, DefectLeadingBytes, "white space before the first field"},
		{mbox, DefectMboxLine, quoteStart(line)},
		{s.cr, DefectBareCR, "lines end with CR"},
		{s.cut, DefectHeaderTooLarge, "fields beyond 256 KiB are ignored"},
		{s.unseparated, DefectNoSeparator, "a boundary follows the header at once"},
	} {
		if found.is {
			d.add(found.code, "", found.detail)
		}
	}
	return h, s.body
}

// A headerSpan says where in a mail the header section is.
type headerSpan struct {
	start, end  int  // of the lines
	body        int  // first byte after the empty line
	cr          bool // lines end with CR alone
	cut         bool // there are lines beyond MaxHeader
	unseparated bool // the body follows without an empty line
}

func findSection(raw []byte) headerSpan {
	var s headerSpan
	if bytes.HasPrefix(raw, []byte("\xEF\xBB\xBF")) {
		s.start = 3
	}
	for s.start < min(len(raw), MaxHeader) && strings.IndexByte("\r\n \t", raw[s.start]) >= 0 {
		s.start++
	}
	s.cr = endsWithCR(raw[s.start:max(s.start, min(len(raw), MaxHeader))])
	s.end, s.body = headerEnd(raw, s.start, s.cr, func(line []byte) bool { return bytes.IndexByte(line, ':') < 0 })
	s.unseparated = s.end == s.body && s.body < len(raw)
	if s.end > MaxHeader {
		s.end, s.cut = s.start+len(wholeLines(raw[s.start:MaxHeader])), true
	}
	return s
}

// wholeLines drops the last line if it has no end, unless it is the only one:
// half an address is another address.
func wholeLines(b []byte) []byte {
	if i := bytes.LastIndexAny(b, "\r\n"); i >= 0 {
		return b[:i+1]
	}
	return b
}

// endsWithCR reports whether the first line of b ends with CR alone.
func endsWithCR(b []byte) bool {
	lf := bytes.IndexByte(b, '\n')
	if lf >= 0 {
		b = bytes.TrimRight(b[:lf], "\r")
	}
	return bytes.IndexByte(b, '\r') >= 0
}

// headerEnd looks from start for the empty line. stop is asked about lines that
// begin with "--" whether they belong to the body although there was none.
func headerEnd(raw []byte, start int, cr bool, stop func(line []byte) bool) (end, body int) {
	for at := start; at < len(raw); {
		line, n := cutLine(raw[at:], cr)
		switch {
		case len(line) == 0:
			return at, at + n
		case line[0] == '-' && len(line) > 1 && line[1] == '-' && stop(line):
			return at, at
		}
		at += n
	}
	return len(raw), len(raw)
}

// cutLine returns the first line of b without its ending, and its length with it.
func cutLine(b []byte, cr bool) (line []byte, n int) {
	if cr {
		i := bytes.IndexAny(b, "\r\n")
		if i < 0 {
			return b, len(b)
		}
		n = i + 1
		if b[i] == '\r' && n < len(b) && b[n] == '\n' {
			n++
		}
		return b[:i], n
	}
	i := bytes.IndexByte(b, '\n')
	if i < 0 {
		i, n = len(b), len(b)
	} else {
		n = i + 1
	}
	for i > 0 && b[i-1] == '\r' {
		i--
	}
	return b[:i], n
}

// scanFields reads header lines. All names and values share one buffer.
func scanFields(lines []byte, cr bool, part string, d *defects) []Field {
	if len(lines) == 0 {
		return nil
	}
	var b strings.Builder
	b.Grow(len(lines))
	fields := make([]Field, 0, min(bytes.Count(lines, []byte{'\n'})+1, 64))
	dirty := false
	for len(lines) > 0 {
		line, n := cutLine(lines, cr)
		lines = lines[n:]
		name, value, ok := cutField(line)
		if !ok && len(trim(line)) > 0 {
			d.once(DefectHeaderLine, part, quoteStart(line))
		}
		start := b.Len()
		b.Write(name)
		colon := b.Len()
		if ok {
			dirty = writeText(&b, value) || dirty
		}
		for len(lines) > 0 && (lines[0] == ' ' || lines[0] == '\t') {
			line, n = cutLine(lines, cr)
			lines = lines[n:]
			if more := trim(line); ok && len(more) > 0 {
				if b.Len() > colon {
					b.WriteByte(' ')
				}
				dirty = writeText(&b, more) || dirty
			}
		}
		if ok {
			text := b.String()
			fields = append(fields, Field{Name: text[start:colon], Value: text[colon:]})
		}
	}
	if dirty {
		d.add(DefectHeaderBytes, part, "NUL, bare CR or bytes that are not UTF-8")
	}
	return fields
}

// cutField splits a header line at its colon. ok is false if what stands before
// it is no field name (RFC 5322, section 2.2); white space before the colon is
// obsolete, but allowed (section 4.5).
func cutField(line []byte) (name, value []byte, ok bool) {
	colon := bytes.IndexByte(line, ':')
	if colon <= 0 {
		return nil, nil, false
	}
	name = trim(line[:colon])
	for _, c := range name {
		if c <= ' ' || c >= 0x7F {
			return nil, nil, false
		}
	}
	if len(name) == 0 {
		return nil, nil, false
	}
	return name, trim(line[colon+1:]), true
}

// writeText writes b as valid UTF-8 without NUL and CR, and reports whether
// anything had to be changed.
func writeText(w *strings.Builder, b []byte) bool {
	if utf8.Valid(b) && bytes.IndexByte(b, 0) < 0 && bytes.IndexByte(b, '\r') < 0 {
		w.Write(b)
		return false
	}
	text, _ := charset.Decode(b, "")
	w.WriteString(strings.NewReplacer("\x00", "", "\r", " ").Replace(text))
	return true
}

// trim removes spaces and tabs from both ends.
func trim(b []byte) []byte {
	for len(b) > 0 && (b[0] == ' ' || b[0] == '\t') {
		b = b[1:]
	}
	for len(b) > 0 && (b[len(b)-1] == ' ' || b[len(b)-1] == '\t') {
		b = b[:len(b)-1]
	}
	return b
}

// quoteStart returns the beginning of a line for a defect's detail.
func quoteStart(line []byte) string {
	return clip(string(line[:min(len(line), 80)]), 80)
}
