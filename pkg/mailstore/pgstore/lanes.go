package pgstore

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/mailyard/mailyard/pkg/mailstore"
	"github.com/mailyard/mailyard/schemas"
)

const (
	// largeWriters bounds the transactions that hold large mail. They take
	// seconds to minutes, and the pool has connections for light mail, the
	// disposals and the readers besides them.
	largeWriters = 2
	// leastConns is the size of the pool on a machine with few cores.
	leastConns = 8
)

// parse reads the URL of a database. The pool has max(8, cores) connections
// unless the URL says otherwise (pool_max_conns).
func parse(url string) (*pgxpool.Config, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, err
	}
	if !strings.Contains(url, "pool_max_conns=") {
		config.MaxConns = max(config.MaxConns, leastConns)
	}
	return config, nil
}

// turn waits, when there is large mail in the batch, until one of the large
// writers is done; release gives the place back.
func (s *Store) turn(ctx context.Context, mails []mailstore.Mail) (release func(), err error) {
	if !slices.ContainsFunc(mails, func(m mailstore.Mail) bool { return m.Lane == schemas.Large }) {
		return func() {}, nil
	}
	select {
	case s.large <- struct{}{}:
		return func() { <-s.large }, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("persisting %d mails: waiting for other large mail: %w", len(mails), ctx.Err())
	}
}
