package control

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/mailyard/mailyard/pkg/fault"
	"github.com/mailyard/mailyard/pkg/opaque"
	"github.com/mailyard/mailyard/pkg/secret"
)

// IfNew as the revision that a change is based on: the document must not exist
// yet. 0 is no check.
const IfNew int64 = -1

// IfThere as the revision that a change is based on: the document must exist,
// with whatever revision.
const IfThere int64 = -2

// CheckRevision compares what a change was based on with what is there, and
// returns what wraps ErrExists or ErrStale if they do not agree. It names no
// revisions: they would tell how much others change.
func CheckRevision(based int64, exists bool, current int64) error {
	switch {
	case based == IfNew && exists:
		return ErrExists
	case based == IfThere && !exists:
		return fmt.Errorf("%w (it does not exist)", ErrStale)
	case based > 0 && !exists:
		return fmt.Errorf("%w (it was deleted)", ErrStale)
	case based > 0 && based != current:
		return ErrStale
	}
	return nil
}

// Retention is how long a deleted document is kept, so that mail in flight ends
// well.
const Retention = 24 * time.Hour

// A Store is the control database. Safe for concurrent use, also by several
// processes.
type Store struct {
	db        *sql.DB
	dialect   dialect
	logger    *zap.Logger
	master    *secret.MasterKey
	now       func() time.Time
	databases []string
	opaque    opaque.Key
}

// An Option of Open.
type Option func(*Store)

// WithMasterKey gives the store the landlord's master key. Without it, what
// needs a secret fails with ErrNoMasterKey.
func WithMasterKey(m *secret.MasterKey) Option { return func(s *Store) { s.master = m } }

// WithMessagingDatabases names the messaging databases that the deployment
// configures; a tenant that names another one is refused. Without it, all are taken.
func WithMessagingDatabases(names ...string) Option { return func(s *Store) { s.databases = names } }

// WithClock replaces the clock.
func WithClock(now func() time.Time) Option { return func(s *Store) { s.now = now } }

// Open opens the control database, "sqlite:path" (created when it is missing,
// its folder has to be there) or "postgres://…", and migrates it forward. It
// refuses a schema that is newer than this program.
func Open(ctx context.Context, url string, logger *zap.Logger, options ...Option) (*Store, error) {
	if logger == nil {
		logger = zap.NewNop()
	}
	s := &Store{logger: logger, now: time.Now}
	for _, o := range options {
		o(s)
	}
	var err error
	switch scheme, rest, _ := strings.Cut(url, ":"); scheme {
	case "sqlite":
		s.db, err = openSQLite(ctx, rest)
		s.dialect = sqlite
	case "postgres", "postgresql":
		s.db, err = openPostgres(ctx, url)
		s.dialect = postgres
	default: // the URL may hold a password and is not quoted
		err = fault.Permanent(errors.New("its URL begins neither with sqlite: nor with postgres://"))
	}
	if err != nil {
		return nil, fmt.Errorf("opening control database: %w", err)
	}
	if err := s.migrate(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("opening control database: %w", err), s.db.Close())
	}
	return s, nil
}

// Close closes the database.
func (s *Store) Close() error { return s.db.Close() }

// Revision returns the revision of the latest change of any document. While it
// stays the same, documents that were read are current, but for the steps of a
// rotation. Accounts have no part in it.
func (s *Store) Revision(ctx context.Context) (n int64, err error) {
	err = s.db.QueryRowContext(ctx, `SELECT value FROM meta WHERE name = 'documents'`).Scan(&n)
	if err != nil {
		return 0, fault.Unavailable(fmt.Errorf("reading the control database's revision: %w", err))
	}
	return n, nil
}

// querier is a transaction, or the database itself.
type querier struct {
	*sql.Tx
	dialect dialect
}

func (q querier) exec(ctx context.Context, query string, args ...any) (int64, error) {
	r, err := q.ExecContext(ctx, q.dialect.rebind(query), args...)
	if err != nil {
		return 0, err
	}
	return r.RowsAffected()
}

func (q querier) row(ctx context.Context, query string, args ...any) *sql.Row {
	return q.QueryRowContext(ctx, q.dialect.rebind(query), args...)
}

// each runs the query and calls scan for every row.
func (q querier) each(ctx context.Context, scan func(scanner) error, query string, args ...any) (err error) {
	rows, err := q.QueryContext(ctx, q.dialect.rebind(query), args...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

type scanner interface{ Scan(...any) error }

// read runs f on one state of the database.
func (s *Store) read(ctx context.Context, f func(querier) error) error {
	isolation := sql.LevelDefault
	if s.dialect == postgres {
		isolation = sql.LevelRepeatableRead
	}
	tx, err := s.db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true, Isolation: isolation})
	if err != nil {
		return fault.Unavailable(fmt.Errorf("reading control database: %w", err))
	}
	defer tx.Rollback() // nothing was written
	return f(querier{tx, s.dialect})
}

// A writer is a write transaction of an actor.
type writer struct {
	querier
	store     *Store
	actor     Actor
	revision  int64 // of everything that the transaction changes
	at        time.Time
	changes   int
	documents bool // some of the changes are of documents
}

// write runs f in a transaction of its own, one after the other over all
// processes: the first statement locks the revision counter. What changes
// nothing is rolled back, and takes no revision.
func (s *Store) write(ctx context.Context, actor Actor, f func(*writer) error) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return fault.Unavailable(fmt.Errorf("writing control database: %w", err))
	}
	defer tx.Rollback() // does nothing after the commit
	w := &writer{querier: querier{tx, s.dialect}, store: s, actor: actor, at: s.now().UTC()}
	err = w.row(ctx, `UPDATE meta SET value = value + 1 WHERE name = 'revision' RETURNING value`).Scan(&w.revision)
	if err != nil {
		return fault.Unavailable(fmt.Errorf("writing control database: %w", err))
	}
	if err := f(w); err != nil {
		return err
	}
	if w.changes == 0 {
		return nil
	}
	if w.documents {
		if _, err := w.exec(ctx, `UPDATE meta SET value = ? WHERE name = 'documents'`, w.revision); err != nil {
			return fmt.Errorf("writing control database: %w", err)
		}
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("writing control database: %w", err)
	}
	return nil
}

// timeLayout has a fixed width, so that texts sort as times.
const timeLayout = "2006-01-02T15:04:05.000000Z"

func formatTime(t time.Time) string { return t.UTC().Format(timeLayout) }

func parseTime(s string) (time.Time, error) { return time.Parse(timeLayout, s) }

func formatOptional(t *time.Time) any {
	if t == nil {
		return nil
	}
	return formatTime(*t)
}

func parseOptional(s sql.NullString) (*time.Time, error) {
	if !s.Valid {
		return nil, nil
	}
	t, err := parseTime(s.String)
	return &t, err
}
