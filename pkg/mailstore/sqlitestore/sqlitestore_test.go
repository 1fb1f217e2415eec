package sqlitestore_test

import (
	"path/filepath"
	"testing"

	"go.uber.org/zap"

	"github.com/mailyard/mailyard/pkg/mailstore"
	"github.com/mailyard/mailyard/pkg/mailstore/sqlitestore"
	"github.com/mailyard/mailyard/pkg/mailstore/storetest"
)

func TestStore(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t testing.TB) storetest.Database {
		return database(filepath.Join(t.TempDir(), "mail.db"))
	})
}

func database(path string) storetest.Database {
	return storetest.Database{Open: func(t testing.TB) mailstore.Store { return open(t, path) }}
}

func open(t testing.TB, path string) *sqlitestore.Store {
	t.Helper()
	s, err := sqlitestore.Open(t.Context(), path, zap.NewNop())
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
