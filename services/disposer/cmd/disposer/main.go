// Command disposer runs mailyard's disposer as a process of its own.
package main

import (
	"context"

	"github.com/mailyard/mailyard/pkg/credential"
	"github.com/mailyard/mailyard/services/disposer"
	"github.com/mailyard/mailyard/services/standalone"
)

func main() {
	standalone.Main("disposer", func(_ context.Context, d standalone.Deployment) (standalone.Service, error) {
		mail, err := credential.Open(d.Settings)
		if err != nil {
			return nil, err
		}
		return disposer.New(disposer.Config{Bus: d.Bus, Redis: d.Redis, Group: d.Group, Mail: mail, Logger: d.Logger, Metrics: d.Metrics}), nil
	})
}
