package message

import (
	"strconv"
	"strings"
	"time"
)

// Dates outside of these years are absurd: nobody mailed before, and none of us
// will read what is later.
const (
	firstYear = 1980
	lastYear  = 2100
)

// parseDate reads the date of a mail: RFC 5322, section 3.3, its obsolete forms,
// ISO 8601, asctime, and whatever else has a day, a month and a year in it. The
// result is in UTC, zero if there is no date or an absurd one. exact is false if
// something of it could not be understood.
func parseDate(s string) (t time.Time, exact bool) {
	p := dateParts{year: -1, month: -1, day: -1, exact: true}
	for _, word := range strings.FieldsFunc(dropComments(clip(s, 200)), func(r rune) bool { return r == ' ' || r == ',' || r == '\t' }) {
		if day, clock, ok := strings.Cut(word, "T"); ok && len(day) >= 8 && day[0] >= '0' && day[0] <= '9' && clock != "" {
			p.read(day)
			p.read(clock)
			continue
		}
		p.read(word)
	}
	if p.day < 1 || p.day > 31 || p.month < 1 || p.month > 12 || p.year < firstYear || p.year > lastYear {
		return time.Time{}, false
	}
	t = time.Date(p.year, time.Month(p.month), p.day, p.hour, p.minute, p.second, 0, time.UTC)
	if t.Day() != p.day {
		return time.Time{}, false // 31 February
	}
	return t.Add(-time.Duration(p.zone) * time.Minute), p.exact
}

func dropComments(s string) string {
	if !strings.Contains(s, "(") {
		return s
	}
	var b strings.Builder
	depth := 0
	for _, r := range s {
		switch {
		case r == '(':
			depth++
		case r == ')' && depth > 0:
			depth--
		case depth == 0:
			b.WriteRune(r)
		}
	}
	return b.String()
}

type dateParts struct {
	year, month, day     int // -1: not seen
	hour, minute, second int
	zone                 int // minutes east of UTC
	clock                bool
	exact                bool
}

func (p *dateParts) read(word string) {
	c := word[0]
	switch {
	case (c == '+' || c == '-') && p.clock:
		p.offset(word)
	case c >= '0' && c <= '9' && strings.Contains(word, ":"):
		p.time(word)
	case c >= '0' && c <= '9' && strings.ContainsAny(word, "-/."):
		p.triple(word)
	case c >= '0' && c <= '9':
		p.number(word)
	default:
		p.name(word)
	}
}

// time reads HH:MM, HH:MM:SS, both with a fraction and with a zone glued to it.
func (p *dateParts) time(word string) {
	p.clock = true
	end := 0
	for end < len(word) && (word[end] >= '0' && word[end] <= '9' || word[end] == ':' || word[end] == '.') {
		end++
	}
	f := strings.Split(word[:end], ":")
	for i, to := range []*int{&p.hour, &p.minute, &p.second} {
		if i < len(f) {
			whole, _, _ := strings.Cut(f[i], ".")
			*to = number(whole)
		}
	}
	if p.hour < 0 || p.hour > 23 || p.minute < 0 || p.minute > 59 || p.second < 0 || p.second > 60 {
		p.hour, p.minute, p.second, p.exact = 0, 0, 0, false
	}
	if end < len(word) {
		p.read(word[end:])
	}
}

// offset reads +0200, +02:00, +2.
func (p *dateParts) offset(word string) {
	digits := strings.ReplaceAll(word[1:], ":", "")
	n := number(digits)
	if len(digits) <= 2 {
		n *= 100
	}
	if n < 0 || n > 1459 || n%100 > 59 {
		p.exact = false
		return
	}
	p.zone = n/100*60 + n%100
	if word[0] == '-' {
		p.zone = -p.zone
	}
}

// triple reads 2006-01-02, 02-Jan-06, 01/02/2006 (American unless it cannot be)
// and 02.01.2006.
func (p *dateParts) triple(word string) {
	f := strings.FieldsFunc(word, func(r rune) bool { return r == '-' || r == '/' || r == '.' })
	if len(f) != 3 {
		p.exact = false
		return
	}
	if len(f[0]) == 4 {
		p.year, p.month, p.day = number(f[0]), number(f[1]), number(f[2])
		return
	}
	p.day, p.month, p.year = number(f[0]), number(f[1]), fullYear(f[2])
	if m := monthNumber(f[1]); m > 0 {
		p.month = m
	} else if strings.Contains(word, "/") && p.month >= 1 && p.day <= 12 || p.month > 12 {
		p.day, p.month = p.month, p.day
	}
}

func (p *dateParts) number(word string) {
	n := number(word)
	switch {
	case len(word) <= 2 && p.day < 0:
		p.day = n
	case p.year < 0:
		p.year = fullYear(word)
	default:
		p.exact = false
	}
}

// name reads a month, AM or PM, or a zone. What it does not know, such as the
// day of the week in any language, does not matter.
func (p *dateParts) name(word string) {
	if m := monthNumber(word); m > 0 && p.month < 0 {
		p.month = m
		return
	}
	zone := strings.ToUpper(word)
	for _, utc := range []string{"GMT", "UTC", "UT"} {
		if rest, ok := strings.CutPrefix(zone, utc); ok && len(rest) > 1 && (rest[0] == '+' || rest[0] == '-') {
			p.offset(rest)
			return
		}
	}
	switch {
	case zone == "PM" && p.clock && p.hour < 12:
		p.hour += 12
	case zone == "AM" && p.clock && p.hour == 12:
		p.hour = 0
	case p.clock && p.zone == 0:
		p.zone = 60 * zoneHours(zone)
	}
}

// fullYear reads a year of two digits or three as RFC 5322, section 4.3, says.
func fullYear(s string) int {
	n := number(s)
	switch {
	case len(s) == 2 && n < 50:
		return n + 2000
	case len(s) == 2 || len(s) == 3:
		return n + 1900
	}
	return n
}

func number(s string) int {
	n, err := strconv.ParseUint(s, 10, 16)
	if err != nil {
		return -1
	}
	return int(n)
}

func monthNumber(s string) int {
	if len(s) < 3 {
		return 0
	}
	i := strings.Index("janfebmaraprmayjunjulaugsepoctnovdec", strings.ToLower(s[:3]))
	if i < 0 || i%3 != 0 {
		return 0
	}
	return i/3 + 1
}

// zoneHours knows the zones of RFC 5322, section 4.3, and others that mail
// programs write. Unknown ones count as UTC, as it says.
func zoneHours(name string) int {
	switch name {
	case "EDT":
		return -4
	case "EST", "CDT":
		return -5
	case "CST", "MDT":
		return -6
	case "MST", "PDT":
		return -7
	case "PST":
		return -8
	case "CET", "MET", "MEZ", "BST", "WEST":
		return 1
	case "CEST", "MEST", "MESZ", "EET":
		return 2
	case "EEST", "MSK":
		return 3
	case "SGT", "HKT":
		return 8
	case "JST", "KST":
		return 9
	case "AEST":
		return 10
	case "AEDT":
		return 11
	case "NZST":
		return 12
	case "NZDT":
		return 13
	}
	return 0
}
