package sqlitestore_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"go.uber.org/zap"

	"github.com/mailyard/mailyard/pkg/fault"
	"github.com/mailyard/mailyard/pkg/mailstore"
	"github.com/mailyard/mailyard/pkg/mailstore/sqlitestore"
	"github.com/mailyard/mailyard/pkg/mailstore/storetest"
)

func TestFilesAreReadableForTheirOwnerOnly(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a b?c#d%41&_txlock=x.db")
	s := open(t, path)
	if _, err := s.Persist(t.Context(), []mailstore.Mail{storetest.NewMail("acme", "inbox", 1, 1, 900)}); err != nil {
		t.Fatal(err)
	}
	for _, suffix := range []string{"", "-wal", "-shm"} {
		info, err := os.Stat(path + suffix)
		if err != nil {
			t.Fatal(err)
		}
		if mode := info.Mode().Perm(); mode != 0o600 {
			t.Errorf("mode of the file%s is %v, want -rw-------", suffix, mode)
		}
	}
}

func TestUnsuitableFilesAreRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	_, err := sqlitestore.Open(t.Context(), filepath.Join(dir, "missing", "mail.db"), zap.NewNop())
	if !fault.IsPermanent(err) || !strings.Contains(err.Error(), "missing") {
		t.Errorf("a folder that is not there: %v", err)
	}
	other := filepath.Join(dir, "other")
	if err := os.WriteFile(other, []byte(strings.Repeat("this is no database ", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := sqlitestore.Open(t.Context(), other, zap.NewNop()); err == nil || !strings.Contains(err.Error(), other) {
		t.Errorf("a file of another kind: %v", err)
	}
	path := filepath.Join(dir, "mail.db")
	open(t, path)
	if _, err := connect(t, path).ExecContext(t.Context(), "PRAGMA user_version = 999"); err != nil {
		t.Fatal(err)
	}
	if _, err := sqlitestore.Open(t.Context(), path, zap.NewNop()); !fault.IsPermanent(err) || !strings.Contains(err.Error(), "999") || !strings.Contains(err.Error(), "run the newer mailyard") {
		t.Errorf("a newer schema: %v; want a permanent error that says what to do", err)
	}
}

func TestStartsAtTheSameTimeMigrateOnce(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "mail.db")
	var wg sync.WaitGroup
	for range 6 {
		wg.Go(func() {
			s, err := sqlitestore.Open(t.Context(), path, zap.NewNop())
			if err != nil {
				t.Errorf("Open: %v", err)
				return
			}
			if err := s.Close(); err != nil {
				t.Errorf("Close: %v", err)
			}
		})
	}
	wg.Wait()
}

// Another program that writes makes a batch wait, and reading goes on.
func TestWaitsForOtherWriters(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "mail.db")
	s := open(t, path)
	m := storetest.NewMail("acme", "inbox", 1, 1, 900)
	conn, err := connect(t, path).Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.ExecContext(t.Context(), "BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() {
		_, err := s.Persist(context.WithoutCancel(t.Context()), []mailstore.Mail{m})
		done <- err
	}()
	if ms, err := s.Mails(t.Context(), mailstore.Query{}); err != nil || len(ms) != 0 {
		t.Errorf("reading while another program writes: %d mails, %v", len(ms), err)
	}
	if _, err := conn.ExecContext(t.Context(), "COMMIT"); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Errorf("Persist: %v", err)
	}
}
