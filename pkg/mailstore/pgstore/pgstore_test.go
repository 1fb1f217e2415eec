//go:build full

package pgstore_test

import (
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	"go.uber.org/goleak"
	"go.uber.org/zap"

	"github.com/mailyard/mailyard/pkg/mailstore"
	"github.com/mailyard/mailyard/pkg/mailstore/pgstore"
	"github.com/mailyard/mailyard/pkg/mailstore/storetest"
	"github.com/mailyard/mailyard/schemas/messaging"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestStore(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t testing.TB) storetest.Database {
		u := createDatabase(t)
		return storetest.Database{
			Dialect: messaging.PostgreSQL,
			Open:    func(t testing.TB) mailstore.Store { return open(t, u) },
			SQL:     func(t testing.TB) *sql.DB { return connect(t, u) },
		}
	})
}

// connect connects to the database beside the store, as another program would.
func connect(t testing.TB, u string) *sql.DB {
	t.Helper()
	db, err := sql.Open("pgx", u)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Errorf("closing: %v", err)
		}
	})
	return db
}

func open(t testing.TB, u string) *pgstore.Store {
	t.Helper()
	s, err := pgstore.Open(t.Context(), u, zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("closing: %v", err)
		}
	})
	return s
}

// createDatabase creates a database that is dropped when the test ends, and
// returns its URL.
func createDatabase(t testing.TB) string {
	t.Helper()
	admin := os.Getenv("MAILYARD_TEST_POSTGRES")
	if admin == "" {
		t.Fatal("MAILYARD_TEST_POSTGRES is not set: it should be the postgres:// URL of a superuser")
	}
	u, err := url.Parse(admin)
	if err != nil {
		t.Fatalf("MAILYARD_TEST_POSTGRES: %v", err)
	}
	name := "mailyard_" + strings.ToLower(rand.Text())
	execute(t, admin, "CREATE DATABASE "+name+" ENCODING 'UTF8' TEMPLATE template0")
	t.Cleanup(func() { execute(t, admin, "DROP DATABASE "+name+" WITH (FORCE)") })
	u.Path = "/" + name
	return u.String()
}

// execute runs statements on a connection of its own, also after the test's context ended.
func execute(t testing.TB, u string, statements ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, u)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	for _, s := range statements {
		if _, err := conn.Exec(ctx, s); err != nil {
			t.Fatal(fmt.Errorf("%s: %w", s, err))
		}
	}
}
