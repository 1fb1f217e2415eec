package leaseserver

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/url"
	"time"

	"github.com/alicebob/miniredis/v2"
)

// sweep is how often TTLs are advanced. Only leftovers have one.
const sweep = 5 * time.Second

// Options of Start. The zero value takes a free port and a random password.
type Options struct {
	Addr     string // loopback address; empty is "127.0.0.1:0"
	Password string
}

// A Server is a running embedded Redis.
type Server struct {
	redis    *miniredis.Miniredis
	addr     string
	password string
	stop     context.CancelFunc
	done     chan struct{}
}

// Start listens and serves until Close.
func Start(o Options) (*Server, error) {
	if o.Addr == "" {
		o.Addr = "127.0.0.1:0"
	}
	if o.Password == "" {
		o.Password = rand.Text()
	}
	m := miniredis.NewMiniRedis()
	m.RequireAuth(o.Password)
	if err := m.StartAddr(o.Addr); err != nil {
		return nil, fmt.Errorf("starting embedded Redis on %s: %w", o.Addr, err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	s := &Server{redis: m, addr: m.Addr(), password: o.Password, stop: cancel, done: make(chan struct{})}
	go s.run(ctx)
	return s, nil
}

// run makes TTLs tick: miniredis does not by itself, and its own clock mode
// looks at all keys on every command.
func (s *Server) run(ctx context.Context) {
	defer close(s.done)
	ticker := time.NewTicker(sweep)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			s.redis.FastForward(sweep)
		case <-ctx.Done():
			return
		}
	}
}

// Addr returns the host and port it listens on, also after Close.
func (s *Server) Addr() string { return s.addr }

// URL returns the Redis URL, with the password.
func (s *Server) URL() string {
	u := url.URL{Scheme: "redis", User: url.UserPassword("", s.password), Host: s.Addr(), Path: "/0"}
	return u.String()
}

// Close stops the server; all it held is gone.
func (s *Server) Close() {
	s.stop()
	<-s.done
	s.redis.Close()
}
