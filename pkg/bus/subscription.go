package bus

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"

	"github.com/mailyard/mailyard/schemas"
)

// A Source says what to subscribe to: a durable consumer that Provision made.
//
// With MaxMessages alone, that many messages at most wait in the process (500
// when it is 0). With MaxBytes alone, that many bytes: right for large mail.
// With both, MaxMessages wait and no single pull exceeds MaxBytes. MaxBytes
// must not be less than MinSourceBytes.
type Source struct {
	Stage       schemas.Stage // whose work it is: names the retry subjects and dead letters
	Stream      string
	Durable     string // "<stage>-<lane>" or "disposer-<partition>"; see Durable
	MaxMessages int
	MaxBytes    int
}

// MinSourceBytes is the least Source.MaxBytes: a message that is larger than a
// pull may be would be refused in a busy loop, for ever (nats.go#1718).
const MinSourceBytes = 1 << 20

const (
	// The heartbeat bounds how long it takes to notice that nobody answers the
	// pulls: twice that. The expiry must be shorter than every ack wait, or a
	// process that does not receive is sent the same messages again and again.
	pullExpiry    = 10 * time.Second
	pullHeartbeat = 3 * time.Second
	bindTimeout   = 3 * time.Second
)

// lane is the last part of the retry subjects of the source.
func (s Source) lane() string {
	if s.Stage == schemas.StageDisposer {
		return laneDispose // its partitions share one
	}
	return strings.TrimPrefix(s.Durable, string(s.Stage)+"-")
}

func (s Source) check() error {
	switch {
	case s.Stage == "" || s.Stream == "":
		return errors.New("stage or stream is missing")
	case !strings.HasPrefix(s.Durable, string(s.Stage)+"-"):
		return fmt.Errorf("the durable must be named %s-<lane>", s.Stage)
	case s.MaxBytes != 0 && s.MaxBytes < MinSourceBytes:
		return fmt.Errorf("%d bytes at a time are less than a message may have (%d)", s.MaxBytes, MinSourceBytes)
	case s.MaxMessages < 0:
		return fmt.Errorf("%d messages at a time make no sense", s.MaxMessages)
	}
	return nil
}

func (s Source) options() []jetstream.PullConsumeOpt {
	opts := []jetstream.PullConsumeOpt{jetstream.PullExpiry(pullExpiry), jetstream.PullHeartbeat(pullHeartbeat)}
	switch {
	case s.MaxBytes > 0 && s.MaxMessages > 0:
		return append(opts, jetstream.PullMaxMessagesWithBytesLimit(s.MaxMessages, s.MaxBytes))
	case s.MaxBytes > 0:
		return append(opts, jetstream.PullMaxBytes(s.MaxBytes))
	case s.MaxMessages > 0:
		return append(opts, jetstream.PullMaxMessages(s.MaxMessages))
	}
	return append(opts, jetstream.PullMaxMessages(jetstream.DefaultMaxMessages))
}

// A Subscription delivers the messages of a Source until it is stopped. It
// comes back by itself after an outage, a restart of the server, and when the
// consumer was deleted and made again.
type Subscription struct {
	conn     *Conn
	source   Source
	logger   *zap.Logger
	messages chan *Message

	live   context.Context // ends with Stop
	cancel context.CancelFunc
	done   chan struct{}
}

// Subscribe binds to the consumer. It waits until the consumer exists, at most
// until ctx ends; the subscription itself lives until Stop or Conn.Close.
func (c *Conn) Subscribe(ctx context.Context, source Source) (*Subscription, error) {
	if err := source.check(); err != nil {
		return nil, fmt.Errorf("subscribing to %s on %s: %w", source.Durable, source.Stream, err)
	}
	return c.subscribe(ctx, source)
}

