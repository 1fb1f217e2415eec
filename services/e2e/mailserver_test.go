package e2e_test

import (
	"slices"
	"sync"
	"testing"

	"github.com/emersion/go-imap/v2"

	"github.com/mailyard/mailyard/pkg/imapconn/imaptest"
)

// A kind of mail server: how one is started, and what it can do.
type mailServerKind struct {
	name       string
	start      func(testing.TB, imaptest.Options) *imaptest.Server
	namespaces bool // whether it can have a prefix and another separator
	logs       bool // whether its log tells how many body bytes were sent
}

var demoServer = mailServerKind{name: "demo", start: imaptest.Demo}

// A mailServer is a running server. Unlike that of imaptest it takes mail from
// several tests at a time.
type mailServer struct {
	*imaptest.Server
	kind   mailServerKind
	prefix string // of the names of folders on the server
	poor   bool   // whether it has neither MOVE nor UIDPLUS
	mu     sync.Mutex
}

// loopback is where the mail servers of the tests are, on ports that happen to be free.
var loopback = []string{"127.0.0.0/8:*"}

// usersPerScenario is how many accounts each scenario has on its mail server.
const usersPerScenario = 24

// manyConnections lets Dovecot have a process for each connection of all mailboxes.
const manyConnections = "service imap {\n  process_limit = 1000\n}\n"

// startMailServer starts one with accounts for the scenarios.
func startMailServer(t testing.TB, kind mailServerKind, o imaptest.Options, scenarios ...string) *mailServer {
	t.Helper()
	o.Users = map[string]string{}
	for _, name := range scenarios {
		for n := range usersPerScenario {
			o.Users[user(name, n)] = password(user(name, n))
		}
	}
	o.Extra += manyConnections
	return &mailServer{Server: kind.start(t, o), kind: kind, prefix: o.Prefix, poor: slices.Contains(o.Hide, "UIDPLUS")}
}

func user(scenario string, n int) string { return scenario + "-" + string(rune('a'+n)) }

func password(user string) string { return "pw of " + user }

// Deliver puts mails into a user's inbox.
func (s *mailServer) Deliver(user string, mails ...[]byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.Server.Deliver(user, mails...)
}

// inbox returns the mails that are in a user's inbox. On a poor server those
// that are gone stay there, marked as deleted: nothing expunges just them.
func (s *mailServer) inbox(user string) []imaptest.Mail {
	mails := s.Mails(user, "INBOX")
	if !s.poor {
		return mails
	}
	return slices.DeleteFunc(mails, func(m imaptest.Mail) bool { return slices.Contains(m.Flags, imap.FlagDeleted) })
}

// left returns how many mails are in a user's inbox.
func (s *mailServer) left(user string) int {
	if s.poor {
		return len(s.inbox(user))
	}
	return s.Count(user, "INBOX")
}
