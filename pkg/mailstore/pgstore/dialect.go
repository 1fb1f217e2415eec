package pgstore

import (
	"context"
	"fmt"
	"time"

	"github.com/mailyard/mailyard/pkg/mailstore/internal/reader"
)

// dialect tells the reader what PostgreSQL does in its own way.
type dialect struct{}

func (dialect) Rebind(query string) string { return query }
func (dialect) Time(t time.Time) any       { return t }
func (dialect) Day(t time.Time) any        { return t }
func (dialect) Contains(column string) string {
	return column + " ILIKE"
}

func (dialect) Floor(column string, unit time.Duration) string {
	return fmt.Sprintf("date_bin('%d microseconds', %s, 'epoch'::timestamptz)", unit.Microseconds(), column)
}

func (dialect) Seconds(column string) string { return "date_part('epoch', " + column + ")" }

// AmongFew makes an array of the values: a subquery could be planned the other
// way round.
func (dialect) AmongFew(query string) string { return "m.seq = ANY (ARRAY(" + query + "))" }

// BySeq needs no hint.
func (dialect) BySeq() string { return "" }

// Search leaves it to the statistics of the words whether they are rare: the
// index tells all mails that have a word, of all tenants, or none.
func (dialect) Search(words string) reader.Part {
	return reader.Part{Table: "mail_search s", Seq: "s.mail_seq", Tenant: "s.tenant", Condition: "s.terms @@ plainto_tsquery('simple', ?)", Arg: words, Uncounted: true}
}

func (dialect) Classify(ctx context.Context, err error) error { return classify(ctx, err) }
