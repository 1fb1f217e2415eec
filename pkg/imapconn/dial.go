package imapconn

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
	"go.uber.org/zap"

	"github.com/mailyard/mailyard/pkg/mailhost"
)

// Dial connects, secures the connection as the target demands, signs in, and
// learns the server's capabilities and namespace. Its errors are *Error.
func Dial(ctx context.Context, t Target, opts Options) (*Conn, error) {
	opts = opts.withDefaults()
	c := &Conn{
		target:  t,
		opts:    opts,
		log:     opts.Logger.With(zap.String("tenant", t.Tenant), zap.String("mailbox", t.Mailbox)),
		changed: make(chan struct{}, 1),
	}
	c.tracer = newTracer(opts.Trace, t)
	if err := c.dial(ctx); err != nil {
		c.tracer.remark("%v", err)
		return nil, err
	}
	return c, nil
}

// dial makes the session of c.
func (c *Conn) dial(ctx context.Context) error {
	op := "connecting to " + c.target.Addr() + " for " + c.target.Name()
	c.opts.Observe.Begin(mailhost.StageConnect)
	dctx, cancel := context.WithTimeout(ctx, c.opts.ConnectTimeout)
	raw, err := c.opts.Dial(dctx, "tcp", c.target.Addr())
	cancel()
	if err != nil {
		return mailhost.Unreachable(ctx, mailhost.IMAP, op, err)
	}
	c.opts.Observe.End(mailhost.Progress{Stage: mailhost.StageConnect, Remote: raw.RemoteAddr()})
	c.tracer.remark("connected to %s", c.target.Addr())
	stop := context.AfterFunc(ctx, func() { raw.Close() })
	d, err := c.open(ctx, raw)
	if ended := !stop(); ended && err == nil {
		err = ctx.Err()
	}
	if err != nil {
		raw.Close()
		if ctx.Err() != nil {
			return &Error{Op: op, Kind: KindUnreachable, Err: context.Cause(ctx)}
		}
		return err
	}
	d.conn.SetDeadline(time.Time{})
	c.handOver(d, raw)
	return nil
}

// open goes from the TCP connection to the namespace.
func (c *Conn) open(ctx context.Context, raw net.Conn) (*dialogue, error) {
	d, err := c.secure(ctx, raw)
	if err != nil {
		return nil, err
	}
	d.timeout = c.opts.CommandTimeout
	op := "asking " + c.target.Host + " what it can do for " + c.target.Name()
	c.opts.Observe.Begin(mailhost.StageCapabilities)
	if err := d.needCaps(); err != nil {
		return nil, c.lost(op, err, d.bye)
	}
	c.opts.Observe.End(mailhost.Progress{Stage: mailhost.StageCapabilities, Capabilities: d.caps})
	c.opts.Observe.Begin(mailhost.StageSignIn)
	a, err := c.signIn(d)
	if err != nil {
		return nil, err
	}
	if err := d.needCaps(); err != nil {
		return nil, c.lost(op, err, d.bye)
	}
	c.opts.Observe.End(mailhost.Progress{Stage: mailhost.StageSignIn, Answer: d.shown(a), Capabilities: d.caps})
	if err := d.introduce(); err != nil {
		return nil, c.lost(op, err, d.bye)
	}
	c.opts.Observe.Begin(mailhost.StageNamespace)
	ns, line, err := d.readNamespace()
	if err != nil {
		return nil, c.lost(op, err, d.bye)
	}
	c.ns = ns
	c.opts.Observe.End(mailhost.Progress{Stage: mailhost.StageNamespace, Answer: line, Prefix: ns.prefix, Delimiter: ns.delimiter()})
	return d, nil
}

// secure reads the greeting and brings TLS up. The dialogue it returns is
// encrypted, or allowed not to be.
func (c *Conn) secure(ctx context.Context, raw net.Conn) (*dialogue, error) {
	t := c.target
	op := "opening a secure connection to " + t.Addr() + " for " + t.Name()
	config, err := mailhost.TLSConfig(t, mailhost.IMAP)
	if err != nil {
		return nil, &Error{Op: op, Kind: KindTLS, Err: err, Hint: "imap.ca must hold certificates in PEM form"}
	}
	if t.ImplicitTLS(mailhost.IMAP) {
		c.opts.Observe.Begin(mailhost.StageTLS)
		conn, err := c.handshake(ctx, raw, config)
		if err != nil {
			return nil, mailhost.TLSError(op, t, mailhost.IMAP, err)
		}
		d := c.newDialogue(conn)
		_, err = c.greet(d)
		return d, err
	}
	d := c.newDialogue(raw)
	if _, err := c.greet(d); err != nil {
		return nil, err
	}
	d.timeout = c.opts.CommandTimeout
	c.opts.Observe.Begin(mailhost.StageTLS)
	if err := d.needCaps(); err != nil {
		return nil, c.lost(op, err, d.bye)
	}
	if !d.has("STARTTLS") {
		if t.AllowInsecure {
			c.opts.Observe.End(mailhost.Progress{Stage: mailhost.StageTLS})
			return d, nil
		}
		return nil, &Error{Op: op, Kind: KindTLS, Err: errors.New("server does not offer STARTTLS"), Hint: "if the server has a port with TLS from the first byte, usually 993, set imap.port and imap.security ssl-on-connect"}
	}
	a, err := d.command("STARTTLS")
	if err != nil {
		return nil, c.lost(op, err, d.bye)
	}
	if !a.ok() {
		return nil, &Error{Op: op, Kind: KindTLS, Err: a.err()}
	}
	// RFC 9051, section 11.1: what came in the clear must not count later.
	if d.br.Buffered() > 0 {
		return nil, &Error{Op: op, Kind: KindTLS, Err: errors.New("bytes arrived in the clear behind the answer to STARTTLS"), Hint: "somebody may be interfering with the connection"}
	}
	conn, err := c.handshake(ctx, raw, config)
	if err != nil {
		return nil, mailhost.TLSError(op, t, mailhost.IMAP, err)
	}
	return c.newDialogue(conn), nil
}

