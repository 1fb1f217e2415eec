package smtpconn

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/mailyard/mailyard/pkg/mailhost"
)

// ourName is how we introduce ourselves. A client that signs in need not be known
// by name, and the real one is nobody's business.
const ourName = "localhost"

// Dial connects, secures the connection as the target demands, and signs in. Its
// errors are *Error.
func Dial(ctx context.Context, t Target, opts Options) (*Conn, error) {
	opts = opts.withDefaults()
	c := &Conn{target: t, opts: opts}
	op := "connecting to " + t.Addr() + " for " + t.Name()
	opts.Observe.Begin(mailhost.StageConnect)
	dctx, cancel := context.WithTimeout(ctx, opts.ConnectTimeout)
	raw, err := opts.Dial(dctx, "tcp", t.Addr())
	cancel()
	if err != nil {
		err := mailhost.Unreachable(ctx, mailhost.SMTP, op, err)
		say(opts.Trace, mailhost.Remark, err.Error())
		return nil, err
	}
	say(opts.Trace, mailhost.Remark, "connected to "+t.Addr())
	opts.Observe.End(mailhost.Progress{Stage: mailhost.StageConnect, Remote: raw.RemoteAddr()})
	c.raw = raw
	stop := context.AfterFunc(ctx, func() { raw.Close() })
	err = c.open(ctx)
	if ended := !stop(); ended && err == nil {
		err = ctx.Err()
	}
	if err != nil {
		raw.Close()
		if ctx.Err() != nil {
			return nil, &Error{Op: op, Kind: mailhost.KindUnreachable, Err: context.Cause(ctx)}
		}
		return nil, err
	}
	return c, nil
}

// open goes from the TCP connection to the end of the sign-in.
func (c *Conn) open(ctx context.Context) error {
	conn, err := c.secure(ctx)
	if err != nil {
		return err
	}
	conn.SetDeadline(time.Time{})
	c.guard = &guard{Conn: conn, first: []byte("220 ready\r\n"), timeout: c.opts.CommandTimeout, trace: c.opts.Trace}
	c.client = smtp.NewClient(c.guard)
	c.client.CommandTimeout, c.client.SubmissionTimeout = c.opts.CommandTimeout, c.opts.SendTimeout
	op := "asking " + c.target.Host + " what it can do for " + c.target.Name()
	c.opts.Observe.Begin(mailhost.StageCapabilities)
	if err := c.client.Hello(ourName); err != nil {
		return c.explain(op, err)
	}
	c.opts.Observe.End(mailhost.Progress{Stage: mailhost.StageCapabilities, Capabilities: c.extensions()})
	return c.signIn()
}

// secure reads the greeting and brings TLS up. The connection that it returns is
// encrypted, or allowed not to be.
func (c *Conn) secure(ctx context.Context) (net.Conn, error) {
	t := c.target
	op := "opening a secure connection to " + t.Addr() + " for " + t.Name()
	config, err := mailhost.TLSConfig(t, mailhost.SMTP)
	if err != nil {
		return nil, &Error{Op: op, Kind: mailhost.KindTLS, Err: err, Hint: "smtp.ca must hold certificates in PEM form"}
	}
	if t.ImplicitTLS(mailhost.SMTP) {
		c.opts.Observe.Begin(mailhost.StageTLS)
		conn, err := c.handshake(ctx, config)
		if err != nil {
			return nil, mailhost.TLSError(op, t, mailhost.SMTP, err)
		}
		return conn, c.greet(c.newDialogue(conn))
	}
	d := c.newDialogue(c.raw)
	if err := c.greet(d); err != nil {
		return nil, err
	}
	c.opts.Observe.Begin(mailhost.StageTLS)
	d.timeout = c.opts.CommandTimeout
	return c.startTLS(ctx, op, d, config)
}

