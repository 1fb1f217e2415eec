package message

import (
	"bytes"
	"strconv"
	"strings"
)

// A walker finds the parts of a mail in one pass over its lines, without
// recursion. Only lines that begin with "--" are looked at.
type walker struct {
	raw    []byte
	limits Limits
	d      *defects
	leaf   func(e entity, content []byte) // called for every part that is no multipart, in order

	frames []frame // open multiparts, outermost first; at most limits.Depth
	open   entity  // the part whose content is being passed, if inLeaf
	inLeaf bool

	parts, depth, alternatives int // counted
	candidates                 int // lines looked at
}

// A frame is a multipart whose parts are being read.
type frame struct {
	id          string
	subtype     string
	boundary    []byte
	children    int
	alternative int
	closed      bool // its final boundary was seen
}

// walk goes through the entity e, whose body begins at e.start.
func (w *walker) walk(e entity) {
	w.begin(e)
	for at := e.start; len(w.frames) > 0; {
		line, start, next := w.nextDashes(at)
		if line == nil {
			break
		}
		at = next
		n, final := w.match(line)
		if n < 0 {
			continue
		}
		w.endLeaf(start)
		w.closeAbove(n)
		f := &w.frames[n]
		if final {
			f.closed = true
			continue
		}
		if f.closed {
			f.closed = false
			w.d.once(DefectPartsAfterEnd, f.id, "parts after the final boundary")
		}
		f.children++
		if w.parts >= w.limits.Parts {
			w.d.add(DefectTooManyParts, "", "more than "+strconv.Itoa(w.limits.Parts))
			w.leaf(entity{id: w.childID(f), ctype: "application/octet-stream", whole: true}, w.raw[start:])
			return
		}
		at = w.beginPart(next)
	}
	w.endLeaf(len(w.raw))
	w.closeAbove(-1)
}

// nextDashes finds the next line, from the start of a line on, that begins with
// "--". It returns what follows these, without trailing white space.
func (w *walker) nextDashes(at int) (line []byte, start, next int) {
	rest := w.raw[at:]
	if !bytes.HasPrefix(rest, []byte("--")) {
		i := bytes.Index(rest, []byte("\n--"))
		if i < 0 {
			return nil, 0, 0
		}
		at += i + 1
		rest = rest[i+1:]
	}
	w.candidates++
	line, n := cutLine(rest, false)
	return bytes.TrimRight(line[2:], " \t"), at, at + n
}

// match finds the open multipart, innermost first, whose boundary the line is.
func (w *walker) match(line []byte) (n int, final bool) {
	for n = len(w.frames) - 1; n >= 0; n-- {
		if rest, ok := bytes.CutPrefix(line, w.frames[n].boundary); ok {
			if len(rest) == 0 {
				return n, false
			}
			if string(rest) == "--" {
				return n, true
			}
		}
	}
	return -1, false
}

// closeAbove ends the multiparts that are inside of frame n.
func (w *walker) closeAbove(n int) {
	for _, f := range w.frames[n+1:] {
		if !f.closed {
			w.d.once(DefectBoundaryUnclosed, f.id, "the final boundary is missing")
		}
	}
	w.frames = w.frames[:n+1]
}

// beginPart reads the header of a part of the innermost multipart, and returns
// where to go on.
func (w *walker) beginPart(at int) int {
	f := &w.frames[len(w.frames)-1]
	id := w.childID(f)
	end, body := headerEnd(w.raw, at, false, func(line []byte) bool {
		n, _ := w.match(bytes.TrimRight(line[2:], " \t"))
		return n >= 0
	})
	lines := w.raw[at:end]
	if len(lines) > w.limits.PartHeader {
		w.d.add(DefectHeaderTooLarge, id, strconv.Itoa(len(lines))+" bytes")
		lines = wholeLines(lines[:w.limits.PartHeader])
	}
	defaultType := "text/plain"
	if f.subtype == "digest" {
		defaultType = "message/rfc822" // RFC 2046, section 5.1.5
	}
	e := newEntity(Header{Fields: scanFields(lines, false, id, w.d)}, id, defaultType, w.d)
	e.parent, e.first, e.alternative, e.start = f.subtype, f.children == 1, f.alternative, body
	w.begin(e)
	return body
}

func (w *walker) childID(f *frame) string {
	if f.id == "" {
		return strconv.Itoa(f.children)
	}
	return f.id + "." + strconv.Itoa(f.children)
}

// begin enters a part: a multipart becomes a frame, anything else the open leaf.
func (w *walker) begin(e entity) {
	w.parts++
	w.open, w.inLeaf = e, true
	subtype := e.subtype()
	if subtype == "" {
		return
	}
	if len(w.frames) >= w.limits.Depth {
		w.d.add(DefectTooDeep, "", "deeper than "+strconv.Itoa(w.limits.Depth))
		w.open.whole = true
		return
	}
	boundary := w.findBoundary(&e)
	if boundary == nil {
		w.open.ctype = "text/plain"
		return
	}
	w.inLeaf = false
	f := frame{id: e.id, subtype: subtype, boundary: boundary, alternative: e.alternative}
	if subtype == "alternative" {
		w.alternatives++
		f.alternative = w.alternatives
	}
	w.frames = append(w.frames, f)
	w.depth = max(w.depth, len(w.frames))
}

// findBoundary returns the boundary of a multipart: the one it names, if that
// occurs before the boundary of an outer multipart, or else the first line that
// looks like one. nil: there is none. The lines that it passes are passed once
// more by walk, never a third time.
func (w *walker) findBoundary(e *entity) []byte {
	named, _ := e.typeParams.get("boundary")
	named = strings.TrimRight(named, " \t")
	var guess []byte
	for at := e.start; ; {
		line, _, next := w.nextDashes(at)
		if line == nil {
			break
		}
		at = next
		if named != "" && (string(line) == named || string(line) == named+"--") {
			return line[:len(named)]
		}
		if n, _ := w.match(line); n >= 0 {
			break
		}
		if guess == nil && startsPart(line, w.raw[next:]) {
			guess = line
			if named == "" {
				break
			}
		}
	}
	if e.start < len(w.raw) {
		w.d.add(DefectBoundaryMissing, e.id, e.ctype)
	}
	return guess
}

// startsPart reports whether a line is likely a boundary: a word, and a MIME
// field follows.
func startsPart(line, next []byte) bool {
	const field = "content-"
	return len(line) > 0 && len(line) <= 200 && !bytes.ContainsAny(line, " \t") &&
		len(next) >= len(field) && strings.EqualFold(string(next[:len(field)]), field)
}

// endLeaf hands the open part over. The line end before a boundary belongs to
// the boundary (RFC 2046, section 5.1.1).
func (w *walker) endLeaf(end int) {
	if !w.inLeaf {
		return
	}
	w.inLeaf = false
	content := w.raw[w.open.start:max(end, w.open.start)]
	if end < len(w.raw) {
		content = bytes.TrimSuffix(content, []byte("\n"))
		content = bytes.TrimSuffix(content, []byte("\r"))
	}
	w.leaf(w.open, content)
}
