package storetest

import (
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mailyard/mailyard/pkg/mailstore"
	"github.com/mailyard/mailyard/schemas"
	"github.com/mailyard/mailyard/schemas/messaging"
)

// consumers holds the README of schemas/messaging to its word: every query
// runs, and finds something; every view has the columns that it lists.
func consumers(t *testing.T, db Database) {
	s := db.Open(t)
	conn := db.SQL(t)
	fill(t, s, conn)
	blocks := 0
	for _, b := range blocksOf(messaging.README) {
		if b.dialect != "" && b.dialect != string(db.Dialect) {
			continue
		}
		blocks++
		if err := runBlock(t, db.SQL(t), b.sql); err != nil { // a connection of its own, which the block may set up
			t.Errorf("%v\n%s", err, b.sql)
		}
	}
	if blocks < 15 {
		t.Errorf("only %d blocks of SQL were found in README.md", blocks)
	}
	documented := viewsOf(messaging.README)
	for _, view := range viewsIn(t, conn, db.Dialect) {
		got := columnsOf(t, conn, db.Dialect, view)
		if diff := cmp.Diff(documented[view], got); diff != "" {
			t.Errorf("%s (-README.md +database):\n%s", view, diff)
		}
		delete(documented, view)
	}
	for view := range documented {
		t.Errorf("README.md describes %s, which is not there", view)
	}
}

// fill stores what the queries of README.md ask for.
func fill(t *testing.T, s mailstore.Store, conn *sql.DB) {
	t.Helper()
	bounce, refused := NewMail("acme", "inbox", 1, 2, 900), NewMail("acme", "inbox", 1, 3, 900)
	bounce.Message.Bounce = true
	refused.Decision = schemas.Decision{Verdict: schemas.Invalid, Reason: schemas.ReasonLoop, ClassifiedAt: refused.FetchedAt}
	old := NewMail("acme", "inbox", 1, 42, 900)
	persist(t, s, rich(), bounce, refused, old)
	for _, statement := range []string{
		`UPDATE mails SET persisted_at = '2026-03-01T12:30:00.000000Z' WHERE uid = 42`,
		`UPDATE undisposed SET persisted_at = '2026-03-01T12:30:00.000000Z' WHERE mail_seq = (SELECT seq FROM mails WHERE uid = 42)`,
	} {
		if _, err := conn.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	awaitSettled(t, conn)
}

// awaitSettled waits until no older transaction of the server is running.
func awaitSettled(t *testing.T, conn *sql.DB) {
	t.Helper()
	deadline := time.After(30 * time.Second)
	for {
		var open int
		if err := conn.QueryRowContext(t.Context(), `SELECT count(*) FROM v1_items WHERE NOT settled`).Scan(&open); err != nil {
			t.Fatal(err)
		}
		if open == 0 {
			return
		}
		select {
		case <-deadline:
			t.Fatalf("%d items are still not settled", open)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

type block struct{ dialect, sql string }

// blocksOf returns the blocks of SQL of a Markdown text. "sql postgresql" and
// "sql sqlite" are only for one.
func blocksOf(markdown string) []block {
	var blocks []block
	for i, part := range strings.Split(markdown, "```") {
		if i%2 == 0 {
			continue
		}
		head, body, _ := strings.Cut(part, "\n")
		if language, dialect, _ := strings.Cut(head, " "); language == "sql" {
			blocks = append(blocks, block{dialect, body})
		}
	}
	return blocks
}

// runBlock runs a block and undoes what it did. A query has to find something.
func runBlock(t *testing.T, conn *sql.DB, block string) error {
	tx, err := conn.BeginTx(t.Context(), nil)
	if err != nil {
		return err
	}
	defer func() {
		if err := tx.Rollback(); err != nil {
			t.Errorf("undoing: %v", err)
		}
	}()
	if !strings.HasPrefix(block, "SELECT") {
		_, err := tx.ExecContext(t.Context(), block)
		return err
	}
	rows, err := tx.QueryContext(t.Context(), block)
	if err != nil {
		return err
	}
	defer rows.Close()
	if !rows.Next() {
		return fmt.Errorf("the query finds nothing: %w", rows.Err())
	}
	return rows.Err()
}

// viewsOf returns the columns of the views that a Markdown text describes, as
// "name type".
func viewsOf(markdown string) map[string][]string {
	views := map[string][]string{}
	view := ""
	for line := range strings.Lines(markdown) {
		if name, ok := strings.CutPrefix(line, "### "); ok {
			view = strings.TrimSpace(name)
		} else if strings.HasPrefix(line, "#") {
			view = ""
		}
		cells := strings.Split(line, "|")
		if strings.HasPrefix(view, "v") && len(cells) == 5 && strings.HasPrefix(cells[1], " `") {
			views[view] = append(views[view], strings.Trim(cells[1], " `")+" "+strings.TrimSpace(cells[2]))
		}
	}
	return views
}

func viewsIn(t *testing.T, conn *sql.DB, d messaging.Dialect) []string {
	t.Helper()
	query := `SELECT table_name FROM information_schema.views WHERE table_schema = current_schema() ORDER BY 1`
	if d == messaging.SQLite {
		query = `SELECT name FROM sqlite_schema WHERE type = 'view' ORDER BY 1`
	}
	rows, err := conn.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var views []string
	for rows.Next() {
		var v string
		if err := rows.Scan(&v); err != nil {
			t.Fatal(err)
		}
		views = append(views, v)
	}
	if err := rows.Err(); err != nil || len(views) == 0 {
		t.Fatalf("%d views, %v", len(views), err)
	}
	return views
}

// columnsOf returns the columns of a view as "name type", with the types of README.md.
func columnsOf(t *testing.T, conn *sql.DB, d messaging.Dialect, view string) []string {
	t.Helper()
	rows, err := conn.QueryContext(t.Context(), "SELECT * FROM "+view)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	types, err := rows.ColumnTypes()
	if err != nil {
		t.Fatal(err)
	}
	documented := viewsOf(messaging.README)[view]
	var columns []string
	for i, c := range types {
		kind := ""
		switch c.DatabaseTypeName() {
		case "TEXT":
			kind = "text"
		case "INT4", "INT8", "INTEGER":
			kind = "bigint"
		case "BOOL":
			kind = "boolean"
		case "TIMESTAMPTZ":
			kind = "timestamp"
		case "DATE":
			kind = "date"
		case "JSONB":
			kind = "json"
		case "BYTEA", "BLOB":
			kind = "bytes"
		}
		if d == messaging.SQLite && i < len(documented) {
			kind = sqliteKind(kind, strings.TrimPrefix(documented[i], c.Name()+" "))
		}
		columns = append(columns, c.Name()+" "+kind)
	}
	return columns
}

// sqliteKind returns the documented type if SQLite may store it like this: it
// has fewer types, and none for expressions.
func sqliteKind(stored, documented string) string {
	stands := map[string][]string{"text": {"text", "timestamp", "date", "json"}, "bigint": {"bigint", "boolean"}, "bytes": {"bytes"}, "": {"bigint", "boolean"}}
	if slices.Contains(stands[stored], documented) {
		return documented
	}
	return stored
}
