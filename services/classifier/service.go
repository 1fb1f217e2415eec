package classifier

import (
	"context"
	"errors"
	"fmt"

	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"github.com/mailyard/mailyard/pkg/bus"
	"github.com/mailyard/mailyard/pkg/configwatch"
	"github.com/mailyard/mailyard/pkg/process"
	"github.com/mailyard/mailyard/schemas"
)

// Config is what a classifier needs.
type Config struct {
	Bus    bus.Options
	Logger *zap.Logger
}

// Service is the classifier.
type Service struct{ config Config }

// New returns a classifier that connects when it runs.
func New(c Config) *Service { return &Service{config: c} }

// workers returns how many mails of a lane are in the hands of one replica at
// once. Each waits for a PubAck most of its time, so there are many more than cores.
func workers(l schemas.Lane) int {
	if l == schemas.Light {
		return 64
	}
	return 8
}

// Run classifies mail until ctx is done and what was begun is finished.
func (s *Service) Run(ctx context.Context, ready func()) (err error) {
	conn, err := bus.Connect(ctx, s.config.Bus.Named("classifier"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close(process.Hard(ctx))) }()
	if err := conn.AwaitTopology(ctx); err != nil {
		return err
	}
	if _, err := conn.Announce(ctx, "classifier", s.config.Bus.Version, s.config.Bus.Replica); err != nil { // until the connection is closed
		return err
	}
	watcher, err := configwatch.Start(ctx, conn.JetStream(), s.config.Logger)
	if err != nil {
		return fmt.Errorf("following the configuration: %w", err)
	}
	defer watcher.Close()
	tables := newTables(watcher)

	var g errgroup.Group
	lanes := make([]*lane, 0, len(schemas.Lanes))
	for _, name := range schemas.Lanes {
		l, err := openLane(ctx, s.config, name, tables)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, l.close(process.Hard(ctx))) }()
		lanes = append(lanes, l)
	}
	for _, l := range lanes {
		g.Go(func() error { return l.run(ctx) })
	}
	ready()
	return g.Wait()
}
