//go:build full

package pgstore_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"go.uber.org/zap"

	"github.com/mailyard/mailyard/pkg/mailstore"
	"github.com/mailyard/mailyard/pkg/mailstore/pgstore"
	"github.com/mailyard/mailyard/pkg/mailstore/storetest"
)

func TestStore(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t testing.TB) storetest.Database {
		return database(createDatabase(t))
	})
}

func database(u string) storetest.Database {
	return storetest.Database{Open: func(t testing.TB) mailstore.Store { return open(t, u) }}
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
