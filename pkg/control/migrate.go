package control

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"

	"go.uber.org/zap"

	"github.com/mailyard/mailyard/pkg/fault"
)

// Migrations are numbered from 1 without gaps, and only ever added.
//
//go:embed migrations
var migrations embed.FS

// ErrNewerSchema: the database was migrated by a newer program.
var ErrNewerSchema = errors.New("its schema is newer than this program")

// migrationLock is the key of the PostgreSQL advisory lock that makes
// migrating processes take turns. Any number that nobody else uses will do.
const migrationLock = 0x6d61_696c_7961_7264 // "mailyard"

func (s *Store) migrate(ctx context.Context) error {
	scripts, err := fs.Glob(migrations, "migrations/"+string(s.dialect)+"/*.sql")
	if err != nil {
		return err
	}
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return fault.Unavailable(fmt.Errorf("migrating: %w", err))
	}
	defer tx.Rollback() // does nothing after the commit
	q := querier{tx, s.dialect}
	if s.dialect == postgres {
		if _, err := q.exec(ctx, `SELECT pg_advisory_xact_lock(?)`, int64(migrationLock)); err != nil {
			return fmt.Errorf("migrating: waiting for the lock: %w", err)
		}
	}
	if _, err := q.exec(ctx, `CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value BIGINT NOT NULL)`); err != nil {
		return fmt.Errorf("migrating: %w", err)
	}
	if _, err := q.exec(ctx, `INSERT INTO meta (name, value) VALUES ('schema', 0), ('revision', 0) ON CONFLICT DO NOTHING`); err != nil {
		return fmt.Errorf("migrating: %w", err)
	}
	var version int
	if err := q.row(ctx, `SELECT value FROM meta WHERE name = 'schema'`).Scan(&version); err != nil {
		return fmt.Errorf("migrating: reading the schema's version: %w", err)
	}
	if version > len(scripts) {
		return fault.Permanent(fmt.Errorf("%w: it has version %d, this program knows up to %d; run the program that migrated it, or a newer one (schemas never go back)",
			ErrNewerSchema, version, len(scripts)))
	}
	for n := version + 1; n <= len(scripts); n++ {
		script, err := migrations.ReadFile(scripts[n-1])
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, string(script)); err != nil {
			return fmt.Errorf("migrating to version %d: %w", n, err)
		}
		if _, err := q.exec(ctx, `UPDATE meta SET value = ? WHERE name = 'schema'`, n); err != nil {
			return fmt.Errorf("migrating to version %d: %w", n, err)
		}
		s.logger.Info("control database migrated", zap.Int("version", n))
	}
	if s.opaque, err = q.opaqueKey(ctx); err != nil {
		return fmt.Errorf("migrating: %w", err)
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("migrating: %w", err)
	}
	return nil
}