func (c *Conn) handshake(ctx context.Context, raw net.Conn, config *tls.Config) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, c.opts.GreetingTimeout)
	defer cancel()
	raw.SetDeadline(time.Time{})
	conn := tls.Client(raw, config)
	if err := conn.HandshakeContext(ctx); err != nil {
		if cert := mailhost.Certificate(err); cert != nil {
			c.opts.Observe.Tell(mailhost.Progress{Stage: mailhost.StageTLS, Certificate: cert})
		}
		return conn, err
	}
	state := conn.ConnectionState()
	c.opts.Observe.End(mailhost.Progress{Stage: mailhost.StageTLS, TLS: &state})
	return conn, nil
}

// greet reads the greeting and explains one that should not be.
func (c *Conn) greet(d *dialogue) (answer, error) {
	t := c.target
	op := "reading the greeting of " + t.Addr() + " for " + t.Name()
	c.opts.Observe.Begin(mailhost.StageGreeting)
	a, err := d.greeting()
	var bye *refusal
	var other *notIMAPError
	switch {
	case err == nil && a.status == "PREAUTH":
		return a, &Error{Op: op, Kind: KindTLS, Err: errors.New("server says PREAUTH: signed in before anybody did"), Hint: "somebody may be interfering with the connection, or the port is for local use"}
	case err == nil:
		c.opts.Observe.End(mailhost.Progress{Stage: mailhost.StageGreeting, Answer: d.shown(a)})
		return a, nil
	case errors.As(err, &bye):
		return a, classify(op, bye)
	case errors.As(err, &other):
		return a, &Error{Op: op, Kind: KindProtocol, Err: err, Hint: "this is not an IMAP server: check imap.host and imap.port"}
	case t.ImplicitTLS(mailhost.IMAP):
		return a, c.lost(op, err, "")
	case mailhost.IsTimeout(err):
		return a, &Error{Op: op, Kind: KindTLS, Err: errors.New("server says nothing"), Hint: "it probably waits for TLS from the first byte: set imap.security to ssl-on-connect"}
	case errors.Is(err, io.EOF):
		return a, &Error{Op: op, Kind: KindUnreachable, Err: errors.New("server closed the connection without a greeting"), Hint: "if the port is for TLS from the first byte, set imap.security to ssl-on-connect"}
	}
	return a, c.lost(op, err, "")
}

// signIn authenticates.
func (c *Conn) signIn(d *dialogue) (answer, error) {
	op := "signing in to " + c.target.Host + " for " + c.target.Name()
	switch {
	case c.target.Username == "":
		return answer{}, &Error{Op: op, Kind: KindCredentials, Err: errors.New("no username is set"), Hint: "set username"}
	case c.target.Password.IsZero():
		return answer{}, &Error{Op: op, Kind: KindCredentials, Err: errors.New("no password is set"), Hint: "set password"}
	}
	a, err := d.login(c.target.Username, c.target.Password.Reveal())
	switch {
	case errors.Is(err, errNoMechanism):
		return a, &Error{Op: op, Kind: KindCredentials, Err: err, Hint: mailhost.LoginHint(c.target.Host, strings.Join(d.caps, " "))}
	case err != nil:
		return a, c.lost(op, err, d.bye)
	case !a.ok():
		return a, classifyLogin(op, c.target.Host, a.err().(*refusal))
	}
	return a, nil
}

// handOver gives the connection to go-imap, which is told what the dialogue
// learnt by a greeting of our own.
func (c *Conn) handOver(d *dialogue, raw net.Conn) {
	rev1 := d.has("IMAP4REV1")
	first := []byte("* PREAUTH [CAPABILITY")
	for _, name := range d.caps {
		// RFC 9051, section 6.3.1: with both revisions offered the first is
		// spoken until ENABLE. go-imap would write folder names in UTF-8.
		if rev1 && name == "IMAP4REV2" {
			continue
		}
		first = fmt.Appendf(first, " %s", name)
	}
	first = append(first, "] ready\r\n"...)
	buffered, _ := d.br.Peek(d.br.Buffered())
	c.guard = newGuard(d.conn, raw, first, buffered, c.opts, &c.counters)
	c.guard.tracer = c.tracer
	c.client = imapclient.New(c.guard, &imapclient.Options{
		UnilateralDataHandler: &imapclient.UnilateralDataHandler{Mailbox: c.noteMailbox},
	})
	// The filter keeps later capabilities from go-imap: these stay.
	c.caps = c.client.Caps()
	c.hasIdle, c.hasMove = c.caps.Has(imap.CapIdle), c.caps.Has(imap.CapMove)
	c.selected = selection{}
}
