package lease

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
	"go.uber.org/zap"

	"github.com/mailyard/mailyard/pkg/fault"
)

// batch is how many resources, UIDs or permits one call carries.
const batch = 500

// Options of Dial.
type Options struct {
	URL     string        // redis://user:password@host:port/db, or rediss:// for TLS
	Prefix  string        // of every key; empty is "mailyard:"
	Timeout time.Duration // of every call; 0 is 3 s
	Logger  *zap.Logger
}

// A Client is a connection to Redis. It is safe for concurrent use. When Redis
// is away, errors of its methods are fault.Unavailable.
type Client struct {
	redis   *redis.Client
	prefix  string
	timeout time.Duration
	logger  *zap.Logger
	permits *keeper
}

// Dial connects to Redis. The error is permanent when the URL or the
// credentials are wrong.
func Dial(ctx context.Context, o Options) (*Client, error) {
	ro, err := redis.ParseURL(o.URL)
	if err != nil { // its text may contain the password
		return nil, fault.Permanent(errors.New("reading the Redis URL: it must look like redis://user:password@host:6379/0"))
	}
	if o.Prefix == "" {
		o.Prefix = "mailyard:"
	}
	if o.Timeout <= 0 {
		o.Timeout = 3 * time.Second
	}
	if o.Logger == nil {
		o.Logger = zap.NewNop()
	}
	ro.ContextTimeoutEnabled = true
	ro.DialTimeout, ro.ReadTimeout, ro.WriteTimeout = o.Timeout, o.Timeout, o.Timeout
	ro.DialerRetries, ro.MaxRetries = 1, 1
	ro.DisableIdentity = true
	ro.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	c := &Client{redis: redis.NewClient(ro), prefix: o.Prefix, timeout: o.Timeout, logger: o.Logger}
	pctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	if err := c.redis.Ping(pctx).Err(); err != nil {
		err = c.classify(ctx, fmt.Errorf("connecting to Redis at %s: %w", ro.Addr, err))
		return nil, errors.Join(err, c.redis.Close())
	}
	c.permits = newKeeper(c)
	return c, nil
}

// Close gives back all permits and closes the connections. Groups must have
// returned from Run.
func (c *Client) Close() error {
	c.permits.close()
	if err := c.redis.Close(); err != nil {
		return fmt.Errorf("closing Redis: %w", err)
	}
	return nil
}

// eval runs a script with a deadline.
func (c *Client) eval(ctx context.Context, s *redis.Script, keys []string, args ...any) (*redis.Cmd, error) {
	tctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	cmd := s.Run(tctx, c.redis, keys, args...)
	return cmd, c.classify(ctx, cmd.Err())
}

// do runs commands in one round trip, with a deadline.
func (c *Client) do(ctx context.Context, commands func(p redis.Pipeliner)) error {
	tctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	_, err := c.redis.Pipelined(tctx, func(p redis.Pipeliner) error {
		commands(p)
		return nil
	})
	return c.classify(ctx, err)
}

// classify tells a Redis that is away from one that refuses us, and from a
// caller who gave up.
func (c *Client) classify(ctx context.Context, err error) error {
	if err == nil || ctx.Err() != nil {
		return err
	}
	var reply redis.Error
	if errors.As(err, &reply) {
		switch code, _, _ := strings.Cut(reply.Error(), " "); code {
		case "WRONGPASS", "NOAUTH", "NOPERM":
			return fault.Permanent(fmt.Errorf("%w (check user and password in the Redis URL)", err))
		case "ERR", "WRONGTYPE":
			return err
		}
	}
	return fault.Unavailable(err)
}

// newID returns an id that no other process has.
func newID() string { return strings.ToLower(rand.Text()[:16]) }
