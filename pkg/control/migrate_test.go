package control_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"go.uber.org/zap"

	"github.com/mailyard/mailyard/pkg/control"
	"github.com/mailyard/mailyard/pkg/fault"
)

func TestNewerSchemaIsRefused(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		if err := control.Exec(t, b.store, `UPDATE meta SET value = 99 WHERE name = 'schema'`); err != nil {
			t.Fatal(err)
		}
		s, err := control.Open(b.ctx, b.url, zap.NewNop())
		if err == nil {
			s.Close()
		}
		if !errors.Is(err, control.ErrNewerSchema) || !fault.IsPermanent(err) || !strings.Contains(err.Error(), "version 99") {
			t.Errorf("%v; want a permanent ErrNewerSchema that names the versions", err)
		}
	})
}

func TestSeveralProcessesMayOpenANewDatabaseAtOnce(t *testing.T) {
	t.Parallel()
	for name, backend := range backends() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := backend(t)
			var wg sync.WaitGroup
			for range 6 {
				wg.Go(func() {
					s, err := control.Open(t.Context(), url, zap.NewNop())
					if err != nil {
						t.Error(err)
						return
					}
					if err := s.Close(); err != nil {
						t.Error(err)
					}
				})
			}
			wg.Wait()
		})
	}
}

func TestDatabaseURLs(t *testing.T) {
	t.Parallel()
	for url, want := range map[string]string{
		"mysql://user:hunter2@host/db":          "begins neither with sqlite: nor with postgres://",
		"postgres://user:hunter2@host:port/db":  "is not postgres://",
		"sqlite:":                               "not followed by a path",
		"sqlite:" + t.TempDir() + "/none/c.db":  "no such file or directory",
		"hunter2":                               "begins neither with sqlite: nor with postgres://",
		"postgres://u:hunter2@127.0.0.1:1/none": "connecting",
	} {
		s, err := control.Open(t.Context(), url, zap.NewNop())
		if err == nil {
			s.Close()
		}
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: %v; want %q, and no password", url, err, want)
		}
	}
}

func TestSQLiteFileIsItsOwners(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "with space?.db")
	s, err := control.Open(t.Context(), "sqlite:"+path, zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	err = filepath.WalkDir(filepath.Dir(path), func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := os.Stat(p)
		if err == nil && info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %04o", p, info.Mode().Perm())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Error(err)
	}
}

func TestDatabaseItselfRefusesASecondUsername(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		b.tenant("acme")
		b.mailbox("acme", "support")
		other := mailboxDoc("acme", "other")
		must[control.Mailbox](t)(b.store.PutMailbox(b.ctx, admin, other, 0))
		err := control.Exec(t, b.store, `UPDATE mailboxes SET username_key = ? WHERE id = 'other'`, control.UsernameKey("support@acme.example"))
		if err == nil {
			t.Error("the index lets one username be written twice")
		}
	})
}

// Before version 4 deleted tenants were forgotten after a day. The audit knows them.
func TestMigrationRemembersDeletedTenants(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		for _, id := range []string{"acme", "rival", "twice"} {
			b.tenant(id)
			if id == "rival" {
				continue
			}
			if err := b.store.DeleteTenant(b.ctx, landlord, id, 0, true); err != nil {
				t.Fatal(err)
			}
		}
		for _, query := range []string{
			`UPDATE tenants SET deleted_at = NULL WHERE id = 'twice'`, // it was made again
			`DROP TABLE gone_tenants`, `DROP TABLE opaque_key`, `UPDATE meta SET value = 3 WHERE name = 'schema'`,
		} {
			if err := control.Exec(t, b.store, query); err != nil {
				t.Fatal(err)
			}
		}
		migrated := b.open()
		for id, want := range map[string]bool{"acme": true, "rival": false, "twice": false} {
			if gone := must[bool](t)(migrated.TenantGone(b.ctx, landlord, id)); gone != want {
				t.Errorf("%s is gone: %v; want %v", id, gone, want)
			}
		}
	})
}
