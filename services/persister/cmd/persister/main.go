// Command persister runs mailyard's persister as a process of its own.
package main

import (
	"context"
	"errors"

	"github.com/mailyard/mailyard/pkg/mailstore/stores"
	"github.com/mailyard/mailyard/pkg/process"
	"github.com/mailyard/mailyard/services/persister"
	"github.com/mailyard/mailyard/services/standalone"
)

func main() {
	standalone.Main("persister", func(ctx context.Context, d standalone.Deployment) (standalone.Service, error) {
		all, err := stores.Open(ctx, d.Settings.Messaging, d.Logger)
		if err != nil {
			return nil, err
		}
		d.Notes.Add(all.Notes)
		service := persister.New(persister.Config{Bus: d.Bus, Stores: all, Logger: d.Logger, Metrics: d.Metrics})
		return process.Func(func(ctx context.Context, ready func()) error {
			return errors.Join(service.Run(ctx, ready), all.Close())
		}), nil
	})
}
