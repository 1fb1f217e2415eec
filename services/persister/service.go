package persister

import (
	"context"
	"errors"
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"github.com/mailyard/mailyard/pkg/bus"
	"github.com/mailyard/mailyard/pkg/configwatch"
	"github.com/mailyard/mailyard/pkg/mailstore"
	"github.com/mailyard/mailyard/pkg/process"
	"github.com/mailyard/mailyard/schemas"
)

// Config is what a persister needs.
type Config struct {
	Bus     bus.Options
	Stores  map[string]mailstore.Store // by the name that tenants refer to; they stay the caller's to close, and to tell when one is away
	Logger  *zap.Logger
	Metrics prometheus.Registerer // nil: none are registered
}

// Service is the persister.
type Service struct{ config Config }

// New returns a persister that connects when it runs.
func New(c Config) *Service { return &Service{config: c} }

// Run persists mail until ctx is done and what was begun is finished.
func (s *Service) Run(ctx context.Context, ready func()) (err error) {
	conn, err := bus.Connect(ctx, s.config.Bus.Named("persister"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close(process.Hard(ctx))) }()
	if err := conn.AwaitTopology(ctx); err != nil {
		return err
	}
	if _, err := conn.Announce(ctx, "persister", s.config.Bus.Version, s.config.Bus.Replica); err != nil { // until the connection is closed
		return err
	}
	watcher, err := configwatch.Start(ctx, conn.JetStream(), s.config.Logger)
	if err != nil {
		return fmt.Errorf("following the configuration: %w", err)
	}
	defer watcher.Close()
	parked, err := conn.WatchParked(ctx)
	if err != nil {
		return err
	}
	defer parked.Close()
	stores := newStores(watcher, s.config.Stores)

	committed := newCommitted(s.config.Metrics)
	lanes := make([]*lane, 0, len(schemas.Lanes))
	for _, name := range schemas.Lanes {
		l, err := openLane(ctx, s.config, name, stores, committed)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, l.close(process.Hard(ctx))) }()
		lanes = append(lanes, l)
	}
	g, ctx := errgroup.WithContext(ctx) // one that fails stops the others
	for _, l := range lanes {
		g.Go(func() error { return l.run(ctx, l.fresh) })
		g.Go(func() error { return l.run(ctx, l.retry) })
	}
	for _, stream := range []string{schemas.StreamEvents, schemas.StreamRetry} {
		g.Go(func() error { return recordDisposals(ctx, conn, stream, stores, s.config.Logger) })
	}
	for name, store := range stores.byName {
		sweep := &sweeper{conn: conn, name: name, store: store, watcher: watcher, parked: parked, logger: s.config.Logger}
		g.Go(func() error { return sweep.run(ctx) })
	}
	for name, store := range s.config.Stores {
		g.Go(func() error { return indexSearch(ctx, name, store, stores.activity, s.config.Logger) })
	}
	ready()
	return g.Wait()
}
