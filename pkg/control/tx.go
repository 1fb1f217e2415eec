package control

import (
	"context"
	"fmt"
	"time"

	"github.com/mailyard/mailyard/schemas"
)

// A Tx is a transaction of a package that keeps tables of its own in the
// control database, next to the audit: package account. Queries are written
// with ? for the arguments, in SQL that both databases understand. A Tx is used
// by one goroutine and ends with the function that it was given to.
type Tx struct {
	q     querier
	w     *writer // nil in a read transaction
	clock time.Time
}

// View runs f on one state of the database. What f writes is not kept.
func (s *Store) View(ctx context.Context, f func(*Tx) error) error {
	return s.read(ctx, func(q querier) error { return f(&Tx{q: q, clock: s.now().UTC()}) })
}

// Update runs f in a write transaction, which is committed if f succeeds.
// Writers take turns. Whoever calls has authorised the actor.
func (s *Store) Update(ctx context.Context, actor Actor, f func(*Tx) error) error {
	if err := actor.check(); err != nil {
		return err
	}
	return s.write(ctx, actor, func(w *writer) error {
		w.changes++ // what f writes is not seen here
		return f(&Tx{q: w.querier, w: w, clock: w.at})
	})
}

// Now returns the time of the transaction, UTC.
func (t *Tx) Now() time.Time { return t.clock }

// Exec runs a statement and returns how many rows it touched.
func (t *Tx) Exec(ctx context.Context, query string, args ...any) (int64, error) {
	return t.q.exec(ctx, query, args...)
}

// Row scans the one row of a query; sql.ErrNoRows if there is none.
func (t *Tx) Row(ctx context.Context, query string, args []any, into ...any) error {
	return t.q.row(ctx, query, args...).Scan(into...)
}

// Each calls f for every row of a query, with what scans it.
func (t *Tx) Each(ctx context.Context, f func(scan func(...any) error) error, query string, args ...any) error {
	return t.q.each(ctx, func(row scanner) error { return f(row.Scan) }, query, args...)
}

// Audit writes an audit entry, without an event: what it tells of is no
// document that services follow. tenant is empty for what concerns the landlord
// alone. Fields must hold no secret. Not in a View.
func (t *Tx) Audit(ctx context.Context, kind schemas.Kind, tenant, id, change string, fields ...FieldChange) error {
	if err := t.w.audit(ctx, kind, tenant, id, change, fields); err != nil {
		return fmt.Errorf("recording %s of %s %s: %w", change, kind, id, err)
	}
	return nil
}

// FormatTime returns a time as the control database keeps it: UTC, of fixed
// width, so that texts sort as times.
func FormatTime(t time.Time) string { return formatTime(t) }

// ParseTime is the reverse of FormatTime.
func ParseTime(s string) (time.Time, error) { return parseTime(s) }
