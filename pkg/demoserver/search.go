package demoserver

import (
	"bytes"
	netmail "net/mail"
	"os"
	"strings"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
)

// Search looks at the view. HEADER, TEXT and BODY compare with the mail as it is
// written, without decoding; that is enough for a demo.
func (s *session) Search(kind imapserver.NumKind, criteria *imap.SearchCriteria, _ *imap.SearchOptions) (*imap.SearchData, error) {
	s.account.mu.Lock()
	defer s.account.mu.Unlock()
	data := new(imap.SearchData)
	var seqs imap.SeqSet
	var uids imap.UIDSet
	match := s.criteria(criteria)
	for i, v := range s.view {
		if v.gone || !match(entry{uint32(i + 1), v.mail}) {
			continue
		}
		n := v.uid
		if kind == imapserver.NumKindSeq {
			n = uint32(i + 1)
			seqs.AddNum(n)
		} else {
			uids.AddNum(imap.UID(n))
		}
		data.Count++
		data.Max = n
		if data.Min == 0 {
			data.Min = n
		}
	}
	data.All = seqs
	if kind == imapserver.NumKindUID {
		data.All = uids
	}
	return data, nil
}

type predicate func(entry) bool

// criteria compiles search criteria; the account's lock is held here and when
// the result is called.
func (s *session) criteria(c *imap.SearchCriteria) predicate {
	var all []predicate
	add := func(p predicate) { all = append(all, p) }
	for _, set := range c.SeqNum {
		contains := s.matcher(set)
		add(func(e entry) bool { return contains(e.seq, e.uid) })
	}
	for _, set := range c.UID {
		contains := s.matcher(set)
		add(func(e entry) bool { return contains(e.seq, e.uid) })
	}
	if with, without := flagsOf(c.Flag), flagsOf(c.NotFlag); with|without != 0 {
		add(func(e entry) bool { return e.flags&with == with && e.flags&without == 0 })
	}
	if len(flagsOf(c.Flag).list()) < len(c.Flag) {
		add(func(entry) bool { return false }) // a keyword: no mail has one
	}
	if !c.Since.IsZero() || !c.Before.IsZero() {
		add(func(e entry) bool { return between(e.time(), c.Since, c.Before) })
	}
	if c.Larger > 0 || c.Smaller > 0 {
		add(func(e entry) bool {
			return (c.Larger == 0 || e.size > c.Larger) && (c.Smaller == 0 || e.size < c.Smaller)
		})
	}
	if len(c.Header)+len(c.Text)+len(c.Body) > 0 || !c.SentSince.IsZero() || !c.SentBefore.IsZero() {
		add(func(e entry) bool { return s.matchText(e.mail, c) })
	}
	for _, not := range c.Not {
		p := s.criteria(&not)
		add(func(e entry) bool { return !p(e) })
	}
	for _, or := range c.Or {
		p, q := s.criteria(&or[0]), s.criteria(&or[1])
		add(func(e entry) bool { return p(e) || q(e) })
	}
	return func(e entry) bool {
		for _, p := range all {
			if !p(e) {
				return false
			}
		}
		return true
	}
}

// between compares days, without regard to zones (RFC 3501, section 6.4.4).
func between(t, since, before time.Time) bool {
	d := time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC)
	return (since.IsZero() || !d.Before(since)) && (before.IsZero() || d.Before(before))
}

func (s *session) matchText(m *mail, c *imap.SearchCriteria) bool {
	raw, err := os.ReadFile(s.folder.path(m))
	if err != nil {
		return false
	}
	raw = bytes.ToLower(raw)
	header, body, _ := bytes.Cut(raw, []byte("\r\n\r\n"))
	for _, text := range c.Text {
		if !bytes.Contains(raw, []byte(strings.ToLower(text))) {
			return false
		}
	}
	for _, text := range c.Body {
		if !bytes.Contains(body, []byte(strings.ToLower(text))) {
			return false
		}
	}
	for _, field := range c.Header {
		if !hasField(header, strings.ToLower(field.Key), strings.ToLower(field.Value)) {
			return false
		}
	}
	if c.SentSince.IsZero() && c.SentBefore.IsZero() {
		return true
	}
	return between(sent(header), c.SentSince, c.SentBefore)
}

// hasField reports whether a field of a lower-case header contains a text.
func hasField(header []byte, key, value string) bool {
	inside := false
	for line := range bytes.Lines(header) {
		if line[0] != ' ' && line[0] != '\t' {
			name, _, _ := bytes.Cut(line, []byte(":"))
			inside = string(bytes.TrimSpace(name)) == key
		}
		if inside && bytes.Contains(line, []byte(value)) {
			return true
		}
	}
	return false
}

// sent returns the date field of a lower-case header, the zero time for none.
func sent(header []byte) time.Time {
	for line := range bytes.Lines(header) {
		if value, ok := bytes.CutPrefix(line, []byte("date:")); ok {
			t, _ := netmail.ParseDate(strings.TrimSpace(string(value)))
			return t
		}
	}
	return time.Time{}
}
