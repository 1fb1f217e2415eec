package imapconn

import (
	"bytes"
	"context"
	"errors"
	"io"
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
	if g.cause == nil {
		g.cause = cause
	}
	g.mu.Unlock()
	g.raw.Close()
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

// Read hands over what the filter let through.
func (g *guard) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for {
		switch {
		case len(g.ready) > 0:
			n := copy(p, g.ready)
			g.ready = g.ready[n:]
			return n, nil
		case g.literal > 0:
			if n, err := g.readLiteral(p); n > 0 || err != nil {
				return n, err
			}
		default:
			if err := g.readLine(p); err != nil {
				return 0, err
			}
		}
	}
}

// readLiteral hands over bytes of a literal, straight from the network when
// nothing is buffered and p is large.
func (g *guard) readLiteral(p []byte) (n int, err error) {
	p = p[:min(int64(len(p)), g.literal)]
	switch {
	case len(g.in) > 0:
		n = copy(p, g.in)
		g.in = g.in[n:]
	case !g.drop && (len(p) >= guardBuffer/2 || !g.bulk.Load()):
		if n, err = g.receive(p); err != nil {
			return 0, err
		}
	default:
		return 0, g.fill(p)
	}
	g.literal -= int64(n)
	if g.drop {
		return 0, nil
	}
	if g.filter.body {
		g.counters.body.Add(int64(n))
	} else {
		g.counters.header.Add(int64(n))
	}
	return n, nil
}

// readLine takes the next line from the server through the filter.
func (g *guard) readLine(p []byte) error {
	scanned := 0
	for {
		if i := bytes.IndexByte(g.in[scanned:], '\n'); i >= 0 {
			line := g.in[:scanned+i+1]
			g.in = g.in[len(line):]
			out, literal, err := g.filter.line(line)
			if err != nil {
				return g.fail(err)
			}
			g.ready, g.literal, g.drop = out, max(literal, 0), out == nil
			return nil
		}
		scanned = len(g.in)
		if scanned > g.filter.lineLimit(g.in) {
			return g.fail(errors.New("server sent a line without end"))
		}
		if err := g.fill(p); err != nil {
			return err
		}
	}
}

// fill appends to in. An idle connection waits on the caller's own buffer and
// holds none itself.
func (g *guard) fill(p []byte) error {
	if len(g.in) == 0 && !g.bulk.Load() {
		n, err := g.receive(p)
		if err != nil {
			return err
		}
		g.buf, g.in = nil, bytes.Clone(p[:n])
		return nil
	}
	if len(g.in) == 0 || cap(g.in)-len(g.in) < 4<<10 {
		if cap(g.buf) < max(guardBuffer, len(g.in)+4<<10) {
			g.buf = make([]byte, 0, max(guardBuffer, 2*len(g.in)+4<<10))
		}
		g.in = append(g.buf[:0], g.in...)
	}
	n, err := g.receive(g.in[len(g.in):cap(g.in)])
	if err != nil {
		return err
	}
	g.in = g.in[:len(g.in)+n]
	return nil
}

// receive is the one place that reads from the network.
func (g *guard) receive(p []byte) (int, error) {
	for {
		g.mu.Lock()
		if g.cause != nil {
			defer g.mu.Unlock()
			return 0, g.cause
		}
		g.arm()
		g.mu.Unlock()
		start := time.Now()
		n, err := g.Conn.Read(p)
		if n > 0 {
			g.counters.read.Add(int64(n))
			if g.tooSlow(time.Since(start), n) {
				return 0, g.fail(errSlow)
			}
			return n, nil
		}
		if err == nil {
			continue
		}
		if timeout(err) {
			if g.stalled() {
				return 0, g.fail(errStalled)
			}
			continue
		}
		if errors.Is(err, io.EOF) && g.literal > 0 {
			err = io.ErrUnexpectedEOF
		}
		return 0, g.fail(err)
	}
}

// stalled reports whether the deadline that just passed still holds: the
// command may have ended, or another begun, in the meantime.
func (g *guard) stalled() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.commands > 0 && !time.Now().Before(g.deadline)
}

func (g *guard) tooSlow(waited time.Duration, n int) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.unlimited == 0 {
		return false
	}
	g.waited += waited
	g.waitBytes += int64(n)
	if g.waited < slowWindow {
		return false
	}
	slow := g.waitBytes < slowBytes
	g.waited, g.waitBytes = 0, 0
	return slow
}

// fail ends the connection and returns why, for ever: go-imap tries again after
// an error and would wait as long once more.
func (g *guard) fail(err error) error {
	g.kill(err)
	return g.ended()
}

func timeout(err error) bool {
	var ne net.Error
	return errors.As(err, &ne) && ne.Timeout()
}
