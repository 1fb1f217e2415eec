package smtpconn

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/emersion/go-smtp"

	"github.com/mailyard/mailyard/pkg/fault"
	"github.com/mailyard/mailyard/pkg/mailhost"
)

// classify turns a refusal into an error of the right kind.
func classify(op string, r *refusal) *Error {
	e := &Error{Op: op, Kind: mailhost.KindOther, Err: r}
	after, wait := mailhost.Throttled("", r.text)
	if !wait && r.code < 500 {
		after, wait = mailhost.Throttled("LIMIT", r.text)
	}
	switch {
	case wait:
		e.Kind, e.After = mailhost.KindThrottled, after
	case r.code == 530 || r.code == 534 || r.code == 535 || r.code == 538:
		e.Kind = mailhost.KindCredentials
	case r.code >= 500 && r.code <= 504:
		e.Kind = mailhost.KindProtocol
	}
	return e.ForFault()
}

// explainSignIn is explain for a sign-in: what is not said to be temporary means
// the credentials.
func (c *Conn) explainSignIn(op string, err error) error {
	e := c.explain(op, err)
	var r *refusal
	if errors.As(e, &r) && e.Kind != mailhost.KindThrottled {
		e.Kind, e.Hint = mailhost.KindCredentials, mailhost.LoginHint(c.target.Host, r.text)
	}
	return e
}

// explainMail is explain for a mail: what is refused for good is so at every try.
func (c *Conn) explainMail(op string, err error) error {
	e := c.explain(op, err)
	var r *refusal
	if errors.As(e, &r) && r.code >= 500 && e.Kind != mailhost.KindThrottled {
		e.Err = fault.Permanent(e.Err)
	}
	return e
}

// explain turns what go-smtp returned for a command into an *Error.
func (c *Conn) explain(op string, err error) *Error {
	var refused *smtp.SMTPError
	if errors.As(err, &refused) {
		text := refused.Message
		if code := refused.EnhancedCode; code[0] > 0 {
			text = fmt.Sprintf("%d.%d.%d %s", code[0], code[1], code[2], text)
		}
		return classify(op, reply{refused.Code, []string{text}}.refusal(c.secrets))
	}
	return c.lost(op, err)
}

// lost explains a connection that ended, or is of no more use.
func (c *Conn) lost(op string, err error) *Error {
	if c.raw != nil {
		c.raw.Close()
	}
	e := &Error{Op: op, Kind: mailhost.KindUnreachable, Err: err}
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		e.Err = errors.New("server closed the connection")
	case mailhost.IsTimeout(err), errors.Is(err, context.DeadlineExceeded):
		e.Err = errors.New("server does not answer")
	case !mailhost.IsNetwork(err):
		// go-smtp and net/textproto quote what they cannot understand.
		e.Kind, e.Err = mailhost.KindProtocol, errors.New(mailhost.CleanText(c.secrets.Redact(err.Error())))
	}
	return e.ForFault()
}
