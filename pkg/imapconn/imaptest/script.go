package imaptest

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mailyard/mailyard/pkg/imapconn"
	"github.com/mailyard/mailyard/pkg/secret"
	"github.com/mailyard/mailyard/schemas/config"
)

// A Script is a server that says what a test wants said. What the test does not
// rule is answered as a server with the mails 1, 2 and 3 in its inbox would,
// whose UIDVALIDITY is 7; mail n has the text "mail n".
type Script struct {
	Host string
	Port int
	CA   string // with a certificate

	t        testing.TB
	listener net.Listener
	caps     string
	rules    Rules
	tls      *tls.Config
	conns    sync.WaitGroup
	stop     chan struct{}

	mu       sync.Mutex
	open     map[net.Conn]struct{} // nil: the script has ended
	commands []string
}

// Rules are what a script answers, by the command in upper case, such as "UID
// FETCH"; "GREETING" is for a new connection. args is what follows the command.
type Rules map[string]func(c *ScriptConn, tag, args string)

// A ScriptConn is one connection of a script.
type ScriptConn struct {
	net.Conn
	Caps   string // told by CAPABILITY and after the sign-in
	script *Script
	br     *bufio.Reader
}

// NewScript starts a script. capabilities are those besides IMAP4rev1. cert, when
// not nil, is for STARTTLS, which is offered then. It ends with the test.
func NewScript(t testing.TB, capabilities string, cert *Certificate, rules Rules) *Script {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &Script{
		Host: "127.0.0.1", Port: l.Addr().(*net.TCPAddr).Port, t: t, listener: l,
		caps: strings.TrimSpace("IMAP4rev1 " + capabilities), rules: rules, stop: make(chan struct{}), open: make(map[net.Conn]struct{}),
	}
	if cert != nil {
		pair, err := tls.X509KeyPair([]byte(cert.Cert), []byte(cert.Key))
		if err != nil {
			t.Fatal(err)
		}
		s.tls, s.CA = &tls.Config{Certificates: []tls.Certificate{pair}}, cert.CA
	}
	s.conns.Go(s.accept)
	t.Cleanup(s.close)
	return s
}

// Target returns how the script is reached; without a certificate, in clear text.
func (s *Script) Target() imapconn.Target {
	return imapconn.Target{
		Tenant: "acme", Mailbox: "script", Host: s.Host, Port: s.Port, Security: config.SecurityAuto, CA: s.CA,
		AllowInsecure: s.CA == "", Username: "user", Password: secret.NewString("pass-word"),
	}
}

// Commands returns what clients sent so far, without tags.
func (s *Script) Commands() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.commands...)
}

// Received returns the commands that begin with a prefix.
func (s *Script) Received(prefix string) []string {
	var list []string
	for _, c := range s.Commands() {
		if strings.HasPrefix(c, prefix) {
			list = append(list, c)
		}
	}
	return list
}

func (s *Script) accept() {
	for {
		conn, err := s.listener.Accept()
		if err != nil {
			return
		}
		s.mu.Lock()
		if s.open == nil { // accepted while the script ended
			s.mu.Unlock()
			conn.Close()
			return
		}
		s.open[conn] = struct{}{}
		s.mu.Unlock()
		s.conns.Go(func() {
			defer conn.Close()
			c := &ScriptConn{Conn: conn, Caps: s.caps, script: s, br: bufio.NewReader(conn)}
			c.serve()
		})
	}
}

func (s *Script) close() {
	close(s.stop)
	s.listener.Close()
	s.mu.Lock()
	for conn := range s.open {
		conn.Close()
	}
	s.open = nil
	s.mu.Unlock()
	s.conns.Wait()
}

func (c *ScriptConn) serve() {
	if rule := c.script.rules["GREETING"]; rule != nil {
		rule(c, "", "")
	} else {
		c.Send("* OK [CAPABILITY %s] ready", c.offered())
	}
	for {
		line, ok := c.Line()
		if !ok {
			return
		}
		tag, command, _ := strings.Cut(line, " ")
		c.script.mu.Lock()
		c.script.commands = append(c.script.commands, command)
		c.script.mu.Unlock()
		name, args, _ := strings.Cut(command, " ")
		name = strings.ToUpper(name)
		if name == "UID" {
			var sub string
			sub, args, _ = strings.Cut(args, " ")
			name += " " + strings.ToUpper(sub)
		}
		if rule := c.script.rules[name]; rule != nil {
			rule(c, tag, args)
		} else if !c.Answer(name, tag, args) {
			return
		}
	}
}

func (c *ScriptConn) offered() string {
	if _, secure := c.Conn.(*tls.Conn); c.script.tls != nil && !secure {
		return c.Caps + " STARTTLS"
	}
	return c.Caps
}

// Send sends a line.
func (c *ScriptConn) Send(format string, args ...any) { c.Raw(fmt.Sprintf(format, args...) + "\r\n") }

// Raw sends bytes as they are.
func (c *ScriptConn) Raw(s string) { c.Write([]byte(s)) }

// OK sends a tagged OK.
func (c *ScriptConn) OK(tag string) { c.Send("%s OK done", tag) }

// Line reads a line.
func (c *ScriptConn) Line() (string, bool) {
	line, err := c.br.ReadString('\n')
	return strings.TrimRight(line, "\r\n"), err == nil
}

// Hang says nothing until the connection ends.
func (c *ScriptConn) Hang() {
	for {
		if _, ok := c.Line(); !ok {
			return
		}
	}
}

// Drip sends bytes one at a time.
func (c *ScriptConn) Drip(s string, every time.Duration) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for i := range len(s) {
		select {
		case <-tick.C:
		case <-c.script.stop:
			return
		}
		if _, err := c.Write([]byte{s[i]}); err != nil {
			return
		}
	}
}

// Answer answers a command as a server without faults would; false ends the
// connection. A rule may call it after, or instead of, an answer of its own.
func (c *ScriptConn) Answer(name, tag, args string) bool {
	switch name {
	case "CAPABILITY":
		c.Send("* CAPABILITY %s", c.offered())
	case "STARTTLS":
		c.OK(tag)
		c.Conn = tls.Server(c.Conn, c.script.tls)
		c.br.Reset(c.Conn)
		return true
	case "LOGIN", "AUTHENTICATE":
		c.Send("%s OK [CAPABILITY %s] signed in", tag, c.Caps)
		return true
	case "NAMESPACE":
		c.Send(`* NAMESPACE (("" "/")) NIL NIL`)
	case "LIST":
		c.Send(`* LIST (\Noselect) "/" ""`)
	case "STATUS":
		c.Send(`* STATUS %s (UIDNEXT 1 UIDVALIDITY 9)`, strings.SplitN(args, " (", 2)[0])
	case "SELECT":
		c.Send("* 3 EXISTS")
		c.Send(`* FLAGS (\Seen \Deleted)`)
		c.Send("* OK [UIDVALIDITY 7] valid")
		c.Send("* OK [UIDNEXT 4] next")
		c.Send("%s OK [READ-WRITE] selected", tag)
		return true
	case "UID SEARCH":
		c.Send("* SEARCH 1 2 3")
	case "UID FETCH":
		for uid := range 3 {
			c.Mail(uid + 1)
		}
	case "LOGOUT":
		c.Send("* BYE bye")
		c.OK(tag)
		return false
	}
	c.OK(tag)
	return true
}

// Mail sends mail n as a whole.
func (c *ScriptConn) Mail(n int) {
	text := fmt.Sprintf("mail %d", n)
	c.Send("* %d FETCH (UID %d BODY[] {%d}\r\n%s)", n, n, len(text), text)
}
