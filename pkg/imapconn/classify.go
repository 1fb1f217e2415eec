package imapconn

import (
	"context"
	"errors"
	"io"
	"net"

	"github.com/emersion/go-imap/v2"

	"github.com/mailyard/mailyard/pkg/mailhost"
)

// classify turns a refusal into an error of the right kind.
func classify(op string, r *refusal) *Error {
	e := &Error{Op: op, Kind: KindOther, Err: r}
	if after, ok := mailhost.Throttled(r.code, r.text); ok {
		e.Kind, e.After = KindThrottled, after
	} else {
		switch r.code {
		case "OVERQUOTA":
			e.Kind, e.Hint = KindFolder, "the mailbox is full: free some space on the server"
		case "TRYCREATE", "NONEXISTENT", "NOPERM", "CANNOT", "ALREADYEXISTS", "HASCHILDREN":
			e.Kind = KindFolder
		case "CLIENTBUG", "PARSE":
			e.Kind = KindProtocol
		case "AUTHENTICATIONFAILED", "AUTHORIZATIONFAILED", "EXPIRED":
			e.Kind = KindCredentials
		case "PRIVACYREQUIRED":
			e.Kind, e.Hint = KindTLS, "the server wants TLS: set imap.security to start-tls or ssl-on-connect"
		default:
			switch r.status {
			case "BAD":
				e.Kind = KindProtocol
			case "BYE":
				e.Kind = KindUnreachable
			}
		}
	}
	e.ForFault()
	return e
}

// classifyLogin turns a refused sign-in into an error: what is not said to be
// temporary means the credentials.
func classifyLogin(op, host string, r *refusal) *Error {
	e := classify(op, r)
	if e.Kind == KindOther || e.Kind == KindCredentials || e.Kind == KindFolder && r.code == "NOPERM" {
		e.Kind = KindCredentials
		e.Hint = mailhost.LoginHint(host, r.text)
	}
	return e
}

// lost explains a connection that ended, with what the server said before.
func (c *Conn) lost(op string, err error, bye string) error {
	if bye != "" {
		code, _, text := splitCode([]byte(bye))
		return classify(op, &refusal{"BYE", code, string(text)})
	}
	e := &Error{Op: op, Kind: KindUnreachable, Err: err}
	switch {
	case errors.Is(err, io.EOF):
		e.Err = errors.New("server closed the connection")
	case mailhost.IsTimeout(err):
		e.Err = errors.New("server does not answer")
	case !isNetwork(err):
		e.Kind = KindProtocol
	}
	e.ForFault()
	return e
}

func isNetwork(err error) bool {
	return mailhost.IsNetwork(err) || errors.Is(err, errStalled) || errors.Is(err, errSlow) || errors.Is(err, errPhase)
}

// explain turns what go-imap returned for a command into an *Error. The guard
// knows better than go-imap why a connection ended.
func (c *Conn) explain(op string, err error) error {
	if err == nil {
		return nil
	}
	op += " of " + c.target.Name()
	var refused *imap.Error
	if errors.As(err, &refused) {
		return classify(op, &refusal{string(refused.Type), string(refused.Code), mailhost.CleanText(refused.Text)})
	}
	var known *Error
	if errors.As(err, &known) || errors.Is(err, ErrUIDValidity) {
		return err
	}
	cause := c.guard.ended()
	var large *TooLargeError
	switch {
	case cause == nil:
		// go-imap gave up on something that the server sent.
		c.guard.kill(err)
		return &Error{Op: op, Kind: KindProtocol, Err: err}
	case errors.Is(cause, context.Canceled), errors.Is(cause, context.DeadlineExceeded):
		return &Error{Op: op, Kind: KindOther, Err: cause}
	case errors.As(cause, &large):
		return &Error{Op: op, Kind: KindProtocol, Err: cause}
	case errors.Is(cause, errClosed):
		// go-imap closed it, over what it read or what it could not write.
		if cause = err; errors.Is(err, net.ErrClosed) {
			cause = errors.New("server sent something that cannot be understood")
		}
	}
	c.guard.filter.seen.mu.Lock()
	bye := c.guard.filter.seen.bye
	c.guard.filter.seen.mu.Unlock()
	return c.lost(op, cause, bye)
}
