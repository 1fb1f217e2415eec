package sqlitestore

import (
	"context"
	"strings"
	"time"
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

// Micros is exact: the date functions of SQLite know milliseconds only.
func (dialect) Micros(column string) string {
	return "(unixepoch(substr(" + column + ", 1, 19)) * 1000000 + CAST(substr(" + column + ", 21, 6) AS INTEGER))"
}

// Matches quotes every word, which FTS5 would take for its query language.
func (dialect) Matches(words string) (condition string, arg any) {
	quoted := strings.Fields(strings.ReplaceAll(words, "\x00", " "))
	for i, w := range quoted {
		quoted[i] = `"` + strings.ReplaceAll(w, `"`, `""`) + `"`
	}
	return `m.seq IN (SELECT rowid FROM mail_search WHERE mail_search MATCH ?)`, strings.Join(quoted, " ")
}

func (dialect) Classify(ctx context.Context, err error) error { return classify(ctx, err) }
