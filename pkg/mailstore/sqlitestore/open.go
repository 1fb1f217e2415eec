package sqlitestore

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"

	"go.uber.org/zap"
	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/mailyard/mailyard/pkg/fault"
	"github.com/mailyard/mailyard/pkg/mailstore"
	"github.com/mailyard/mailyard/pkg/mailstore/internal/reader"
)

// Store implements mailstore.Store.
type Store struct {
	*reader.Reader
	writing *sql.DB // one connection: SQLite has one writer
	reading *sql.DB
}

var _ mailstore.Store = (*Store)(nil)

// readers is how many reads may go on at the same time.
const readers = 4

// Open opens the database file, which it creates when it is missing (its folder
// has to be there), readable for its owner only, and migrates it forward. It
// refuses a schema that is newer than this program. What waiting will not mend is
// fault.Permanent.
func Open(ctx context.Context, path string, logger *zap.Logger) (*Store, error) {
	// SQLite would give the file the permissions of the umask; its other files
	// follow this one.
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fault.Permanent(fmt.Errorf("opening messaging database: %w", err))
	}
	if err := f.Close(); err != nil {
		return nil, fmt.Errorf("opening messaging database: %w", err)
	}
	// A checkpoint every 32 MB of the write-ahead log instead of every 4: pages
	// of indexes, which change with every batch, are written to the file less often.
	writing, err := connect(path, 1, "_txlock=immediate", "_journal_mode=WAL", "_synchronous=FULL", "_foreign_keys=1", "_pragma=cache_size(-32768)", "_pragma=wal_autocheckpoint(8000)")
	if err != nil {
		return nil, err
	}
	if err := migrate(ctx, writing, logger); err != nil {
		_ = writing.Close() // the first error says more
		return nil, fmt.Errorf("opening messaging database %s: %w", path, refused(err))
	}
	reading, err := connect(path, readers, "_query_only=1", "_pragma=cache_size(-8192)")
	if err != nil {
		_ = writing.Close()
		return nil, err
	}
	return &Store{Reader: reader.New(reading, dialect{}), writing: writing, reading: reading}, nil
}

// connect opens a pool of connections. A connection waits 10 s for a lock that
// another process holds.
func connect(path string, connections int, options ...string) (*sql.DB, error) {
	dsn := "file:" + (&url.URL{Path: path}).EscapedPath() + "?_busy_timeout=10000&_dqs=0"
	for _, o := range options {
		dsn += "&" + o
	}
	db, err := sql.Open("sqlite", dsn)
	if err != nil {
		return nil, fault.Permanent(fmt.Errorf("opening messaging database %s: %w", path, err))
	}
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	return db, nil
}

// Close waits for the calls that are under way and closes the file.
func (s *Store) Close() error {
	err := s.reading.Close()
	if closing := s.writing.Close(); err == nil {
		err = closing
	}
	return err
}
