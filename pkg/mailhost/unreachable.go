package mailhost

import (
	"context"
	"errors"
	"net"
	"syscall"

	"github.com/mailyard/mailyard/pkg/egress"
)

// ErrNoConnection is wrapped by what Unreachable returns when nobody answered in
// the time that there was.
var ErrNoConnection = errors.New("no connection in time")

// Unreachable explains a TCP connection that could not be made.
func Unreachable(ctx context.Context, p Protocol, op string, err error) *Error {
	e := &Error{Op: op, Kind: KindUnreachable, Err: err}
	var dns *net.DNSError
	switch {
	case ctx.Err() != nil:
		e.Err = context.Cause(ctx)
	case egress.Lasting(err): // it says how to mend it
	case egress.Inside(err): // a hint that fits would say why
		e.Hint = "check " + string(p) + ".host and " + string(p) + ".port, and whether a firewall is in between"
	case errors.As(err, &dns) && dns.IsNotFound:
		e.Hint = "check " + string(p) + ".host: there is no such name"
	case errors.Is(err, syscall.ECONNREFUSED):
		e.Hint = "check " + string(p) + ".port: nothing listens there"
	case IsTimeout(err) || errors.Is(err, context.DeadlineExceeded):
		e.Err = ErrNoConnection
		e.Hint = "check " + string(p) + ".host and " + string(p) + ".port, and whether a firewall is in between"
	}
	return e.ForFault()
}
