//go:build full

package browser_test

import (
	"strings"
	"sync"

	"github.com/mailyard/mailyard/pkg/imapconn/imaptest"
)

// stubborn is a mail server with one mail, which it lists and does not send
// before it is mended.
type stubborn struct {
	mu           sync.Mutex
	mended, gone bool
}

const kept = "From: kim@example.org\r\nTo: orders@acme.example\r\nSubject: Kept back\r\nMessage-ID: <kept@example.org>\r\n\r\nAt last.\r\n"

func (s *stubborn) mend() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mended = true
}

func (s *stubborn) now() (mended, gone bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.mended, s.gone
}

func (s *stubborn) rules() imaptest.Rules {
	return imaptest.Rules{
		"UID SEARCH": func(c *imaptest.ScriptConn, tag, _ string) {
			if _, gone := s.now(); gone {
				c.Send("* SEARCH")
			} else {
				c.Send("* SEARCH 1")
			}
			c.OK(tag)
		},
		"UID FETCH": func(c *imaptest.ScriptConn, tag, args string) {
			mended, gone := s.now()
			switch {
			case gone:
			case !strings.Contains(args, "BODY"):
				c.Send(`* 1 FETCH (UID 1 RFC822.SIZE %d INTERNALDATE "02-Mar-2026 10:00:00 +0000")`, len(kept))
			case mended:
				c.Send("* 1 FETCH (UID 1 BODY[] {%d}\r\n%s)", len(kept), kept)
			}
			c.OK(tag)
		},
		"UID MOVE": func(c *imaptest.ScriptConn, tag, _ string) {
			s.mu.Lock()
			s.gone = true
			s.mu.Unlock()
			c.OK(tag)
		},
	}
}

// replay: what could not be fetched is a dead letter; when its reason is mended,
// it is replayed and arrives.
func (d *secondDay) replay() {
	d.visit("/t/acme/mailboxes/stubborn")
	d.until("the page tells of a dead letter", `/Dead letters\s+1/.test(document.querySelector("main")?.innerText)`)
	d.press("Its dead letters")
	d.sees("Fetcher")
	d.accessible()
	d.stubborn.mend()
	d.visit("/t/acme/dead-letters")
	d.tick("Select all on this page", true)
	d.sees("1 selected")
	d.press("Replay")
	d.sees("It leaves this list")
	d.accessible()
	d.press("Replay")
	d.sees("No dead letters")
	d.visit("/t/acme/mailboxes")
	d.holds("Stubborn", "Today", `x === "1"`)
	d.finds("/t/acme/mails?subject=Kept+back", "kim@example.org")
}
