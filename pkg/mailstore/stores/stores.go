package stores

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"go.uber.org/zap"

	"github.com/mailyard/mailyard/pkg/mailstore"
	"github.com/mailyard/mailyard/pkg/mailstore/pgstore"
	"github.com/mailyard/mailyard/pkg/mailstore/sqlitestore"
	"github.com/mailyard/mailyard/pkg/secret"
)

// Stores are messaging databases by the name that tenants refer to.
type Stores map[string]mailstore.Store

// Open opens every database, migrating it forward, or none.
func Open(ctx context.Context, urls map[string]secret.String, logger *zap.Logger) (Stores, error) {
	if len(urls) == 0 {
		return nil, errors.New("no messaging database is set: add messaging.default, such as postgres://…, to the settings")
	}
	all := Stores{}
	for name, url := range urls {
		store, err := open(ctx, url.Reveal(), logger.With(zap.String("database", name)))
		if err != nil {
			return nil, errors.Join(fmt.Errorf("opening messaging database %q: %w", name, err), all.Close())
		}
		all[name] = store
	}
	return all, nil
}

func open(ctx context.Context, url string, logger *zap.Logger) (mailstore.Store, error) {
	if path, ok := strings.CutPrefix(url, "sqlite:"); ok {
		return sqlitestore.Open(ctx, path, logger)
	}
	return pgstore.Open(ctx, url, logger)
}

// Close closes every database.
func (s Stores) Close() error {
	var errs []error
	for _, store := range s {
		errs = append(errs, store.Close())
	}
	return errors.Join(errs...)
}
