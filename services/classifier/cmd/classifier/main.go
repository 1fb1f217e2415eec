// Command classifier runs mailyard's classifier as a process of its own.
package main

import (
	"context"

	"github.com/mailyard/mailyard/services/classifier"
	"github.com/mailyard/mailyard/services/standalone"
)

func main() {
	standalone.Main("classifier", func(_ context.Context, d standalone.Deployment) (standalone.Service, error) {
		return classifier.New(classifier.Config{Bus: d.Bus, Logger: d.Logger}), nil
	})
}
