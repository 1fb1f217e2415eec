package process

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"go.uber.org/zap"
)

// HTTPServer is a Service that serves HTTP with a deadline on everything. Its
// soft stop closes the listener and lets running requests finish; its hard stop
// closes their connections.
type HTTPServer struct {
	Addr     string       // such as "127.0.0.1:8080"; port 0 takes a free one, see the log
	Listener net.Listener // in place of Addr, if it is not nil; Run closes it
	Handler  http.Handler
	// WriteTimeout bounds an answer; 0 is 30 s. A handler that streams extends
	// it with http.ResponseController.
	WriteTimeout time.Duration
	Logger       *zap.Logger
}

// Run listens, calls ready and serves until ctx is done.
func (s *HTTPServer) Run(ctx context.Context, ready func()) error {
	logger := s.Logger
	if logger == nil {
		logger = zap.NewNop()
	}
	server := &http.Server{
		Handler:           s.Handler,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      s.WriteTimeout,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          zap.NewStdLog(logger),
	}
	if server.WriteTimeout <= 0 {
		server.WriteTimeout = 30 * time.Second
	}
	l, err := s.listen(ctx)
	if err != nil {
		return err
	}
	addr := l.Addr().String()
	logger.Info("listening", zap.Stringer("addr", l.Addr()))
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	ready()
	select {
	case err := <-served:
		return fmt.Errorf("serving on %s: %w", addr, err)
	case <-ctx.Done():
	}
	err = server.Shutdown(Hard(ctx))
	if err != nil {
		err = errors.Join(fmt.Errorf("finishing requests on %s: %w", addr, err), server.Close())
	}
	<-served
	return err
}

func (s *HTTPServer) listen(ctx context.Context) (net.Listener, error) {
	if s.Listener != nil {
		return s.Listener, nil
	}
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", s.Addr)
	if err != nil {
		return nil, fmt.Errorf("listening on %s: %w", s.Addr, err)
	}
	return l, nil
}
