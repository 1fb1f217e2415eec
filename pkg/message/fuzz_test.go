package message_test

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mailyard/mailyard/pkg/message"
	"github.com/mailyard/mailyard/pkg/message/messagetest"
)

func FuzzScanHeader(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, raw []byte) {
		h, body, _ := message.ScanHeader(raw)
		if body < 0 || body > len(raw) {
			t.Fatalf("body offset %d of %d bytes", body, len(raw))
		}
		checkStrings(t, &message.Message{Header: h})
		for _, field := range h.Fields {
			if field.Name == "" || bytes.ContainsAny([]byte(field.Value), "\r\n") {
				t.Fatalf("field %q: %q", field.Name, field.Value)
			}
		}
		section := message.HeaderSection(raw)
		if !bytes.HasPrefix(raw, section) || len(section) > max(body, message.MaxHeader) {
			t.Fatalf("header section of %d bytes, body at %d", len(section), body)
		}
		again, _, _ := message.ScanHeader(section)
		if diff := cmp.Diff(h, again); diff != "" {
			t.Fatalf("the header section alone reads otherwise (-mail +section):\n%s", diff)
		}
	})
}

func FuzzParse(f *testing.F) {
	seed(f)
	l := message.Limits{Depth: 3, Parts: 10, PartHeader: 200, Text: 300, HTML: 300}
	f.Fuzz(func(t *testing.T, raw []byte) {
		m := message.Parse(raw, l)
		checkStrings(t, m)
		size := 0
		for _, a := range m.Attachments {
			size += len(a.Content)
			if a.Size != int64(len(a.Content)) || a.Filename == "" || len(a.Filename) > 255 || len(a.SHA256) != 64 {
				t.Fatalf("attachment %+v", a)
			}
		}
		if len(m.Text) > l.Text || len(m.HTML) > l.HTML || len(m.Attachments) > l.Parts+1 || size > len(raw) || len(m.Defects) > 101 {
			t.Fatalf("limits exceeded: text %d, html %d, attachments %d with %d bytes, defects %d", len(m.Text), len(m.HTML), len(m.Attachments), size, len(m.Defects))
		}
		h, _, _ := message.ScanHeader(raw)
		if m.Unparsable != (len(h.Fields) == 0) {
			t.Fatalf("unparsable: %v, but %d fields", m.Unparsable, len(h.Fields))
		}
	})
}

func seed(f *testing.F) {
	for _, s := range messagetest.Samples() {
		if len(s.Raw) < 20_000 {
			f.Add(s.Raw)
		}
	}
	f.Add([]byte("A: b\r\rbody\r\nwith\n\rmixed"))
	f.Add([]byte("\xEF\xBB\xBF \r\nFrom x\r\nA : b\n c\r\n\td\r\r\n\r\nbody"))
	f.Add([]byte("A: b\r\n--x\r\n\r\nbody"))
	f.Add([]byte("Content-Type: multipart/x; boundary=\"a\"\n\n--a\nContent-Type: multipart/y; boundary=a--\n\n--a--\n--a\n\n--a----\n"))
}
