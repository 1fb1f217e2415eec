package e2e_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/mailyard/mailyard/pkg/imapconn/imaptest"
	"github.com/mailyard/mailyard/schemas/config"
)

// stubborn is a mail server that lists all mails in its inbox and does not send
// the second one until it is mended.
type stubborn struct {
	script *imaptest.Script
	mails  [][]byte

	mu     sync.Mutex
	mended bool
	gone   map[int]bool // by UID
}

func newStubborn(sc *scene) *stubborn {
	sc.Helper()
	s := &stubborn{gone: map[int]bool{}}
	for n := range 3 {
		s.mails = append(s.mails, newMail(fmt.Sprintf("%s.%d", sc.name, n+1), 1500, "To: "+sc.address("support")))
	}
	cert := imaptest.NewCertificate(sc, time.Time{})
	s.script = imaptest.NewScript(sc, "MOVE UIDPLUS NAMESPACE", &cert, imaptest.Rules{
		"UID SEARCH": s.search, "UID FETCH": s.fetch, "UID MOVE": s.move,
	})
	return s
}

func (s *stubborn) target() config.Server {
	return config.Server{Host: s.script.Host, Port: s.script.Port, Security: config.SecuritySTARTTLS, CA: s.script.CA}
}

// mend makes the server send all mails.
func (s *stubborn) mend() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mended = true
}

// present returns the UIDs in the inbox.
func (s *stubborn) present() []int {
	s.mu.Lock()
	defer s.mu.Unlock()
	var uids []int
	for n := range s.mails {
		if !s.gone[n+1] {
			uids = append(uids, n+1)
		}
	}
	return uids
}

func (s *stubborn) left() int { return len(s.present()) }

func (s *stubborn) search(c *imaptest.ScriptConn, tag, _ string) {
	line := "* SEARCH"
	for _, uid := range s.present() {
		line += " " + strconv.Itoa(uid)
	}
	c.Send("%s", line)
	c.OK(tag)
}

func (s *stubborn) fetch(c *imaptest.ScriptConn, tag, args string) {
	set, _, _ := strings.Cut(args, " ")
	for _, uid := range s.present() {
		if !slices.Contains(expand(set), uid) {
			continue
		}
		raw := s.mails[uid-1]
		size := fmt.Sprintf(`RFC822.SIZE %d INTERNALDATE "02-Mar-2026 10:00:00 +0000"`, len(raw))
		switch {
		case !strings.Contains(args, "BODY"):
			c.Send("* %d FETCH (UID %d %s)", uid, uid, size)
		case uid != 2 || s.isMended():
			c.Send("* %d FETCH (UID %d %s BODY[] {%d}\r\n%s)", uid, uid, size, len(raw), raw)
		}
	}
	c.OK(tag)
}

func (s *stubborn) isMended() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.mended
}

func (s *stubborn) move(c *imaptest.ScriptConn, tag, args string) {
	set, _, _ := strings.Cut(args, " ")
	s.mu.Lock()
	for _, uid := range expand(set) {
		s.gone[uid] = true
	}
	s.mu.Unlock()
	c.OK(tag)
}

// expand returns the UIDs of a set (RFC 3501, section 9: sequence-set).
func expand(set string) []int {
	var uids []int
	for part := range strings.SplitSeq(set, ",") {
		from, to, ok := strings.Cut(part, ":")
		first, _ := strconv.Atoi(from) // what is not a number is in no inbox
		last := first
		if ok {
			last, _ = strconv.Atoi(to)
		}
		for uid := first; uid <= last; uid++ {
			uids = append(uids, uid)
		}
	}
	return uids
}
