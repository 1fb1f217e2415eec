package message

import (
	"strconv"
	"strings"

	"github.com/mailyard/mailyard/pkg/message/charset"
)

// An entity is a MIME part before its content is known: what its header says
// (RFC 2045) and where it stands.
type entity struct {
	id          string // IMAP part number; empty: the mail itself, if it is a multipart
	ctype       string // type/subtype, lower case
	typeParams  params
	disposition string // lower case; empty: none
	dispParams  params
	encoding    string // Content-Transfer-Encoding as it stands there
	cid         string
	start       int // offset of the body

	parent      string // subtype of the multipart that it is in; empty: none
	first       bool   // of its parent
	alternative int    // number of the innermost multipart/alternative around it; 0: none
	whole       bool   // kept as one attachment, whatever its type says
}

func newEntity(h Header, id, defaultType string, d *defects) entity {
	e := entity{id: id, ctype: defaultType}
	typed := false
	for _, f := range h.Fields {
		if len(f.Name) < 9 || !strings.EqualFold(f.Name[:8], "content-") {
			continue
		}
		switch strings.ToLower(f.Name[8:]) {
		case "type":
			if !typed {
				typed = true
				e.readType(f.Value, d)
			}
		case "disposition":
			if e.disposition == "" {
				e.disposition, e.dispParams = parseParams(f.Value)
			}
		case "transfer-encoding":
			if e.encoding == "" {
				e.encoding = f.Value
			}
		case "id":
			if e.cid == "" {
				e.cid = firstID(f.Value)
			}
		}
	}
	if e.typeParams.cut || e.dispParams.cut {
		d.add(DefectParameters, id, "more than "+strconv.Itoa(maxParams))
	}
	return e
}

func (e *entity) readType(value string, d *defects) {
	ctype, p := parseParams(value)
	e.typeParams = p
	kind, sub, ok := strings.Cut(ctype, "/")
	switch {
	case ok && token(kind) && token(sub):
		e.ctype = ctype
		return
	case ctype == "text" || ctype == "plain" || strings.HasPrefix(ctype, "text/"):
		e.ctype = "text/plain"
	case ctype == "html":
		e.ctype = "text/html"
	case ctype == "":
	default:
		e.ctype = "application/octet-stream"
	}
	d.add(DefectContentType, e.id, value)
}

// token reports whether s is a token (RFC 2045, section 5.1) of sensible length.
func token(s string) bool {
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c >= 0x7F || strings.IndexByte(`()<>@,;:\"/[]?=`, c) >= 0 {
			return false
		}
	}
	return s != "" && len(s) <= 127 // RFC 6838, section 4.2
}

// subtype returns the subtype of a multipart, "" if e is none.
func (e *entity) subtype() string {
	sub, ok := strings.CutPrefix(e.ctype, "multipart/")
	if !ok {
		return ""
	}
	return sub
}

// rawFilename returns the file name as the sender gave it, "" if there is none.
func (e *entity) rawFilename(d *defects) string {
	for _, from := range []struct {
		p    params
		name string
	}{{e.dispParams, "filename"}, {e.typeParams, "name"}} {
		value, whole := from.p.get(from.name)
		if !whole {
			d.add(DefectParameters, e.id, from.name+" has gaps")
		}
		if value, _ = charset.Words(value); strings.TrimSpace(value) != "" {
			return value
		}
	}
	return ""
}

// isText reports whether the part is text that is to be read with the mail, by
// the rules of RFC 8621, section 4.1.4.
func (e *entity) isText(named bool) bool {
	if e.whole || e.disposition == "attachment" || e.ctype != "text/plain" && e.ctype != "text/html" {
		return false
	}
	return e.first || e.parent == "alternative" || e.parent != "related" && !named
}

// isMessage reports whether the part is a mail itself.
func (e *entity) isMessage() bool {
	return !e.whole && (e.ctype == "message/rfc822" || e.ctype == "message/global")
}
