package imapconn

import (
	"context"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
	"go.uber.org/zap"
)

// A Conn is an authenticated connection. It is used by one goroutine at a time;
// only Counters and Wake may be called beside another method. After an error
// other than a refusal of the server (see Alive) it is of no more use.
//
// The end of a context given to a method ends the connection: IMAP has no way
// to call off a command.
type Conn struct {
	target   Target
	opts     Options
	log      *zap.Logger
	tracer   *tracer
	counters counters

	ns      namespace
	caps    imap.CapSet
	hasIdle bool
	hasMove bool

	client   *imapclient.Client
	guard    *guard
	selected selection
	changed  chan struct{} // holds a token after an EXISTS or Wake; outlives the client
	noDates  bool          // a listing with INTERNALDATE ended the connection
	folders  map[string]bool
}

// A selection is the selected folder.
type selection struct {
	name        string // on the server; empty: none
	uidvalidity uint32
	readOnly    bool   // by EXAMINE
	highest     uint32 // UID up to which the server has told this connection of mails
}

// Counters are totals since Dial.
type Counters struct {
	BytesRead   int64 // from the server, after decryption, once signed in
	BodyBytes   int64 // of them, literals that are whole mails
	HeaderBytes int64 // of them, all other literals
}

// Counters returns the totals; it may be called at any time.
func (c *Conn) Counters() Counters {
	return Counters{c.counters.read.Load(), c.counters.body.Load(), c.counters.header.Load()}
}

// Answer returns what the server said last to a command, cleaned; empty: nothing
// yet. It is for those who look on.
func (c *Conn) Answer() string {
	seen := &c.guard.filter.seen
	seen.mu.Lock()
	defer seen.mu.Unlock()
	return seen.answer
}

// Alive reports whether the connection has not ended yet.
func (c *Conn) Alive() bool {
	select {
	case <-c.client.Closed():
		return false
	default:
		return c.guard.ended() == nil
	}
}

// Close signs out, if the server is quick about it, and ends the connection.
func (c *Conn) Close() error {
	if c.Alive() {
		end := c.guard.begin(context.Background(), 2*time.Second, 2*time.Second)
		c.client.Logout().Wait()
		end()
	}
	c.guard.kill(errClosed)
	<-c.client.Closed()
	return nil
}

// do runs one exchange with the server, which must be over within limit. The
// server may be silent meanwhile, or say that it is still there. op is for the error.
func (c *Conn) do(ctx context.Context, op string, limit time.Duration, exchange func() error) error {
	return c.await(ctx, op, limit, 2*limit, exchange)
}

// stream runs an exchange that takes as long as it takes while data comes.
func (c *Conn) stream(ctx context.Context, op string, exchange func() error) error {
	return c.await(ctx, op, 0, c.opts.StallTimeout, exchange)
}

func (c *Conn) await(ctx context.Context, op string, limit, patience time.Duration, exchange func() error) error {
	if ctx.Err() != nil {
		return &Error{Op: op + " of " + c.target.Name(), Err: context.Cause(ctx)}
	}
	end := c.guard.begin(ctx, limit, patience)
	err := exchange()
	end()
	return c.explain(op, err)
}

// noteMailbox runs in go-imap's reader.
func (c *Conn) noteMailbox(data *imapclient.UnilateralDataMailbox) {
	if data.NumMessages != nil {
		c.Wake()
	}
}
