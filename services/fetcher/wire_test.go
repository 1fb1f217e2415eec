package fetcher

import (
	"bytes"
	"context"
	"errors"
	"net"
	"sync"
	"sync/atomic"
)

// A wire is what lies between the fetcher and a mail server in clear text.
type wire struct {
	connect func(ctx context.Context, network, addr string) (net.Conn, error)

	read atomic.Int64 // bytes that came from the server

	mu    sync.Mutex
	cuts  map[string]int // how often a connection is still cut when this text comes; below 0: always
	seen  map[string]bool
	lies  map[string]string // texts that are replaced, by others of the same length
	dials int
}

func newWire(connect func(ctx context.Context, network, addr string) (net.Conn, error)) *wire {
	return &wire{connect: connect, cuts: map[string]int{}, seen: map[string]bool{}, lies: map[string]string{}}
}

func (w *wire) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	w.mu.Lock()
	w.dials++
	w.mu.Unlock()
	c, err := w.connect(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	return &wiredConn{Conn: c, wire: w}, nil
}

// saw reports whether a text that was looked for came over the wire.
func (w *wire) saw(text string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.seen[text]
}

// dialled returns how many connections were made.
func (w *wire) dialled() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.dials
}

type wiredConn struct {
	net.Conn
	wire *wire
	tail []byte // the end of what was read before, in which a text may begin
	cut  bool
}

var errCut = errors.New("cut by the test")

func (c *wiredConn) Read(p []byte) (int, error) {
	if c.cut {
		c.Conn.Close()
		return 0, errCut
	}
	n, err := c.Conn.Read(p)
	c.wire.read.Add(int64(n))
	n, c.cut = c.wire.pass(c.tail, p[:n])
	if c.cut {
		return n, nil // what comes before the cut arrives
	}
	c.tail = append(c.tail, p[:n]...)
	c.tail = bytes.Clone(c.tail[max(0, len(c.tail)-64):])
	return n, err
}

// pass changes what comes, and returns how much of it arrives and whether the
// connection is cut after that.
func (w *wire) pass(before, now []byte) (arrives int, cut bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for text, lie := range w.lies {
		if i := bytes.Index(now, []byte(text)); i >= 0 {
			copy(now[i:], lie)
		}
	}
	all := append(bytes.Clone(before), now...)
	for text, left := range w.cuts {
		i := bytes.Index(all, []byte(text))
		if i < 0 {
			continue
		}
		w.seen[text] = true
		if left != 0 {
			w.cuts[text] = left - 1
			return max(0, i-len(before)), true
		}
	}
	return len(now), false
}
