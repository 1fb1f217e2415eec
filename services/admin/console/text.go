package console

import (
	"fmt"
	"html/template"
	"strconv"
	"strings"
	"time"

	"github.com/mailyard/mailyard/pkg/config"
)

// absolute writes a time in full, with its zone.
func absolute(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.UTC().Format("2006-01-02 15:04:05 MST")
}

// ago writes a time relative to now; the absolute one is its title. app.js keeps
// it current, and shows the title in the zone of the browser.
func ago(now, t time.Time) template.HTML {
	if t.IsZero() {
		return `<span class="muted">never</span>`
	}
	return template.HTML(fmt.Sprintf(`<time datetime="%s" title="%s" data-ago>%s</time>`, t.UTC().Format(time.RFC3339), absolute(t), agoText(now.Sub(t))))
}

func agoText(d time.Duration) string {
	if d < 0 {
		if d > -5*time.Second {
			return "now"
		}
		return "in " + durationText(-d)
	}
	if d < 5*time.Second {
		return "now"
	}
	return durationText(d) + " ago"
}

// durationText writes a duration in its largest unit: "12 s", "3 min", "5 h",
// "2 d"; below a second in milliseconds.
func durationText(d time.Duration) string {
	switch {
	case d <= 0:
		return "0 s"
	case d < time.Second:
		return fmt.Sprintf("%d ms", max(d.Milliseconds(), 1))
	case d < 10*time.Second:
		return strings.TrimSuffix(strconv.FormatFloat(d.Seconds(), 'f', 1, 64), ".0") + " s"
	case d < 90*time.Second:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < 90*time.Minute:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", int(d.Hours()))
	}
	return fmt.Sprintf("%d d", int(d.Hours()/24))
}

// sizeText writes a size as "6 MB (6,000,000 bytes)"; small ones as bytes only.
func sizeText(n int64) string {
	if n < 1000 {
		return plural(n, "byte", "bytes")
	}
	return shortSize(n) + " (" + countText(n) + " bytes)"
}

// shortSize writes a size with three digits at most: "1.24 MB".
func shortSize(n int64) string {
	if n < 1000 {
		return config.FormatSize(n)
	}
	unit, step := []string{"kB", "MB", "GB", "TB"}, float64(n)/1000
	i := 0
	for step >= 999.5 && i < len(unit)-1 {
		step, i = step/1000, i+1
	}
	digits := 2
	switch {
	case step >= 99.95:
		digits = 0
	case step >= 9.995:
		digits = 1
	}
	s := strconv.FormatFloat(step, 'f', digits, 64)
	if strings.Contains(s, ".") {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	return s + " " + unit[i]
}

// countText writes a number with separators: "12,345".
func countText[N int | int64](n N) string {
	s := fmt.Sprint(n)
	sign := ""
	if strings.HasPrefix(s, "-") {
		sign, s = "-", s[1:]
	}
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return sign + s
}

// plural writes a number with its noun: "1 mailbox", "12 mailboxes".
func plural[N int | int64](n N, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return countText(n) + " " + many
}
