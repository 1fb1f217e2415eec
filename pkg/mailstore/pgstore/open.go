package pgstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"go.uber.org/zap"

	"github.com/mailyard/mailyard/pkg/fault"
	"github.com/mailyard/mailyard/pkg/mailstore"
	"github.com/mailyard/mailyard/pkg/mailstore/internal/reader"
)

// Store implements mailstore.Store.
type Store struct {
	*reader.Reader
	pool    *pgxpool.Pool
	reading *sql.DB
	large   chan struct{} // one place per transaction with large mail
}

var _ mailstore.Store = (*Store)(nil)

// How long one call may take before the database counts as away. A batch of
// large mail over a slow line is the longest.
const (
	connectTimeout = 10 * time.Second
	writeTimeout   = 2 * time.Minute
)

// oldestServer is the first version with views that ask for the rights of who
// reads them, without which tenants would not be kept apart.
const oldestServer = 150000

// Open connects to the database of the URL (postgres://...; the parameters of
// libpq, and pool_max_conns, which is the number of cores, but at least 8, when
// it is not given) and migrates it forward. It refuses a schema that is newer
// than this program. What waiting will not mend is fault.Permanent.
func Open(ctx context.Context, url string, logger *zap.Logger) (*Store, error) {
	config, err := parse(url)
	if err != nil {
		return nil, fault.Permanent(errors.New("reading the URL of the messaging database: it should look like postgres://user:password@host:5432/database")) // the cause quotes the URL
	}
	if config.ConnConfig.ConnectTimeout == 0 {
		config.ConnConfig.ConnectTimeout = connectTimeout
	}
	if config.ConnConfig.RuntimeParams["application_name"] == "" {
		config.ConnConfig.RuntimeParams["application_name"] = "mailyard"
	}
	config.AfterConnect = prepareConn
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("opening messaging database: %w", err)
	}
	if err := prepare(ctx, pool, logger); err != nil {
		pool.Close()
		return nil, fmt.Errorf("opening messaging database: %w", refused(err))
	}
	reading := stdlib.OpenDBFromPool(pool)
	return &Store{
		Reader:  reader.New(reading, dialect{}),
		pool:    pool,
		reading: reading,
		large:   make(chan struct{}, largeWriters),
	}, nil
}

// Close waits for the calls that are under way and closes all connections.
func (s *Store) Close() error {
	err := s.reading.Close()
	s.pool.Close()
	return err
}

// prepareConn sees to it that a commit is on disk: mail is deleted from the
// inbox after it.
func prepareConn(ctx context.Context, conn *pgx.Conn) error {
	_, err := conn.Exec(ctx, `SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'`)
	if err != nil {
		return fmt.Errorf("preparing connection to the messaging database: %w", err)
	}
	return nil
}

func prepare(ctx context.Context, pool *pgxpool.Pool, logger *zap.Logger) error {
	conn, err := pool.Acquire(ctx)
	if err != nil {
		return classify(ctx, err)
	}
	defer conn.Release()
	var version int
	var encoding string
	err = conn.QueryRow(ctx, `SELECT current_setting('server_version_num')::int, current_setting('server_encoding')`).Scan(&version, &encoding)
	if err != nil {
		return classify(ctx, err)
	}
	if version < oldestServer {
		return fault.Permanent(fmt.Errorf("server is PostgreSQL %d: upgrade it to 15 or later", version/10000))
	}
	if encoding != "UTF8" {
		return fault.Permanent(fmt.Errorf("encoding of the database is %s: create it with ENCODING 'UTF8'", encoding))
	}
	if err := migrate(ctx, conn.Conn(), logger); err != nil {
		return err
	}
	var restricted bool
	if err := conn.QueryRow(ctx, `SELECT row_security_active('contents')`).Scan(&restricted); err != nil {
		return classify(ctx, err)
	}
	if restricted {
		return fault.Permanent(errors.New("row-level security applies to this login: let it be the owner of the tables, a member of their owner, or have BYPASSRLS"))
	}
	return nil
}
