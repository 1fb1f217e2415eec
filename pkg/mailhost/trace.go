package mailhost

import (
	"fmt"
	"strings"
	"sync/atomic"
	"unicode"
	"unicode/utf8"
)

// A Direction says who said a line.
type Direction string

// The directions.
const (
	ToServer   Direction = "C"
	FromServer Direction = "S"
	Remark     Direction = "-" // of ours, about the connection
)

// A Trace takes what is said over a connection, line by line. Who speaks the
// protocol leaves out what must not be shown: sign-ins and mail. A nil Trace
// takes nothing.
type Trace struct {
	// On is whether lines are taken; it may change at any time. While it is
	// off, a line costs one look at it.
	On *atomic.Bool
	// Take takes one line, fit to be shown. It is called from several goroutines
	// and must not block.
	Take func(d Direction, text string)
}

// Active reports whether lines are taken.
func (t *Trace) Active() bool { return t != nil && t.On.Load() }

// Say gives a line to Take.
func (t *Trace) Say(d Direction, text string) { t.Take(d, printable(text)) }

// longestLine is how much of a line is shown, runes.
const longestLine = 1000

// printable makes a line fit to be shown: control characters and those that
// have no width are escaped, what is not UTF-8 is replaced, the rest is cut.
func printable(text string) string {
	var b strings.Builder
	n := 0
	for i, r := range text {
		if n++; n > longestLine {
			fmt.Fprintf(&b, "… (%d bytes more)", len(text)-i)
			break
		}
		switch {
		case r == utf8.RuneError:
			b.WriteRune(r)
		case r < 0x80 && unicode.IsControl(r):
			fmt.Fprintf(&b, `\x%02x`, r)
		case unicode.IsControl(r), unicode.Is(unicode.Cf, r), unicode.Is(unicode.Zl, r), unicode.Is(unicode.Zp, r):
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}
