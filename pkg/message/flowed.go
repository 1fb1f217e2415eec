package message

import "strings"

// joinFlowed undoes format=flowed (RFC 3676, section 4): a line that ends with a
// space goes on in the next one of the same quote depth. delSp says that this
// space is not part of the text.
func joinFlowed(s string, delSp bool) string {
	var b strings.Builder
	b.Grow(len(s))
	open, depth := false, 0 // the line written last goes on
	for s != "" {
		line, rest, ended := strings.Cut(s, "\n")
		s = rest
		quotes := len(line) - len(strings.TrimLeft(line, ">"))
		line = strings.TrimPrefix(line[quotes:], " ") // space-stuffing
		if open && (quotes != depth || line == "-- ") {
			b.WriteByte('\n')
			open = false
		}
		if !open && quotes > 0 {
			b.WriteString(strings.Repeat(">", quotes))
			b.WriteByte(' ')
		}
		flows := strings.HasSuffix(line, " ") && line != "-- " && ended
		if flows && delSp {
			line = line[:len(line)-1]
		}
		b.WriteString(line)
		if !flows && ended {
			b.WriteByte('\n')
		}
		open, depth = flows, quotes
	}
	return b.String()
}