// startTLS asks for TLS (RFC 3207).
func (c *Conn) startTLS(ctx context.Context, op string, d *dialogue, config *tls.Config) (net.Conn, error) {
	hello, err := d.command("EHLO " + ourName)
	if err != nil {
		return nil, c.lost(op, err)
	}
	if hello.code >= 400 || !hello.offers("STARTTLS") {
		if c.target.AllowInsecure {
			c.opts.Observe.End(mailhost.Progress{Stage: mailhost.StageTLS})
			return c.raw, nil
		}
		return nil, &Error{Op: op, Kind: mailhost.KindTLS, Err: errors.New("server does not offer STARTTLS"), Hint: "if the server has a port with TLS from the first byte, usually 465, set smtp.port and smtp.security ssl-on-connect"}
	}
	a, err := d.command("STARTTLS")
	switch {
	case err != nil:
		return nil, c.lost(op, err)
	case a.code != 220:
		return nil, &Error{Op: op, Kind: mailhost.KindTLS, Err: a.refusal(mailhost.Secrets{})}
	case d.br.Buffered() > 0:
		// RFC 3207, section 6: what came in the clear must not count later.
		return nil, &Error{Op: op, Kind: mailhost.KindTLS, Err: errors.New("bytes arrived in the clear behind the answer to STARTTLS"), Hint: "somebody may be interfering with the connection"}
	}
	conn, err := c.handshake(ctx, config)
	if err != nil {
		return nil, mailhost.TLSError(op, c.target, mailhost.SMTP, err)
	}
	return conn, nil
}

func (c *Conn) handshake(ctx context.Context, config *tls.Config) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, c.opts.GreetingTimeout)
	defer cancel()
	c.raw.SetDeadline(time.Time{})
	conn := tls.Client(c.raw, config)
	if err := conn.HandshakeContext(ctx); err != nil {
		if cert := mailhost.Certificate(err); cert != nil {
			c.opts.Observe.Tell(mailhost.Progress{Stage: mailhost.StageTLS, Certificate: cert})
		}
		return nil, err
	}
	state := conn.ConnectionState()
	say(c.opts.Trace, mailhost.Remark, "encrypted by "+tls.VersionName(state.Version)+" with "+tls.CipherSuiteName(state.CipherSuite))
	c.opts.Observe.End(mailhost.Progress{Stage: mailhost.StageTLS, TLS: &state})
	return conn, nil
}

// greet reads the greeting and explains one that should not be.
func (c *Conn) greet(d *dialogue) error {
	t := c.target
	op := "reading the greeting of " + t.Addr() + " for " + t.Name()
	c.opts.Observe.Begin(mailhost.StageGreeting)
	a, err := d.reply()
	var other *notSMTPError
	switch {
	case err == nil && a.code == 220 && d.br.Buffered() == 0:
		c.opts.Observe.End(mailhost.Progress{Stage: mailhost.StageGreeting, Answer: mailhost.CleanText("220 " + a.text())})
		return nil
	case err == nil && a.code == 220:
		return &Error{Op: op, Kind: mailhost.KindProtocol, Err: errors.New("server goes on talking behind its greeting"), Hint: "somebody may be interfering with the connection"}
	case err == nil:
		return classify(op, a.refusal(mailhost.Secrets{}))
	case errors.As(err, &other):
		return &Error{Op: op, Kind: mailhost.KindProtocol, Err: err, Hint: "this is not an SMTP server: check smtp.host and smtp.port"}
	case t.ImplicitTLS(mailhost.SMTP):
		return c.lost(op, err)
	case mailhost.IsTimeout(err):
		return &Error{Op: op, Kind: mailhost.KindTLS, Err: errors.New("server says nothing"), Hint: "it probably waits for TLS from the first byte: set smtp.security to ssl-on-connect"}
	case errors.Is(err, io.EOF):
		e := &Error{Op: op, Kind: mailhost.KindUnreachable, Err: errors.New("server closed the connection without a greeting"), Hint: "if the port is for TLS from the first byte, set smtp.security to ssl-on-connect"}
		return e.ForFault()
	}
	return c.lost(op, err)
}
