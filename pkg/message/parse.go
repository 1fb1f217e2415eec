package message

import (
	"bytes"
	"strings"

	"github.com/mailyard/mailyard/pkg/address"
	"github.com/mailyard/mailyard/pkg/message/charset"
)

// Parse reads a mail. It never fails: what is wrong with the mail is listed in
// Message.Defects, and what can be read of it is there. It also takes the header
// section alone. The result may share memory with raw.
func Parse(raw []byte, l Limits) *Message {
	m := &Message{}
	var d defects
	l = l.withDefaults()
	if s := findSection(raw); s.cr {
		// Everything below knows LF and CRLF.
		raw = bytes.ReplaceAll(bytes.ReplaceAll(raw, []byte("\r\n"), []byte("\n")), []byte("\r"), []byte("\n"))
		d.add(DefectBareCR, "", "lines end with CR")
	}
	var body int
	m.Header, body = scanHeader(raw, &d)
	m.Unparsable = len(m.Header.Fields) == 0
	readFields(m, &d)

	e := newEntity(m.Header, "", "text/plain", &d)
	e.start, e.first = body, true
	c := collector{limits: l, d: &d, m: m}
	w := walker{raw: raw, limits: l, d: &d, leaf: c.leaf}
	w.walk(e)
	c.finish()

	judgeBounce(m, c.sentID)
	m.Defects = d.list
	return m
}

// readFields fills what comes from the header alone.
func readFields(m *Message, d *defects) {
	h := m.Header
	m.MessageID = firstID(h.Get("Message-ID"))
	m.InReplyTo = firstID(h.Get("In-Reply-To"))
	m.References = parseIDs(h.Get("References"))
	m.Subject = decodeSubject(h.Get("Subject"), d)
	for _, to := range []struct {
		name string
		list *[]address.Address
	}{
		{"From", &m.From}, {"Sender", &m.Sender}, {"Reply-To", &m.ReplyTo},
		{"To", &m.To}, {"Cc", &m.Cc}, {"Bcc", &m.Bcc},
	} {
		for _, f := range h.Fields {
			if strings.EqualFold(f.Name, to.name) {
				*to.list = append(*to.list, address.ParseList(f.Value)...)
			}
		}
	}
	if value := h.Get("Date"); value != "" {
		var exact bool
		if m.Date, exact = parseDate(value); !exact {
			d.add(DefectDate, "", value)
		}
	}
	m.AutoSubmitted = autoSubmitted(h)
	m.AutoReply = isAutoReply(h)
	m.AuthResults = h.Values("Authentication-Results")
	noteDuplicates(h, d)
}

func decodeSubject(value string, d *defects) string {
	s, clean := charset.Words(value)
	if !clean {
		d.add(DefectCharsetWrong, "", "Subject: "+value)
	}
	return strings.TrimSpace(strings.ReplaceAll(s, "\x00", ""))
}

// noteDuplicates lists fields that may stand only once (RFC 5322, section 3.6),
// because programs differ in which one they show.
func noteDuplicates(h Header, d *defects) {
	for _, name := range []string{"From", "Subject", "Date", "Message-ID", "Content-Type"} {
		n := 0
		for _, f := range h.Fields {
			if strings.EqualFold(f.Name, name) {
				n++
			}
		}
		if n > 1 {
			d.add(DefectDuplicateField, "", name)
		}
	}
}
