package demoserver

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
	"go.uber.org/zap"
)

// maxSubmission is the largest mail that is taken over SMTP, bytes.
const maxSubmission = 10 << 20

// listenSMTP listens for submission (RFC 6409).
func (s *Server) listenSMTP() error {
	s.smtp = smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) {
		return &submission{server: s, from: c.Conn().RemoteAddr()}, nil
	}))
	s.smtp.Domain = "localhost"
	s.smtp.TLSConfig, s.smtp.AllowInsecureAuth = s.opts.TLS, true
	s.smtp.MaxMessageBytes, s.smtp.MaxRecipients = maxSubmission, 100
	s.smtp.ReadTimeout, s.smtp.WriteTimeout = 5*time.Minute, time.Minute
	s.smtp.EnableSMTPUTF8 = true
	s.smtp.ErrorLog = printer{s.opts.Logger}
	for _, each := range []struct {
		addr string
		l    **listener
		tls  bool
	}{{s.opts.SMTPAddr, &s.submission, false}, {s.opts.SMTPTLSAddr, &s.submissionTLS, true}} {
		if each.addr == "" || each.tls && s.opts.TLS == nil {
			continue
		}
		l, err := listenLoopback(each.addr)
		if err != nil {
			return err
		}
		*each.l = l
		s.serving.Go(func() {
			var outer net.Listener = l
			if each.tls {
				outer = tls.NewListener(l, s.opts.TLS)
			}
			if err := s.smtp.Serve(outer); err != nil && !errors.Is(err, net.ErrClosed) { // the listener ends before the server
				s.opts.Logger.Error("serving submission to the demo mailboxes", zap.Error(err))
			}
		})
	}
	return nil
}

// listenLoopback refuses addresses that others can reach: everybody may know the
// passwords of a demo.
func listenLoopback(addr string) (*listener, error) {
	l, err := listen(addr)
	if err != nil {
		return nil, err
	}
	if a := l.Addr().(*net.TCPAddr); !a.IP.IsLoopback() {
		l.Close()
		return nil, fmt.Errorf("listening for the demo server: SMTP is for loopback addresses only, and %s is none", a)
	}
	return l, nil
}

// A submission is one SMTP connection.
type submission struct {
	server *Server
	from   net.Addr
	user   string // empty: not signed in

	sender     string
	recipients []string
	users      []string // whose inboxes the mail goes to, each once
}

var _ smtp.AuthSession = (*submission)(nil)

func (s *submission) AuthMechanisms() []string { return []string{sasl.Plain} }

func (s *submission) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, username, password string) error {
		a := s.server.accounts[username]
		if a == nil || !a.login(password) {
			return smtp.ErrAuthFailed
		}
		s.user = username
		return nil
	}), nil
}

func (s *submission) Reset() { s.sender, s.recipients, s.users = "", nil, nil }

func (s *submission) Logout() error { return nil }

func (s *submission) Mail(from string, _ *smtp.MailOptions) error {
	if s.user == "" {
		return smtp.ErrAuthRequired
	}
	s.Reset()
	s.sender = from
	return nil
}

func (s *submission) Rcpt(to string, _ *smtp.RcptOptions) error {
	user, ok := s.server.recipient(to)
	if !ok {
		return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "no such mailbox here, and mail for elsewhere is not taken"}
	}
	s.recipients = append(s.recipients, to)
	for _, other := range s.users {
		if other == user {
			return nil
		}
	}
	s.users = append(s.users, user)
	return nil
}

// recipient returns whose inbox the mail for an address goes to: the user of that
// name, else the first in the alphabet whose name has its domain. A user without
// a domain is at localhost.
func (s *Server) recipient(address string) (user string, ok bool) {
	_, domain, _ := strings.Cut(address, "@")
	for name := range s.accounts {
		full := name
		if !strings.Contains(name, "@") {
			full += "@localhost"
		}
		if strings.EqualFold(full, address) {
			return name, true
		}
		if _, own, _ := strings.Cut(name, "@"); domain != "" && strings.EqualFold(own, domain) && (!ok || name < user) {
			user, ok = name, true
		}
	}
	return user, ok
}

// Data puts the mail into the inboxes, with the fields on top that a receiving
// server writes.
func (s *submission) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	for _, user := range s.users {
		var mail bytes.Buffer
		fmt.Fprintf(&mail, "Return-Path: <%s>\r\nDelivered-To: %s\r\n", s.sender, user)
		if len(s.recipients) == 1 {
			fmt.Fprintf(&mail, "X-Original-To: %s\r\n", s.recipients[0])
		}
		fmt.Fprintf(&mail, "Received: from client (%s)\r\n\tby localhost (mailyard demo server) with ESMTPA;\r\n\t%s\r\n", s.from, time.Now().Format(time.RFC1123Z))
		mail.Write(raw)
		if _, err := s.server.Deliver(user, mail.Bytes()); err != nil {
			return err
		}
	}
	return nil
}
