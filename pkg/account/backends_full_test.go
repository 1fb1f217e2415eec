//go:build full

package account_test

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/nats-io/nuid"
)

func backends() map[string]backend {
	return map[string]backend{"sqlite": sqliteBackend, "postgres": postgresBackend}
}

// postgresBackend makes a schema of its own in the database whose superuser URL
// is in MAILYARD_TEST_POSTGRES.
func postgresBackend(t *testing.T) string {
	t.Helper()
	server := os.Getenv("MAILYARD_TEST_POSTGRES")
	if server == "" {
		t.Fatal("MAILYARD_TEST_POSTGRES is not set: the postgres:// URL of a superuser's database")
	}
	name := "account_" + strings.ToLower(nuid.Next())
	command := func(sql string) {
		t.Helper()
		ctx, cancel := context.WithTimeout(context.Background(), timeout)
		defer cancel()
		conn, err := pgx.Connect(ctx, server)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close(ctx)
		if _, err := conn.Exec(ctx, sql); err != nil {
			t.Fatal(err)
		}
	}
	command(fmt.Sprintf("CREATE SCHEMA %q", name))
	t.Cleanup(func() { command(fmt.Sprintf("DROP SCHEMA %q CASCADE", name)) })
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	q.Set("search_path", name)
	u.RawQuery = q.Encode()
	return u.String()
}
