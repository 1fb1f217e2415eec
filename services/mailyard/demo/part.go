package demo

import (
	"context"
	"fmt"
	"path/filepath"

	"go.uber.org/zap"

	"github.com/mailyard/mailyard/pkg/control"
	"github.com/mailyard/mailyard/pkg/demoserver"
)

// Install applies the demo's documents for a running demo mail server.
func Install(ctx context.Context, store *control.Store, server *demoserver.Server) error {
	docs, err := Documents(server.Addr().IP.String(), server.Addr().Port, server.SMTPAddr().Port)
	if err != nil {
		return fmt.Errorf("reading the demo's documents: %w", err)
	}
	if _, err := store.Apply(ctx, control.Actor{Name: "demo", Role: control.RoleLandlord, From: "mailyard up --demo"}, docs, false); err != nil {
		return fmt.Errorf("applying the demo's documents: %w", err)
	}
	return nil
}

// Dir is the demo's folder in an installation.
func Dir(data string) string { return filepath.Join(data, "demo") }

// Start starts the demo mail server of an installation.
func Start(ctx context.Context, data string, logger *zap.Logger) (*demoserver.Server, error) {
	return StartServer(ctx, Dir(data), "", Password, logger)
}
