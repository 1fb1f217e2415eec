package sqlitestore

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/mailyard/mailyard/pkg/mailstore/internal/reader"
)

// timeLayout is how times are stored: in UTC, of one length, so that their
// order as text is their order in time.
const timeLayout = "2006-01-02T15:04:05.000000Z"

// dialect tells the reader what SQLite does in its own way.
type dialect struct{}

func (dialect) Rebind(query string) string    { return strings.ReplaceAll(query, "$", "?") }
func (dialect) Time(t time.Time) any          { return t.Format(timeLayout) }
func (dialect) Day(t time.Time) any           { return t.Format(time.DateOnly) }
func (dialect) Contains(column string) string { return column + " LIKE" }

// Floor cuts the text off and completes it again: the date functions would take
// longer than all else.
func (dialect) Floor(column string, unit time.Duration) string {
	const zero = "0000-00-00T00:00:00.000000Z"
	keep := len(zero)
	switch unit {
	case time.Hour:
		keep = len("0000-00-00T00:")
	case 10 * time.Minute:
		keep = len("0000-00-00T00:0")
	case time.Minute:
		keep = len("0000-00-00T00:00:")
	case time.Second:
		keep = len("0000-00-00T00:00:00.")
	}
	return fmt.Sprintf("(substr(%s, 1, %d) || '%s')", column, keep, zero[keep:])
}

func (dialect) Seconds(column string) string {
	return "((julianday(" + column + ") - 2440587.5) * 86400.0)"
}

func (dialect) AmongFew(query string) string { return "m.seq IN (" + query + ")" }

// BySeq forbids the other indexes, that of the order among them, which SQLite
// would go through from its beginning.
func (dialect) BySeq() string { return " NOT INDEXED" }

// Search quotes every word, which FTS5 would take for its query language.
func (dialect) Search(words string) reader.Part {
	quoted := strings.Fields(words)
	for i, w := range quoted {
		quoted[i] = `"` + strings.ReplaceAll(w, `"`, `""`) + `"`
	}
	return reader.Part{Table: "mail_search", Seq: "mail_search.rowid", Condition: "mail_search MATCH ?", Arg: strings.Join(quoted, " ")}
}

func (dialect) Classify(ctx context.Context, err error) error { return classify(ctx, err) }
