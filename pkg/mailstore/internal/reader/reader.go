package reader

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/mailyard/mailyard/pkg/mailstore"
)

// readTimeout is how long one read may take before the database counts as away.
const readTimeout = 30 * time.Second

// A Dialect is what a database system does in its own way.
type Dialect interface {
	Rebind(query string) string    // placeholders $1, $2, ... as the driver wants them
	Time(time.Time) any            // argument for a time column
	Day(time.Time) any             // argument for a date column
	Contains(column string) string // left side and operator of a LIKE without regard to case
	// Floor returns an expression for the time column, rounded down to an hour,
	// ten minutes, a minute or a second.
	Floor(column string, unit time.Duration) string
	// Seconds returns an expression for the time column as seconds since 1970,
	// a floating-point number.
	Seconds(column string) string
	// AmongFew returns the condition that a mail m is one of the few whose seqs a
	// query returns: they are to be looked up first.
	AmongFew(query string) string
	// BySeq follows a table whose rows are to be looked up by seq alone.
	BySeq() string
	// Search returns the condition that the full-text index has all words for
	// the mail.
	Search(words string) Part
	// Classify marks errors that say nothing about what was asked (package fault).
	Classify(ctx context.Context, err error) error
}

// A Reader answers what the console and the command line ask.
type Reader struct {
	db      *sql.DB
	dialect Dialect
}

// New returns a reader of the database. The caller closes db.
func New(db *sql.DB, d Dialect) *Reader { return &Reader{db, d} }

// query runs a query and calls each for every row.
func (r *Reader) query(ctx context.Context, each func(*sql.Rows) error, query string, args ...any) error {
	limited, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	rows, err := r.db.QueryContext(limited, r.dialect.Rebind(query), args...)
	if err != nil {
		return r.dialect.Classify(ctx, err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := each(rows); err != nil {
			return r.dialect.Classify(ctx, err)
		}
	}
	return r.dialect.Classify(ctx, rows.Err())
}

// one runs a query that returns at most one row; without one it is ErrNotFound.
func (r *Reader) one(ctx context.Context, scan func(*sql.Rows) error, query string, args ...any) error {
	found := false
	err := r.query(ctx, func(rows *sql.Rows) error {
		found = true
		return scan(rows)
	}, query, args...)
	if err == nil && !found {
		return mailstore.ErrNotFound
	}
	return err
}

// instant scans a time column: PostgreSQL has a type for it, SQLite text.
type instant struct{ t **time.Time }

func (i instant) Scan(v any) error {
	switch v := v.(type) {
	case nil:
		*i.t = nil
	case time.Time:
		u := v.UTC()
		*i.t = &u
	case string:
		u, err := time.Parse(time.RFC3339Nano, v)
		if err != nil {
			return err
		}
		*i.t = &u
	default:
		return fmt.Errorf("scanning a time: unexpected %T", v)
	}
	return nil
}

var errNoTime = errors.New("scanning a time: unexpected NULL")

// present scans a time column that is never NULL.
type present struct{ t *time.Time }

func (p present) Scan(v any) error {
	var t *time.Time
	if err := (instant{&t}).Scan(v); err != nil {
		return err
	}
	if t == nil {
		return errNoTime
	}
	*p.t = *t
	return nil
}
