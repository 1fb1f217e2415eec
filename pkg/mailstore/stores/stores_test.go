package stores_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/mailyard/mailyard/pkg/fault"
	"github.com/mailyard/mailyard/pkg/mailstore"
	"github.com/mailyard/mailyard/pkg/mailstore/stores"
	"github.com/mailyard/mailyard/pkg/secret"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestEachNameHasItsDatabase(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	all, err := stores.Open(t.Context(), map[string]secret.String{
		"default": secret.NewString("sqlite:" + filepath.Join(dir, "a.db")), "other": secret.NewString("sqlite:" + filepath.Join(dir, "b.db")),
	}, zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	if len(all) != 2 || all["default"] == all["other"] {
		t.Errorf("stores = %v", all)
	}
	for name, s := range all {
		if err := stats(t, s); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := all.Close(); err != nil {
		t.Error(err)
	}
	if err := stats(t, all["default"]); err == nil {
		t.Error("a closed database answers")
	}
}

func TestAllOrNoneIsOpen(t *testing.T) {
	t.Parallel()
	urls := map[string]secret.String{
		"good": secret.NewString("sqlite:" + filepath.Join(t.TempDir(), "a.db")), "bad": secret.NewString("sqlite:/nowhere/b.db"),
	}
	all, err := stores.Open(t.Context(), urls, zap.NewNop())
	if err == nil || all != nil || !strings.Contains(err.Error(), `"bad"`) || !strings.Contains(err.Error(), "/nowhere/b.db") {
		t.Errorf("Open = %v, %v", all, err)
	}
}

func TestErrorsAreWithoutSecrets(t *testing.T) {
	t.Parallel()
	if _, err := stores.Open(t.Context(), nil, zap.NewNop()); err == nil || !strings.Contains(err.Error(), "messaging.default") {
		t.Errorf("without a database: %v", err)
	}
	for _, url := range []string{"postgres://u:hunter2@host:port/db", "mysql://u:hunter2@db"} {
		_, err := stores.Open(t.Context(), map[string]secret.String{"default": secret.NewString(url)}, zap.NewNop())
		if err == nil || strings.Contains(err.Error(), "hunter2") || !strings.Contains(err.Error(), `"default"`) {
			t.Errorf("%v", err)
		}
	}
}

func TestDatabaseThatIsAwayKeepsNobodyWaiting(t *testing.T) {
	t.Parallel()
	core, logs := observer.New(zap.InfoLevel)
	all, err := stores.Open(t.Context(), map[string]secret.String{
		"default": secret.NewString("sqlite:" + filepath.Join(t.TempDir(), "a.db")), "other": secret.NewString("postgres://u:hunter2@127.0.0.1:1/db"),
	}, zap.New(core))
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := all.Close(); err != nil {
			t.Error(err)
		}
	}()
	if err := stats(t, all["default"]); err != nil {
		t.Error(err)
	}
	err = stats(t, all["other"])
	if !fault.IsUnavailable(err) || fault.IsPermanent(err) || !strings.Contains(err.Error(), `"other" is away`) || !strings.Contains(err.Error(), "127.0.0.1") || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("the one that is away: %v", err)
	}
	if notes := all.Notes(); len(notes) != 1 || !strings.HasPrefix(notes[0], `messaging database "other" is away since 20`) {
		t.Errorf("notes %q", notes)
	}
	if told := logs.FilterMessage("messaging database is away; mail of its tenants waits").All(); len(told) != 1 || told[0].ContextMap()["database"] != "other" || strings.Contains(fmt.Sprint(told[0].ContextMap()), "hunter2") {
		t.Errorf("logged: %v", told)
	}
}

// stats asks a database anything.
func stats(t *testing.T, s mailstore.Store) error {
	t.Helper()
	_, err := s.Stats(t.Context(), "")
	return err
}