func (c *Conn) subscribe(ctx context.Context, source Source) (*Subscription, error) {
	live, cancel := context.WithCancel(context.Background())
	s := &Subscription{
		conn:     c,
		source:   source,
		logger:   c.logger.With(zap.String("stream", source.Stream), zap.String("consumer", source.Durable)),
		messages: make(chan *Message),
		live:     live,
		cancel:   cancel,
		done:     make(chan struct{}),
	}
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return nil, fmt.Errorf("subscribing to %s on %s: %w", source.Durable, source.Stream, nats.ErrConnectionClosed)
	}
	c.subs[s] = struct{}{}
	c.mu.Unlock()

	bound := make(chan struct{})
	go s.run(bound)
	select {
	case <-bound:
		return s, nil
	case <-s.done:
		return nil, fmt.Errorf("subscribing to %s on %s: %w", source.Durable, source.Stream, nats.ErrConnectionClosed)
	case <-ctx.Done():
		s.Stop()
		return nil, fmt.Errorf("subscribing to %s on %s: waiting for the consumer: %w", source.Durable, source.Stream, ctx.Err())
	}
}

// Messages returns the channel of messages. It is closed when the subscription
// has stopped. A message that was received from it must be settled, NAKed, or
// kept alive with InProgress. Not to receive for a while, because a database is
// away, is all right: the pulls expire, and what waits comes again at most once.
func (s *Subscription) Messages() <-chan *Message { return s.messages }

// Stop ends the delivery: it pulls no more, gives what nobody took from the
// channel back to the server, and closes the channel. Messages already taken
// can still be settled until Conn.Close. It returns when all this is done and
// may be called again. What it gives back counts as delivered: to stop and
// subscribe in turn, while something is away, ends in dead letters.
func (s *Subscription) Stop() {
	s.cancel()
	<-s.done
}

func (s *Subscription) stopped() bool {
	return s.live.Err() != nil || s.conn.nc.IsClosed()
}

// run owns the subscription: bind, consume, and again when it breaks.
func (s *Subscription) run(bound chan struct{}) {
	defer func() {
		s.cancel()
		close(s.messages)
		s.conn.mu.Lock()
		delete(s.conn.subs, s)
		s.conn.mu.Unlock()
		close(s.done)
	}()
	away := false
	for attempt := 0; !s.stopped(); attempt++ {
		consumer, err := s.bind(s.live)
		if err == nil {
			if away {
				s.logger.Info("the subscription is back")
			}
			away, attempt = false, 0
			if bound != nil {
				close(bound)
				bound = nil
			}
			err = s.consume(consumer)
		}
		if s.stopped() {
			return
		}
		if !away {
			away = true
			s.logger.Warn("the subscription is interrupted; trying again until it works", zap.Error(err))
		}
		if pause(s.live, backoff(attempt)) != nil {
			return
		}
	}
}

func (s *Subscription) bind(ctx context.Context) (jetstream.Consumer, error) {
	ctx, cancel := context.WithTimeout(ctx, bindTimeout)
	defer cancel()
	consumer, err := s.conn.js.Consumer(ctx, s.source.Stream, s.source.Durable)
	if err != nil {
		return nil, fmt.Errorf("binding to the consumer: %w", err)
	}
	return consumer, nil
}

// consume delivers until the subscription is stopped (nil) or broken.
func (s *Subscription) consume(consumer jetstream.Consumer) error {
	broken := make(chan error, 1)
	opts := append(s.source.options(), jetstream.ConsumeErrHandler(func(_ jetstream.ConsumeContext, err error) {
		if !breaks(err) {
			return
		}
		select {
		case broken <- err:
		default:
		}
	}))
	d := &delivery{subscription: s, quit: make(chan struct{})}
	consuming, err := consumer.Consume(d.deliver, opts...)
	if err != nil {
		return fmt.Errorf("consuming: %w", err)
	}
	select {
	case <-s.live.Done():
	case err = <-broken:
	}
	close(d.quit)
	if s.conn.nc.IsConnected() {
		consuming.Drain() // what the server has sent still comes to deliver
	} else {
		consuming.Stop()
	}
	<-consuming.Closed()
	d.giveBack()
	return err
}

// breaks tells the errors after which the consumer has to be looked up again
// from those that the library mends.
func breaks(err error) bool {
	for _, e := range []error{
		jetstream.ErrConsumerDeleted, jetstream.ErrConsumerNotFound, jetstream.ErrBadRequest,
		jetstream.ErrNoHeartbeat, jetstream.ErrConnectionClosed, nats.ErrNoResponders,
	} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}
