package pgstore

import (
	"context"
	"time"
)

// dialect tells the reader what PostgreSQL does in its own way.
type dialect struct{}

func (dialect) Rebind(query string) string { return query }
func (dialect) Time(t time.Time) any       { return t }
func (dialect) Day(t time.Time) any        { return t }
func (dialect) Micros(column string) string {
	return "(extract(epoch FROM " + column + ") * 1000000)::bigint"
}
func (dialect) Contains(column string) string {
	return column + " ILIKE"
}

func (dialect) Matches(words string) (condition string, arg any) {
	return `EXISTS (SELECT 1 FROM mail_search s WHERE s.mail_seq = m.seq AND s.terms @@ plainto_tsquery('simple', ?))`, words
}

func (dialect) Classify(ctx context.Context, err error) error { return classify(ctx, err) }
