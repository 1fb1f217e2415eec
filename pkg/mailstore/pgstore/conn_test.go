//go:build full

package pgstore

import (
	"os"
	"testing"

	"github.com/jackc/pgx/v5"
)

// Mail is deleted from the inbox after the commit, so a commit has to be on
// disk whatever the database's default; stricter settings stay.
func TestCommitsAreOnDisk(t *testing.T) {
	t.Parallel()
	conn, err := pgx.Connect(t.Context(), os.Getenv("MAILYARD_TEST_POSTGRES"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	for set, want := range map[string]string{"off": "on", "on": "on", "remote_apply": "remote_apply", "local": "local"} {
		if _, err := conn.Exec(t.Context(), "SET synchronous_commit = "+set); err != nil {
			t.Fatal(err)
		}
		if err := prepareConn(t.Context(), conn); err != nil {
			t.Fatal(err)
		}
		var got string
		if err := conn.QueryRow(t.Context(), "SHOW synchronous_commit").Scan(&got); err != nil || got != want {
			t.Errorf("synchronous_commit %s became %s, %v; want %s", set, got, err, want)
		}
	}
}
