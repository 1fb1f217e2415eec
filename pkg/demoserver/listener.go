package demoserver

import (
	"fmt"
	"net"
	"sync"
)

// A listener knows its connections: go-imap loses sight of one that it accepts
// while it is being closed.
type listener struct {
	net.Listener
	mu     sync.Mutex
	conns  map[*conn]struct{}
	closed bool
}

type conn struct {
	net.Conn
	listener *listener
}

func listen(addr string) (*listener, error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("listening for the demo server: %w", err)
	}
	return &listener{Listener: l, conns: make(map[*conn]struct{})}, nil
}

func (l *listener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		tracked := &conn{c, l}
		l.mu.Lock()
		if l.closed {
			l.mu.Unlock()
			c.Close()
			continue
		}
		l.conns[tracked] = struct{}{}
		l.mu.Unlock()
		return tracked, nil
	}
}

func (c *conn) Close() error {
	c.listener.mu.Lock()
	delete(c.listener.conns, c)
	c.listener.mu.Unlock()
	return c.Conn.Close()
}

// addr returns where a listener listens, nil for no listener.
func (l *listener) addr() *net.TCPAddr {
	if l == nil {
		return nil
	}
	return l.Addr().(*net.TCPAddr)
}

// end closes the listener, all connections, and those still to be accepted.
func (l *listener) end() {
	if l == nil {
		return
	}
	l.mu.Lock()
	l.closed = true
	conns := l.conns
	l.conns = make(map[*conn]struct{})
	l.mu.Unlock()
	for c := range conns {
		c.Conn.Close()
	}
	l.Listener.Close()
}
