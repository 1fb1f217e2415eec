package imapconn

import (
	"bytes"
	"errors"
	"io"
	"time"

	"github.com/mailyard/mailyard/pkg/mailhost"
)

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
			g.tracer.server(line, g.filter.inside, phaseOpen)
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
		if mailhost.IsTimeout(err) {
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
