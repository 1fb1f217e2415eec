package mailyard

import (
	"context"
	"errors"
	"maps"
	"slices"

	"go.uber.org/zap"

	"github.com/mailyard/mailyard/pkg/control"
	"github.com/mailyard/mailyard/pkg/deployment"
	"github.com/mailyard/mailyard/pkg/secret"
)

// OpenControl opens an installation's control database with its master key.
func OpenControl(ctx context.Context, s deployment.Settings, logger *zap.Logger) (*control.Store, error) {
	if s.Control.Reveal() == "" {
		return nil, errors.New("control is not set: name the control database, such as postgres://…, in the settings")
	}
	options := []control.Option{control.WithMessagingDatabases(slices.Sorted(maps.Keys(s.Messaging))...)}
	if s.MasterKeyFile != "" {
		key, err := secret.LoadMasterKey(s.MasterKeyFile)
		if err != nil {
			return nil, err
		}
		options = append(options, control.WithMasterKey(key))
	}
	return control.Open(ctx, s.Control.Reveal(), logger, options...)
}
