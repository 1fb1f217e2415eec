package sqlitestore

import (
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/zap"

	"github.com/mailyard/mailyard/pkg/fault"
)

func TestClassify(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "test.db")
	connect := func(options string) *sql.DB {
		db, err := sql.Open("sqlite", "file:"+path+options)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = db.Close() })
		db.SetMaxOpenConns(1)
		return db
	}
	run := func(db *sql.DB, statement string) error {
		_, err := db.ExecContext(t.Context(), statement)
		return err
	}
	a, b, full := connect(""), connect(""), connect("?_pragma=max_page_count(2)")
	if err := run(a, "CREATE TABLE t (x TEXT NOT NULL) STRICT"); err != nil {
		t.Fatal(err)
	}
	if err := run(full, "INSERT INTO t VALUES (hex(zeroblob(100000)))"); !fault.IsUnavailable(classify(t.Context(), err)) {
		t.Errorf("disk full: %v is not unavailable", err)
	}
	for name, statement := range map[string]string{"NULL": "INSERT INTO t VALUES (NULL)", "wrong type": "INSERT INTO t VALUES (x'00')", "too big": "INSERT INTO t VALUES (hex(zeroblob(900000000)))"} {
		if err := run(a, statement); err == nil || fault.IsUnavailable(classify(t.Context(), err)) {
			t.Errorf("%s: %v is unavailable", name, err)
		}
	}
	if err := run(a, "BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	if err := run(b, "BEGIN IMMEDIATE"); !fault.IsUnavailable(classify(t.Context(), err)) {
		t.Errorf("locked: %v is not unavailable", err)
	}
	if err := classify(t.Context(), sql.ErrConnDone); !fault.IsUnavailable(err) || !errors.Is(err, sql.ErrConnDone) {
		t.Errorf("connection lost: %v", err)
	}
}

func TestFileThatIsNoDatabaseIsRefused(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "letter.txt")
	if err := os.WriteFile(path, []byte(strings.Repeat("Dear Sir or Madam, ", 500)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), path, zap.NewNop()); !fault.IsPermanent(err) || !strings.Contains(err.Error(), "restore the file") {
		t.Errorf("%v; want a permanent error that says what to do", err)
	}
}
