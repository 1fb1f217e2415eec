package smtpconn

import (
	"cmp"
	"context"
	"net"
	"time"

	"github.com/mailyard/mailyard/pkg/mailhost"
)

// What connections of every protocol share.
type (
	Target = mailhost.Target
	Error  = mailhost.Error
)

// Options tune a connection. The zero value is ready for use.
type Options struct {
	// Dial opens the TCP connection; nil: a net.Dialer. Restrictions on where
	// a tenant may connect to belong here.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)

	// Observe is told of the progress of Dial; nil: nobody is.
	Observe mailhost.Observer

	// Trace takes what is said, without sign-ins and mail; nil: nobody does.
	Trace *mailhost.Trace

	ConnectTimeout  time.Duration // for the TCP connection; default 15 s
	GreetingTimeout time.Duration // for the greeting and for the TLS handshake, each; default 9 s
	CommandTimeout  time.Duration // for the answer to a command, and for each write; default 1 min
	SendTimeout     time.Duration // for the answer to a whole mail; default 5 min
}

func (o Options) withDefaults() Options {
	if o.Dial == nil {
		o.Dial = new(net.Dialer).DialContext
	}
	o.ConnectTimeout = cmp.Or(o.ConnectTimeout, 15*time.Second)
	o.GreetingTimeout = cmp.Or(o.GreetingTimeout, 9*time.Second)
	o.CommandTimeout = cmp.Or(o.CommandTimeout, time.Minute)
	o.SendTimeout = cmp.Or(o.SendTimeout, 5*time.Minute)
	return o
}
