// Command admin runs mailyard's admin service as a process of its own.
package main

import (
	"context"
	"errors"

	"github.com/mailyard/mailyard/pkg/bus"
	"github.com/mailyard/mailyard/pkg/control"
	"github.com/mailyard/mailyard/pkg/process"
	"github.com/mailyard/mailyard/services/admin"
	"github.com/mailyard/mailyard/services/standalone"
)

func main() {
	standalone.Main("admin", func(ctx context.Context, d standalone.Deployment) (standalone.Service, error) {
		url := d.Settings.Control.Reveal()
		if url == "" {
			return nil, errors.New("control is not set: name the control database, such as postgres://…")
		}
		size, err := d.Settings.NATS.StoreBytes()
		if err != nil {
			return nil, err
		}
		store, err := control.Open(ctx, url, d.Logger)
		if err != nil {
			return nil, err
		}
		service := admin.New(admin.Config{Bus: d.Bus, Topology: bus.DefaultTopology(d.Settings.NATS.Replicas).Fit(size), Control: store, Logger: d.Logger, Metrics: d.Metrics})
		return process.Func(func(ctx context.Context, ready func()) error {
			return errors.Join(service.Run(ctx, ready), store.Close())
		}), nil
	})
}
