package message

import (
	"bytes"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
)

const bombHead = "Subject: bomb\r\nContent-Type: multipart/mixed; boundary=\"b0\"\r\n\r\n"

// work parses a mail and returns what its walker counted.
func work(raw []byte, l Limits) (*walker, []Defect, [][]byte) {
	var d defects
	h, body := scanHeader(raw, &d)
	e := newEntity(h, "", "text/plain", &d)
	e.start, e.first = body, true
	var leaves [][]byte
	w := &walker{raw: raw, limits: l.withDefaults(), d: &d, leaf: func(_ entity, content []byte) { leaves = append(leaves, content) }}
	w.walk(e)
	return w, d.list, leaves
}

func has(list []Defect, code string) bool {
	return slices.ContainsFunc(list, func(d Defect) bool { return d.Code == code })
}

func TestTenThousandLevelsOfNestingAreWalkedToTheDepthLimit(t *testing.T) {
	t.Parallel()
	const levels = 10_000
	var b strings.Builder
	b.WriteString(bombHead)
	for i := range levels {
		fmt.Fprintf(&b, "--b%d\r\nContent-Type: multipart/mixed; boundary=\"b%d\"\r\n\r\n", i, i+1)
	}
	w, list, leaves := work([]byte(b.String()), Limits{})
	if w.depth != 50 || w.parts != 51 {
		t.Errorf("depth %d, parts %d; want 50 and 51", w.depth, w.parts)
	}
	if !has(list, DefectTooDeep) {
		t.Errorf("the depth is not noted: %+v", list)
	}
	if w.candidates > 2*levels {
		t.Errorf("%d boundary lines looked at in a mail that has %d", w.candidates, levels)
	}
	if len(leaves) != 1 || !bytes.Contains(leaves[0], fmt.Appendf(nil, "b%d", levels)) {
		t.Errorf("the rest is not one part that reaches to the end: %d parts", len(leaves))
	}
}

func TestAMillionEmptyPartsStopAtThePartLimit(t *testing.T) {
	t.Parallel()
	const parts = 1_000_000
	raw := []byte(bombHead + strings.Repeat("--b0\r\n\r\n", parts) + "--b0--\r\n")
	w, list, leaves := work(raw, Limits{})
	if w.parts != 1000 || w.candidates > 1002 {
		t.Errorf("parts %d, lines looked at %d; want 1000 and as many", w.parts, w.candidates)
	}
	if !has(list, DefectTooManyParts) {
		t.Errorf("the number of parts is not noted: %+v", list)
	}
	rest := leaves[len(leaves)-1]
	if want := (parts - 999) * len("--b0\r\n\r\n"); len(rest) < want {
		t.Errorf("the rest has %d bytes; want at least %d", len(rest), want)
	}
}

func TestAHugePartHeaderIsCutAndTheBodyFound(t *testing.T) {
	const size = 100 << 20 // not parallel: memory is measured
	line := "X-Padding: " + strings.Repeat("0123456789", 98) + "\r\n"
	var b bytes.Buffer
	b.Grow(size + 1000)
	b.WriteString(bombHead + "--b0\r\n")
	for b.Len() < size {
		b.WriteString(line)
	}
	b.WriteString("\r\nthe body\r\n--b0--\r\n")
	raw := b.Bytes()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, list, leaves := work(raw, Limits{})
	runtime.ReadMemStats(&after)
	if allocated := after.TotalAlloc - before.TotalAlloc; allocated > 1<<20 {
		t.Errorf("%d bytes allocated; want no more than a few times the limit of 64 KiB", allocated)
	}
	if !has(list, DefectHeaderTooLarge) || len(leaves) != 1 || string(leaves[0]) != "the body" {
		t.Errorf("defects %+v, %d parts", list, len(leaves))
	}
}

