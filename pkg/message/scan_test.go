package message_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mailyard/mailyard/pkg/message"
)

func TestScanHeader(t *testing.T) {
	t.Parallel()
	one := []message.Field{{Name: "A", Value: "b"}}
	two := []message.Field{{Name: "A", Value: "b"}, {Name: "C", Value: "d"}}
	for _, c := range []struct {
		name, raw string
		fields    []message.Field
		body      string
		defects   []string
	}{
		{"CRLF", "A: b\r\nC: d\r\n\r\nx", two, "x", nil},
		{"LF", "A: b\nC: d\n\nx", two, "x", nil},
		{"CR", "A: b\rC: d\r\rx", two, "x", []string{message.DefectBareCR}},
		{"CR CR LF", "A: b\r\r\nC: d\r\r\n\r\r\nx", two, "x", nil},
		{"mixed", "A: b\nC: d\r\n\nx", two, "x", nil},
		{"no body", "A: b\r\nC: d", two, "", nil},
		{"no space after the colon", "A:b\r\n\r\nx", one, "x", nil},
		{"space before the colon", "A \t: b\r\n\r\nx", one, "x", nil},
		{"folded", "A: b\r\n\t c \r\n  d\r\n\r\nx", []message.Field{{Name: "A", Value: "b c d"}}, "x", nil},
		{"folded from the start", "A:\r\n b\r\n\r\nx", one, "x", nil},
		{"folded with a blank line", "A: b\r\n \t\r\nC: d\r\n\r\nx", two, "x", nil},
		{"empty lines first", "\r\n\n \t\r\nA: b\r\n\r\nx", one, "x", []string{message.DefectLeadingBytes}},
		{"space first", "  A: b\r\n\r\nx", one, "x", []string{message.DefectLeadingBytes}},
		{"byte order mark", "\xEF\xBB\xBFA: b\r\n\r\nx", one, "x", []string{message.DefectLeadingBytes}},
		{"mbox", "From x Mon\r\nA: b\r\n\r\nx", one, "x", []string{message.DefectMboxLine}},
		{"quoted mbox", ">From x Mon\r\nA: b\r\n\r\nx", one, "x", []string{message.DefectMboxLine}},
		{"From with a colon is a field", "From: x\r\n\r\nx", []message.Field{{Name: "From", Value: "x"}}, "x", nil},
		{"no colon", "A: b\r\nnonsense\r\n more of it: y\r\nC: d\r\n\r\nx", two, "x", []string{message.DefectHeaderLine}},
		{"no name", ": z\r\nA: b\r\n\r\nx", one, "x", []string{message.DefectHeaderLine}},
		{"name with a space", "A B: z\r\nC: d\r\n\r\nx", two[1:], "x", []string{message.DefectHeaderLine}},
		{"name in UTF-8", "Ä: z\r\nC: d\r\n\r\nx", two[1:], "x", []string{message.DefectHeaderLine}},
		{"empty value", "A:\r\n\r\nx", []message.Field{{Name: "A"}}, "x", nil},
		{"raw UTF-8", "A: ä\r\n\r\nx", []message.Field{{Name: "A", Value: "ä"}}, "x", nil},
		{"raw windows-1252", "A: \x80 \xE4\r\n\r\nx", []message.Field{{Name: "A", Value: "€ ä"}}, "x", []string{message.DefectHeaderBytes}},
		{"NUL", "A: b\x00\r\n\r\nx", one, "x", []string{message.DefectHeaderBytes}},
		{"CR within a line", "X: y\r\nA: b\rBcc: d\r\n\r\nx", []message.Field{{Name: "X", Value: "y"}, {Name: "A", Value: "b Bcc: d"}}, "x", []string{message.DefectHeaderBytes}},
		{"boundary at once", "A: b\r\n--bound\r\n\r\nx", one, "--bound\r\n\r\nx", []string{message.DefectNoSeparator}},
		{"no field", "just\r\n\r\ntext", nil, "just\r\n\r\ntext", []string{message.DefectHeaderLine, message.DefectNoHeader}},
		{"white space only", " \r\n\r\n", nil, " \r\n\r\n", []string{message.DefectNoHeader}},
		{"nothing", "", nil, "", []string{message.DefectNoHeader}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			h, body, defects := message.ScanHeader([]byte(c.raw))
			var codes []string
			for _, d := range defects {
				codes = append(codes, d.Code)
			}
			if diff := cmp.Diff(c.fields, h.Fields); diff != "" && len(c.fields)+len(h.Fields) > 0 {
				t.Errorf("fields (-want +got):\n%s", diff)
			}
			if got := c.raw[body:]; got != c.body {
				t.Errorf("body %q; want %q", got, c.body)
			}
			if diff := cmp.Diff(c.defects, codes); diff != "" {
				t.Errorf("defects (-want +got):\n%s", diff)
			}
		})
	}
}

func TestHeaderSectionEndsWithTheEmptyLine(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{
		"A: b\r\n\r\nbody\r\n\r\n": "A: b\r\n\r\n",
		"A: b\n\nbody":             "A: b\n\n",
		"\nA: b\n\nbody":           "\nA: b\n\n",
		"A: b\r\n":                 "A: b\r\n",
		"A: b\r\n--x\r\n":          "A: b\r\n",
	} {
		if got := string(message.HeaderSection([]byte(raw))); got != want {
			t.Errorf("header section of %q: %q; want %q", raw, got, want)
		}
	}
}
