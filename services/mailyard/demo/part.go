package demo

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"go.uber.org/zap"

	"github.com/mailyard/mailyard/pkg/control"
	"github.com/mailyard/mailyard/pkg/demoserver"
)

// ErrDeleted: the demo's tenant was deleted in this installation.
var ErrDeleted = errors.New("the demo's tenant was deleted here, and the id of a deleted tenant is not used again")

const tenant = "demo"

// Install applies the demo's documents for a running demo mail server.
// ErrDeleted if its tenant was deleted there before.
func Install(ctx context.Context, store *control.Store, server *demoserver.Server) error {
	actor := control.Actor{Name: "demo", Role: control.RoleLandlord, From: "mailyard up --demo"}
	gone, err := store.TenantGone(ctx, actor, tenant)
	if err != nil {
		return err
	}
	if gone {
		return ErrDeleted
	}
	docs, err := Documents(server.Addr().IP.String(), server.Addr().Port, server.SMTPAddr().Port)
	if err != nil {
		return fmt.Errorf("reading the demo's documents: %w", err)
	}
	if _, err := store.Apply(ctx, actor, docs, false); err != nil {
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
