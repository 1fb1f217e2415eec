package imaptest

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"github.com/mailyard/mailyard/pkg/imapconn"
	"github.com/mailyard/mailyard/pkg/secret"
	"github.com/mailyard/mailyard/schemas/config"
)

// Options choose what a server is like. The zero value is a modern server with
// the users u1 to u9, whose passwords are pw1 to pw9.
type Options struct {
	Users     map[string]string // by name: the password
	Prefix    string            // of the personal namespace, such as "INBOX."; Dovecot only
	Separator string            // of hierarchy levels; default "/"; Dovecot only
	Hide      []string          // capabilities that the server does not offer: MOVE, UIDPLUS, ESEARCH, IDLE, NAMESPACE
	Quota     int64             // of a user, bytes; 0: none; Dovecot only
	NoTLS     bool              // no STARTTLS; only for the demo server
	Extra     string            // appended to the configuration; Dovecot only
}

// A Server is a running server. Its methods fail the test that started it.
type Server struct {
	Host string // "127.0.0.1"; the certificate also names "localhost"
	Port int    // plain greeting, STARTTLS offered unless hidden
	TLS  int    // port with TLS from the first byte; 0: none

	SMTP    int // port for sending, STARTTLS offered unless hidden; only the demo server
	SMTPTLS int // port for sending with TLS from the first byte; only the demo server; 0: none

	CA string // PEM of the authority that signed the certificate

	t       testing.TB
	users   map[string]string
	deliver func(user string, raw []byte)
	stop    func(kill bool)
	start   func()
	log     func() string
	// usersChanged tells the server of its users anew.
	usersChanged func()
}

// Target returns how a user's mailbox is reached: over STARTTLS, trusting the
// server's authority.
func (s *Server) Target(user string) imapconn.Target {
	return imapconn.Target{
		Tenant: "acme", Mailbox: user, Host: s.Host, Port: s.Port, Security: config.SecurityAuto, CA: s.CA,
		AllowInsecure: s.CA == "", Username: user, Password: secret.NewString(s.users[user]),
	}
}

// Deliver puts mails into a user's inbox, as quickly as the server can.
func (s *Server) Deliver(user string, mails ...[]byte) {
	s.t.Helper()
	for _, raw := range mails {
		s.deliver(user, raw)
	}
}

// Stop ends the server in order, connections with it.
func (s *Server) Stop() { s.t.Helper(); s.stop(false) }

// Kill ends the server without giving it time for anything.
func (s *Server) Kill() { s.t.Helper(); s.stop(true) }

// Restart starts a server that was stopped or killed; ports and mails are the same.
func (s *Server) Restart() { s.t.Helper(); s.start() }

// SetPassword changes a user's password, for all sign-ins from now on. The demo
// server ends its connections for that.
func (s *Server) SetPassword(user, password string) {
	s.t.Helper()
	s.users[user] = password
	s.usersChanged()
	Eventually(s.t, "the new password is in force", func() bool {
		c, err := imapclient.DialInsecure(fmt.Sprintf("%s:%d", s.Host, s.Port), nil)
		if err != nil {
			return false
		}
		defer c.Close()
		return c.Login(user, password).Wait() == nil
	})
}

// Log returns what the server logged.
func (s *Server) Log() string { return s.log() }

// Client returns a plain IMAP client, signed in.
func (s *Server) Client(user string) *imapclient.Client {
	s.t.Helper()
	c, err := imapclient.DialInsecure(fmt.Sprintf("%s:%d", s.Host, s.Port), nil)
	if err != nil {
		s.t.Fatalf("connecting to the test server: %v", err)
	}
	if err := c.Login(user, s.users[user]).Wait(); err != nil {
		c.Close()
		s.t.Fatalf("signing in to the test server: %v", err)
	}
	return c
}

// Append adds a mail to a folder (its name on the server) and returns its UID,
// 0 when the server does not tell.
func (s *Server) Append(user, folder string, raw []byte, opts imap.AppendOptions) uint32 {
	s.t.Helper()
	c := s.Client(user)
	defer c.Close()
	cmd := c.Append(folder, int64(len(raw)), &opts)
	cmd.Write(raw)
	cmd.Close()
	data, err := cmd.Wait()
	if err != nil {
		s.t.Fatalf("appending a mail to %s of %s: %v", folder, user, err)
	}
	return uint32(data.UID)
}

// A Mail is one mail in a folder.
type Mail struct {
	UID   uint32
	Flags []imap.Flag
	Raw   []byte
}

// Mails returns the mails in a folder (its name on the server), ascending; none
// when there is no such folder.
func (s *Server) Mails(user, folder string) []Mail {
	s.t.Helper()
	c := s.Client(user)
	defer c.Close()
	if _, err := c.Select(folder, &imap.SelectOptions{ReadOnly: true}).Wait(); err != nil {
		return nil
	}
	section := &imap.FetchItemBodySection{Peek: true}
	msgs, err := c.Fetch(imap.SeqSet{{Start: 1}}, &imap.FetchOptions{UID: true, Flags: true, BodySection: []*imap.FetchItemBodySection{section}}).Collect()
	var refused *imap.Error
	if err != nil && !errors.As(err, &refused) { // "1:*" of an empty folder may be refused
		s.t.Fatalf("reading folder %s of %s: %v", folder, user, err)
	}
	var mails []Mail
	for _, m := range msgs {
		mails = append(mails, Mail{uint32(m.UID), m.Flags, m.FindBodySection(section)})
	}
	slices.SortFunc(mails, func(a, b Mail) int { return int(a.UID) - int(b.UID) })
	return mails
}

// UIDs returns the UIDs in a folder, ascending.
func (s *Server) UIDs(user, folder string) []uint32 {
	s.t.Helper()
	c := s.Client(user)
	defer c.Close()
	if _, err := c.Select(folder, &imap.SelectOptions{ReadOnly: true}).Wait(); err != nil {
		return nil
	}
	data, err := c.UIDSearch(&imap.SearchCriteria{}, nil).Wait()
	if err != nil {
		s.t.Fatalf("listing folder %s of %s: %v", folder, user, err)
	}
	var uids []uint32
	for _, uid := range data.AllUIDs() {
		uids = append(uids, uint32(uid))
	}
	return uids
}

// Count returns how many mails a folder holds.
func (s *Server) Count(user, folder string) int { s.t.Helper(); return len(s.UIDs(user, folder)) }

// Folders returns the names of a user's folders on the server.
func (s *Server) Folders(user string) []string {
	s.t.Helper()
	c := s.Client(user)
	defer c.Close()
	list, err := c.List("", "*", nil).Collect()
	if err != nil {
		s.t.Fatalf("listing the folders of %s: %v", user, err)
	}
	var names []string
	for _, data := range list {
		names = append(names, data.Mailbox)
	}
	slices.Sort(names)
	return names
}

// patience is for machines that have much else to do: what tests wait for may
// take two pauses of five seconds by itself. It is less than the pauses after
// which a mailbox that failed is tried again, so that a test sees whether
// something happened at once or by itself.
const patience = 20 * time.Second

// Eventually polls until a condition holds, for twenty seconds at most.
func Eventually(t testing.TB, what string, condition func() bool) {
	t.Helper()
	deadline := time.After(patience)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !condition() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("waited in vain until %s", what)
		}
	}
}