func TestFortyThousandContinuationsAreCut(t *testing.T) {
	t.Parallel()
	var value strings.Builder
	value.WriteString("attachment")
	for i := range 40_000 {
		fmt.Fprintf(&value, "; filename*%d=x", i)
	}
	_, p := parseParams(value.String())
	if len(p.list) != maxParams || !p.cut {
		t.Errorf("%d parameters taken, cut: %v; want %d and true", len(p.list), p.cut, maxParams)
	}
	raw := "Content-Disposition: " + value.String() + "\r\n\r\nx"
	m := Parse([]byte(raw), DefaultLimits())
	if !has(m.Defects, DefectParameters) || len(m.Attachments) != 1 || m.Attachments[0].Filename != strings.Repeat("x", maxFilename) {
		t.Errorf("attachments %+v, defects %+v", m.Attachments, m.Defects)
	}
}

func TestBoundariesThatNeverComeAreNotSearchedTwice(t *testing.T) {
	t.Parallel()
	// Each part is a multipart whose boundary does not occur: a search to the
	// end of the mail for each would be quadratic.
	const parts, dashes = 900, 100
	part := "--b0\r\nContent-Type: multipart/mixed; boundary=never\r\n\r\n" + strings.Repeat("--no\r\n", dashes)
	w, list, leaves := work([]byte(bombHead+strings.Repeat(part, parts)+"--b0--\r\n"), Limits{})
	if limit := 2 * parts * (dashes + 2); w.candidates > limit {
		t.Errorf("%d lines looked at; want at most %d", w.candidates, limit)
	}
	if len(leaves) != parts || !has(list, DefectBoundaryMissing) {
		t.Errorf("%d parts; want %d", len(leaves), parts)
	}
}

func TestTextsAreCutAtTheirLimits(t *testing.T) {
	t.Parallel()
	l := Limits{Text: 1000, HTML: 1000}
	for name, raw := range map[string]string{
		"one text":   "A: b\r\n\r\n" + strings.Repeat("ä", 2000),
		"many texts": bombHead + strings.Repeat("--b0\r\n\r\n"+strings.Repeat("x", 400)+"\r\n", 10),
		"many pages": bombHead + strings.Repeat("--b0\r\nContent-Type: text/html\r\n\r\n<p>"+strings.Repeat("x", 400)+"\r\n", 10),
		"wide text":  "Content-Type: text/plain; charset=windows-1252\r\n\r\n" + strings.Repeat("\x80", 1000),
	} {
		m := Parse([]byte(raw), l)
		if len(m.Text) > l.Text || len(m.HTML) > l.HTML || len(m.Text) < 900 {
			t.Errorf("%s: text of %d bytes, HTML of %d", name, len(m.Text), len(m.HTML))
		}
		if !has(m.Defects, DefectTextTooLarge) {
			t.Errorf("%s: the cut is not noted: %+v", name, m.Defects)
		}
	}
}

func TestAHundredThousandDefectsAreAHundred(t *testing.T) {
	t.Parallel()
	part := "--b0\r\nContent-Type: text/plain; charset=nonsense\r\n\r\nx\r\n"
	m := Parse([]byte(bombHead+strings.Repeat(part, 900)), DefaultLimits())
	if len(m.Defects) != maxDefects+1 || m.Defects[maxDefects].Code != DefectTooManyDefects {
		t.Errorf("%d defects, the last %+v", len(m.Defects), m.Defects[len(m.Defects)-1])
	}
}

func TestAHugeHeaderIsCutAfterAWholeLine(t *testing.T) {
	t.Parallel()
	raw := []byte("Subject: huge\r\nTo: " + strings.Repeat("someone@example.com,\r\n ", 20_000) + "x@example.com\r\n\r\nbody")
	h, body, list := ScanHeader(raw)
	if string(raw[body:]) != "body" || !has(list, DefectHeaderTooLarge) {
		t.Errorf("body %q, defects %+v", raw[body:][:4], list)
	}
	if to := h.Get("To"); !strings.HasSuffix(to, "someone@example.com,") || len(to) > MaxHeader {
		t.Errorf("To ends with %q", to[len(to)-30:])
	}
	if n := len(HeaderSection(raw)); n > MaxHeader || n < MaxHeader-100 {
		t.Errorf("header section of %d bytes", n)
	}
}
