package imapconn

import (
	"bytes"
	"context"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// A server that sends mails slower than this, while it is being waited for, is
// given up: the stall timer alone would let it drip for ever.
const (
	slowWindow = 2 * time.Minute
	slowBytes  = 6000
)

const (
	guardBuffer = 32 << 10 // bytes read at once while much is expected
	maxLine     = 256 << 10
	maxListing  = 16 << 20 // SEARCH and ESEARCH: two million UIDs
)

var (
	errStalled = errors.New("server sent nothing for too long")
	errSlow    = errors.New("server sends too slowly")
	errPhase   = errors.New("server did not finish the command in time")
	errClosed  = errors.New("connection is closed")
)

// A guard stands between go-imap and the network. go-imap trusts the server: it
// waits without end, buffers without limit, takes a body cut short for a whole
// one, and gives up on many answers that real servers send. The guard reads
// ahead of it, line by line and literal by literal, and keeps all that away.
//
// Read belongs to go-imap's reader goroutine; the rest may be called by anyone.
type guard struct {
	net.Conn          // TLS or TCP
	raw      net.Conn // TCP: closing it never blocks, unlike TLS
	filter   filter
	counters *counters
	tracer   *tracer

	// Of the reader.
	in      []byte // read from the server, not yet looked at
	buf     []byte // backs in
	ready   []byte // looked at, to be handed over
	literal int64  // bytes of a literal still to come
	drop    bool   // the literal is not for go-imap

	bulk atomic.Bool // much is expected: read in big pieces

	mu        sync.Mutex
	cause     error // why the connection ended; kept
	commands  int   // outstanding
	unlimited int   // of them, without a limit of time: their answers must come at a pace
	patience  time.Duration
	deadline  time.Time
	waited    time.Duration // spent waiting for the server since the window began
	waitBytes int64
}

type counters struct{ read, body, header atomic.Int64 }

// newGuard puts a guard around an authenticated connection. greeting is for
// go-imap; buffered was read from the connection already.
func newGuard(conn, raw net.Conn, greeting, buffered []byte, opts Options, n *counters) *guard {
	return &guard{
		Conn: conn, raw: raw, counters: n, ready: greeting, in: bytes.Clone(buffered),
		filter: filter{maxLiteral: opts.MaxLiteral},
	}
}

// SetReadDeadline is what go-imap calls; deadlines are the guard's.
func (g *guard) SetReadDeadline(time.Time) error { return nil }

// SetDeadline is not called by go-imap.
func (g *guard) SetDeadline(time.Time) error { return nil }

// Close closes the TCP connection: a TLS close may wait for a peer that does not read.
func (g *guard) Close() error {
	g.kill(errClosed)
	return nil
}

// kill ends the connection; the first cause stays.
func (g *guard) kill(cause error) {
	g.mu.Lock()
	first := g.cause == nil
	if first {
		g.cause = cause
	}
	g.mu.Unlock()
	g.raw.Close()
	if first {
		g.tracer.ended(cause)
	}
}

func (g *guard) ended() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.cause
}

// begin says that an answer is awaited: within limit, or, when that is 0, for as
// long as it comes at a pace. Between two bytes there is never more than
// patience. The end of ctx ends the connection. The caller calls end, once.
func (g *guard) begin(ctx context.Context, limit, patience time.Duration) (end func()) {
	g.mu.Lock()
	g.commands++
	if limit == 0 {
		g.unlimited++
	}
	g.patience = patience
	g.waited, g.waitBytes = 0, 0
	g.arm()
	g.mu.Unlock()
	stop := context.AfterFunc(ctx, func() { g.kill(context.Cause(ctx)) })
	var timer *time.Timer
	if limit > 0 {
		timer = time.AfterFunc(limit, func() { g.kill(errPhase) })
	}
	return func() {
		stop()
		if timer != nil {
			timer.Stop()
		}
		g.mu.Lock()
		if limit == 0 {
			g.unlimited--
		}
		if g.commands--; g.commands == 0 {
			g.arm()
		}
		g.mu.Unlock()
	}
}

// arm sets the read deadline; mu is held.
func (g *guard) arm() {
	g.deadline = time.Time{}
	if g.commands > 0 {
		g.deadline = time.Now().Add(g.patience)
	}
	g.Conn.SetReadDeadline(g.deadline)
}
