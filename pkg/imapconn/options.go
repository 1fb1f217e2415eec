package imapconn

import (
	"cmp"
	"context"
	"net"
	"time"

	"go.uber.org/zap"

	"github.com/mailyard/mailyard/pkg/mailhost"
)

// Options tune a connection. The zero value is ready for use.
type Options struct {
	Logger *zap.Logger // nil: silent

	// Dial opens the TCP connection; nil: a net.Dialer. Restrictions on where
	// a tenant may connect to belong here.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)

	// Observe is told of the progress of Dial; nil: nobody is.
	Observe mailhost.Observer

	// Trace takes what is said, without sign-ins and mail; nil: nobody does.
	Trace *mailhost.Trace

	ConnectTimeout  time.Duration // for the TCP connection; default 15 s
	GreetingTimeout time.Duration // for the greeting and for the TLS handshake, each; default 9 s
	CommandTimeout  time.Duration // for a short command, from the first byte to the answer; default 2 min
	MoveTimeout     time.Duration // for one command that moves, copies or expunges; default 5 min
	StallTimeout    time.Duration // without a byte while a download is awaited; default 1 min
	DoneTimeout     time.Duration // for the answer to the end of an IDLE; default 15 s

	// MaxLiteral is the largest mail that is accepted, in bytes, whatever the
	// server announced before; default 64 MiB. A larger one ends the connection
	// with a *TooLargeError.
	MaxLiteral int64
}

func (o Options) withDefaults() Options {
	if o.Logger == nil {
		o.Logger = zap.NewNop()
	}
	if o.Dial == nil {
		o.Dial = new(net.Dialer).DialContext
	}
	o.ConnectTimeout = cmp.Or(o.ConnectTimeout, 15*time.Second)
	o.GreetingTimeout = cmp.Or(o.GreetingTimeout, 9*time.Second)
	o.CommandTimeout = cmp.Or(o.CommandTimeout, 2*time.Minute)
	o.MoveTimeout = cmp.Or(o.MoveTimeout, 5*time.Minute)
	o.StallTimeout = cmp.Or(o.StallTimeout, time.Minute)
	o.DoneTimeout = cmp.Or(o.DoneTimeout, 15*time.Second)
	o.MaxLiteral = cmp.Or(o.MaxLiteral, 64<<20)
	return o
}
