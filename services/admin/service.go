package admin

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"github.com/mailyard/mailyard/pkg/bus"
	"github.com/mailyard/mailyard/pkg/control"
	"github.com/mailyard/mailyard/pkg/process"
)

// provisionTime is how often the streams are looked after: what a lost NATS
// store took with it is back after that.
const provisionTime = 5 * time.Second

// Config is what the admin service needs.
type Config struct {
	Bus      bus.Options
	Topology bus.Topology
	Control  *control.Store // stays the caller's to close
	Logger   *zap.Logger
	Metrics  prometheus.Registerer // nil: none are registered
	Doors    *Doors                // nil: there are none
}

// Service is the admin service.
type Service struct{ config Config }

// New returns an admin service that connects when it runs.
func New(c Config) *Service { return &Service{config: c} }

// Run provisions and publishes until ctx is done.
func (s *Service) Run(ctx context.Context, ready func()) (err error) {
	c := s.config
	conn, err := bus.Connect(ctx, c.Bus.Named("admin"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close(process.Hard(ctx))) }()
	if err := conn.Provision(ctx, c.Topology); err != nil {
		return fmt.Errorf("provisioning NATS: %w", err)
	}
	if _, err := conn.Announce(ctx, "admin", c.Bus.Version, c.Bus.Replica); err != nil { // until the connection is closed
		return err
	}
	m := newMetrics(c.Metrics)
	s.measure(ctx, conn, m) // at once: a 0 at first would make old dead letters look like new ones
	var g errgroup.Group
	stopped, stop := context.WithCancel(ctx)
	defer stop()
	run := func(f func(context.Context) error) {
		g.Go(func() error {
			defer stop() // one that ends takes the others along
			return f(stopped)
		})
	}
	if c.Doors != nil {
		doors, shut, failed := s.open(ctx, conn)
		if failed != nil {
			return failed
		}
		defer func() { err = errors.Join(err, shut()) }()
		for _, door := range doors {
			run(door)
		}
	}
	run(func(ctx context.Context) error {
		s.keepProvisioned(ctx, conn, m)
		return nil
	})
	run(func(ctx context.Context) error { return control.NewRotator(c.Control, c.Logger).Run(ctx, func() {}) })
	run(conn.RunRetryPump)
	run(conn.RunAdvisories)
	run(func(ctx context.Context) error {
		return control.NewPublisher(c.Control, conn.JetStream(), control.PublisherOptions{Logger: c.Logger}).Run(ctx, ready)
	})
	return g.Wait()
}

func (s *Service) keepProvisioned(ctx context.Context, conn *bus.Conn, m metrics) {
	t := time.NewTicker(provisionTime)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		if err := conn.Provision(ctx, s.config.Topology); err != nil && ctx.Err() == nil {
			s.config.Logger.Warn("provisioning NATS", zap.Error(err))
		}
		s.measure(ctx, conn, m)
	}
}

func (s *Service) measure(ctx context.Context, conn *bus.Conn, m metrics) {
	if err := m.read(ctx, conn); err != nil && ctx.Err() == nil {
		s.config.Logger.Debug("reading what waits in the streams", zap.Error(err))
	}
}
