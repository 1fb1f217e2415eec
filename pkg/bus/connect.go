package bus

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"regexp"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"
)

// Options say how to reach the NATS server.
type Options struct {
	URL       string                     // nats://host:port[,…] or tls://…; unused with InProcess
	InProcess nats.InProcessConnProvider // an embedded server; wins over URL
	Name      string                     // of the connection, e.g. "persister-light": letters, digits, "-" and "_"
	User      string                     // with Password; the name of the service where Permissions are in force
	Password  string                     // never logged
	CredsFile string                     // path of a NATS credentials file; instead of User and Password
	CAFile    string                     // path of a PEM file with the authorities of a tls:// URL; empty: the system's
	Logger    *zap.Logger                // required
	// Version and Replica are what the process tells of itself: see Announce.
	Version, Replica string
}

// Named returns the options under another connection name.
func (o Options) Named(name string) Options {
	o.Name = name
	return o
}

// Conn is a connection to NATS with JetStream. It reconnects for ever. Lanes do
// not share one: large mail would delay light mail by a hundred milliseconds.
// It is safe for concurrent use.
type Conn struct {
	nc     *nats.Conn
	js     jetstream.JetStream
	logger *zap.Logger
	delays schedule // of retries

	mu     sync.Mutex
	subs   map[*Subscription]struct{}
	closed bool
}

const (
	dialTimeout    = 5 * time.Second
	requestTimeout = 10 * time.Second // of JetStream requests and PubAcks, when the context has no deadline
	drainTimeout   = 10 * time.Second
	pingInterval   = 20 * time.Second
	maxPings       = 2
	maxPending     = 256 // unacknowledged asynchronous publishes; more gains nothing and stalls with sync_interval "always"
)

var validName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// Connect returns when the connection is made. It tries again, with back-off,
// until ctx ends, except when the server refuses the credentials.
func Connect(ctx context.Context, o Options) (*Conn, error) {
	if !validName.MatchString(o.Name) {
		return nil, fmt.Errorf("connecting to NATS: %q cannot name a connection: use letters, digits, - and _", o.Name)
	}
	if o.URL == "" && o.InProcess == nil {
		return nil, errors.New("connecting to NATS: neither a URL nor an embedded server is given")
	}
	logger := o.Logger.Named("bus")
	nc, err := dial(ctx, o, logger)
	if err != nil {
		return nil, fmt.Errorf("connecting to NATS as %q: %w", o.Name, err)
	}
	js, err := jetstream.New(nc,
		jetstream.WithDefaultTimeout(requestTimeout),
		jetstream.WithPublishAsyncMaxPending(maxPending),
		jetstream.WithPublishAsyncTimeout(requestTimeout))
	if err != nil {
		nc.Close()
		return nil, fmt.Errorf("connecting to NATS as %q: %w", o.Name, err)
	}
	return &Conn{nc: nc, js: js, logger: logger, delays: retryDelays(), subs: map[*Subscription]struct{}{}}, nil
}

func dial(ctx context.Context, o Options, logger *zap.Logger) (*nats.Conn, error) {
	options := connOptions(o, logger)
	for attempt := 0; ; attempt++ {
		nc, err := nats.Connect(o.URL, options...)
		if err == nil {
			return nc, nil
		}
		if errors.Is(err, nats.ErrAuthorization) || errors.Is(err, nats.ErrAuthExpired) {
			return nil, fmt.Errorf("the server refuses the credentials; check user, password or credentials file: %w", err)
		}
		if attempt == 0 {
			logger.Warn("NATS cannot be reached; trying again until it can", zap.Error(err))
		}
		if waitErr := pause(ctx, backoff(attempt)); waitErr != nil {
			return nil, err
		}
	}
}

func connOptions(o Options, logger *zap.Logger) []nats.Option {
	options := []nats.Option{
		nats.Name(o.Name),
		nats.CustomInboxPrefix(o.inboxPrefix()),
		nats.Timeout(dialTimeout),
		nats.PingInterval(pingInterval),
		nats.MaxPingsOutstanding(maxPings),
		nats.DrainTimeout(drainTimeout),
		nats.MaxReconnects(-1),
		nats.CustomReconnectDelay(backoff),
		// Users are changed by restarting the server with another file: a
		// refusal in between must not end the connection for good.
		nats.IgnoreAuthErrorAbort(),
		nats.DisconnectErrHandler(func(nc *nats.Conn, err error) {
			if !nc.IsClosed() {
				logger.Warn("NATS is away; reconnecting", zap.Error(err))
			}
		}),
		nats.ReconnectHandler(func(*nats.Conn) { logger.Info("NATS is back") }),
		nats.ErrorHandler(func(_ *nats.Conn, sub *nats.Subscription, err error) {
			subject := ""
			if sub != nil {
				subject = sub.Subject
			}
			// A refused permission shows here and nowhere else: whoever
			// published only sees a time-out.
			logger.Error("NATS reports an error", zap.Error(err), zap.String("subscription", subject))
		}),
	}
	if o.InProcess != nil {
		options = append(options, nats.InProcessServer(o.InProcess))
	}
	if o.User != "" {
		options = append(options, nats.UserInfo(o.User, o.Password))
	}
	if o.CredsFile != "" {
		options = append(options, nats.UserCredentials(o.CredsFile))
	}
	if o.CAFile != "" {
		options = append(options, nats.RootCAs(o.CAFile))
	}
	return options
}

// inboxPrefix keeps the replies of one user from the eyes of another; see
// Permissions. A service has one user and many connections.
func (o Options) inboxPrefix() string {
	if validName.MatchString(o.User) {
		return inboxPrefix + "_" + o.User
	}
	return inboxPrefix + "_" + o.Name
}

// inboxPrefix begins every subject that replies come on.
const inboxPrefix = "_INBOX"

// NATS returns the connection, for what this package does not do.
func (c *Conn) NATS() *nats.Conn { return c.nc }

// JetStream returns the JetStream context of the connection.
func (c *Conn) JetStream() jetstream.JetStream { return c.js }

// Close stops the subscriptions that are still open, waits for outstanding
// PubAcks and acks until ctx ends, and closes the connection. Messages can not
// be settled any more. Calling it again does nothing.
func (c *Conn) Close(ctx context.Context) error {
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return nil
	}
	c.closed = true
	var subs []*Subscription
	for s := range c.subs {
		subs = append(subs, s)
	}
	c.mu.Unlock()
	for _, s := range subs {
		s.Stop()
	}
	defer c.nc.Close()
	select {
	case <-c.js.PublishAsyncComplete():
	case <-ctx.Done():
		return fmt.Errorf("closing the NATS connection: waiting for PubAcks: %w", ctx.Err())
	}
	if !c.nc.IsConnected() {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, drainTimeout)
	defer cancel()
	if err := c.nc.FlushWithContext(ctx); err != nil {
		return fmt.Errorf("closing the NATS connection: flushing acks: %w", err)
	}
	return nil
}

const (
	minBackoff = 100 * time.Millisecond
	maxBackoff = 5 * time.Second
)

// backoff doubles from minBackoff to maxBackoff, less up to a half at random,
// so that a fleet does not return at the same moment.
func backoff(attempt int) time.Duration {
	d := maxBackoff
	if attempt < 6 {
		d = min(minBackoff<<attempt, maxBackoff)
	}
	return d - time.Duration(rand.Int64N(int64(d/2)))
}

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
