package smtpconn

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"github.com/emersion/go-smtp"
	"golang.org/x/net/idna"

	"github.com/mailyard/mailyard/pkg/mailhost"
)

// A Conn is an authenticated connection. It is used by one goroutine at a time.
// After an error other than a refusal of the server it is of no more use.
//
// The end of a context given to a method ends the connection.
type Conn struct {
	target  Target
	opts    Options
	raw     net.Conn
	guard   *guard
	client  *smtp.Client
	secrets mailhost.Secrets
}

// Send hands a mail over for all recipients, or for none: it is not sent when one
// of them is refused. from and to are addresses; the lines of mail may end in LF
// or CRLF. The error is an *Error; for package fault it is Permanent when the
// server refused the mail for good. An error that is not a refusal may mean that
// the mail was sent all the same: the answer was lost.
func (c *Conn) Send(ctx context.Context, from string, to []string, mail io.Reader) error {
	op := "sending a mail of " + c.target.Name()
	if len(to) == 0 {
		return &Error{Op: op, Kind: mailhost.KindOther, Err: errors.New("it has no recipient")}
	}
	stop := context.AfterFunc(ctx, func() { c.raw.Close() })
	defer stop()
	err := c.send(op, from, to, mail)
	if err != nil && ctx.Err() != nil {
		return &Error{Op: op, Kind: mailhost.KindOther, Err: context.Cause(ctx)}
	}
	return err
}

func (c *Conn) send(op, from string, to []string, mail io.Reader) error {
	sender, utf8 := wire(from)
	recipients := make([]string, len(to))
	for i, address := range to {
		var needs bool
		recipients[i], needs = wire(address)
		utf8 = utf8 || needs
	}
	if ok, _ := c.client.Extension("SMTPUTF8"); utf8 && !ok {
		return &Error{Op: op, Kind: mailhost.KindOther, Err: errors.New("server takes no addresses with other than ASCII characters before the @")}
	}
	if err := c.client.Mail(sender, &smtp.MailOptions{UTF8: utf8}); err != nil {
		return c.explainMail(op+" from "+from, err)
	}
	for i, address := range recipients {
		if err := c.client.Rcpt(address, nil); err != nil {
			return c.reset(c.explainMail(op+" to "+to[i], err))
		}
	}
	w, err := c.client.Data()
	if err != nil {
		return c.reset(c.explainMail(op, err))
	}
	c.guard.hide("mail")
	defer c.guard.hide("")
	text := &source{r: mail}
	if _, err := io.Copy(w, text); err != nil {
		// To end the data here would send half a mail.
		e := c.lost(op, err)
		if text.err != nil {
			e = &Error{Op: op, Kind: mailhost.KindOther, Err: fmt.Errorf("reading its text: %w", text.err)}
		}
		return e
	}
	if err := w.Close(); err != nil {
		return c.explainMail(op, err)
	}
	return nil
}

// A source keeps the error of a reader, to be told from one of the connection.
type source struct {
	r   io.Reader
	err error
}

func (s *source) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	if err != nil && err != io.EOF {
		s.err = err
	}
	return n, err
}

// reset ends a transaction of which a part was refused.
func (c *Conn) reset(why error) error {
	var r *refusal
	if !errors.As(why, &r) {
		return why
	}
	if err := c.client.Reset(); err != nil {
		c.raw.Close()
	}
	return why
}

// wire returns an address as it is sent, with the domain as A-labels, and whether
// that needs SMTPUTF8 (RFC 6531).
func wire(address string) (string, bool) {
	if at := strings.LastIndexByte(address, '@'); at >= 0 {
		if domain, err := idna.Lookup.ToASCII(address[at+1:]); err == nil {
			address = address[:at+1] + domain
		}
	}
	return address, strings.ContainsFunc(address, func(r rune) bool { return r > '~' })
}

// Answer returns what the server said last, cleaned, without secrets. It is for
// those who look on.
func (c *Conn) Answer() string { return mailhost.CleanText(c.secrets.Redact(c.guard.lastLine())) }

// Close signs out, if the server is quick about it, and ends the connection.
func (c *Conn) Close() error {
	c.client.CommandTimeout = 2 * time.Second
	c.client.Quit() // whatever comes of it
	c.raw.Close()
	return nil
}
