package standalone

import (
	"context"
	"fmt"
	"os"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"go.uber.org/zap"

	"github.com/mailyard/mailyard/pkg/bus"
	"github.com/mailyard/mailyard/pkg/deployment"
	"github.com/mailyard/mailyard/pkg/lease"
	"github.com/mailyard/mailyard/pkg/process"
)

// A Deployment is what the installation's settings give to a service.
type Deployment struct {
	Settings deployment.Settings
	Bus      bus.Options
	Redis    lease.Options
	Group    lease.GroupOptions
	Logger   *zap.Logger
	Metrics  *prometheus.Registry
	Version  string // of the program
	Notes    *Notes // what /readyz tells besides
}

// Service is what runs.
type Service = process.Service

// Main runs the service that build makes, as a process. The environment gives
// the settings: MAILYARD_CONFIG names a file, and MAILYARD_… variables override it.
// With the one argument healthcheck it asks the process that already runs with
// these settings whether it is well, for a container, which has no other program.
func Main(name string, build func(context.Context, Deployment) (Service, error)) {
	process.Main(name, func(ctx context.Context) error {
		settings, err := deployment.Load(deployment.Defaults(), deployment.ConfigFile(os.Environ()), os.Environ())
		if err != nil {
			return err
		}
		switch args := os.Args[1:]; {
		case len(args) == 1 && args[0] == "healthcheck":
			return process.Probe(ctx, settings.Health)
		case len(args) > 0:
			return fmt.Errorf("%q is not understood: %s takes no argument but healthcheck; MAILYARD_… variables set it up", args, name)
		}
		logger, err := settings.NewLogger(name)
		if err != nil {
			return err
		}
		defer func() { _ = logger.Sync() }() // standard error cannot always be synced
		d, err := newDeployment(settings, name, logger)
		if err != nil {
			return err
		}
		service, err := build(ctx, d)
		if err != nil {
			return err
		}
		return process.Run(ctx, process.Options{Grace: settings.Grace, Health: settings.Health, Registry: d.Metrics, Notes: d.Notes.lines, Logger: logger}, process.Part{Name: name, Service: service})
	})
}

func newDeployment(s deployment.Settings, name string, logger *zap.Logger) (Deployment, error) {
	if s.NATS.URL == deployment.Embedded || s.RedisURL.Reveal() == deployment.Embedded {
		return Deployment{}, fmt.Errorf("%s runs alone and cannot have embedded servers: set nats.url and redis, or run `mailyard up`", name)
	}
	host, err := os.Hostname()
	if err != nil {
		return Deployment{}, fmt.Errorf("naming this replica: %w", err)
	}
	metrics := prometheus.NewRegistry()
	metrics.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return Deployment{
		Settings: s,
		Bus:      bus.Options{URL: s.NATS.URL, Name: name, Version: process.Version(), Replica: host, User: s.NATS.User, Password: s.NATS.Password.Reveal(), Logger: logger},
		Redis:    lease.Options{URL: s.RedisURL.Reveal(), Logger: logger},
		Group:    lease.GroupOptions{Replica: host, TTL: s.LeaseTTL},
		Logger:   logger,
		Metrics:  metrics,
		Version:  process.Version(),
		Notes:    &Notes{},
	}, nil
}
