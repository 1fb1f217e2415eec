package control

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	driver "modernc.org/sqlite" // the driver "sqlite"
	lib "modernc.org/sqlite/lib"

	"github.com/mailyard/mailyard/pkg/fault"
)

// A dialect is one of the two databases. All but the migrations is written for
// both; only the placeholders differ.
type dialect string

const (
	sqlite   dialect = "sqlite"
	postgres dialect = "postgres"
)

// rebind turns the placeholders ? into $1, $2 … for PostgreSQL. Our queries hold
// no other question marks.
func (d dialect) rebind(query string) string {
	if d == sqlite {
		return query
	}
	var b strings.Builder
	n := 0
	for _, r := range query {
		if r != '?' {
			b.WriteRune(r)
			continue
		}
		n++
		b.WriteByte('$')
		b.WriteString(strconv.Itoa(n))
	}
	return b.String()
}

// connections is how many the program holds; the control database has little
// to do.
const connections = 4

func openSQLite(ctx context.Context, path string) (*sql.DB, error) {
	if path = strings.TrimPrefix(path, "//"); path == "" {
		return nil, fault.Permanent(errors.New("sqlite: is not followed by a path"))
	}
	// SQLite would give the file the permissions of the umask; its other files follow this one.
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fault.Permanent(err)
	}
	if err := f.Close(); err != nil {
		return nil, err
	}
	dsn := "file:" + (&url.URL{Path: path}).EscapedPath() +
		"?_busy_timeout=10000&_dqs=0&_txlock=immediate&_journal_mode=WAL&_synchronous=FULL&_foreign_keys=1"
	db, err := sql.Open("sqlite", dsn)
	if err != nil {
		return nil, fault.Permanent(err)
	}
	return connect(ctx, db)
}

func openPostgres(ctx context.Context, url string) (*sql.DB, error) {
	c, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, fault.Permanent(errors.New("its URL is not postgres://user:password@host:port/database")) // the parser's error may quote it
	}
	return connect(ctx, stdlib.OpenDB(*c))
}

func connect(ctx context.Context, db *sql.DB) (*sql.DB, error) {
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	err := db.PingContext(ctx)
	for began := time.Now(); isBusy(err) && ctx.Err() == nil && time.Since(began) < busyTimeout; err = db.PingContext(ctx) {
		select {
		case <-time.After(busyPause):
		case <-ctx.Done():
		}
	}
	if err != nil {
		return nil, fault.Unavailable(errors.Join(fmt.Errorf("connecting: %w", err), db.Close()))
	}
	return db, nil
}

// Several programs that open a new SQLite file at once refuse each other as each
// makes a WAL of it: SQLite does not wait there, whatever its busy timeout is.
const (
	busyTimeout = 10 * time.Second
	busyPause   = 20 * time.Millisecond
)

func isBusy(err error) bool {
	var e *driver.Error
	return errors.As(err, &e) && e.Code()&0xff == lib.SQLITE_BUSY
}
