package pgstore

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
	"go.uber.org/zap"

	"github.com/mailyard/mailyard/pkg/fault"
	"github.com/mailyard/mailyard/schemas/messaging"
)

// migrate brings the schema to the newest version, one transaction per
// migration. Processes that start at the same time take turns. An up-to-date
// schema needs no right to change it.
func migrate(ctx context.Context, conn *pgx.Conn, logger *zap.Logger) error {
	migrations, err := messaging.Migrations(messaging.PostgreSQL)
	if err != nil {
		return fault.Permanent(err)
	}
	for {
		version, err := schemaVersion(ctx, conn)
		if err != nil {
			return err
		}
		if version > len(migrations) {
			return fault.Permanent(fmt.Errorf("schema of the database has version %d, this program knows versions up to %d: run the newer mailyard, or restore the backup from before its start", version, len(migrations)))
		}
		if version == len(migrations) {
			return nil
		}
		m := migrations[version]
		if err := apply(ctx, conn, m); err != nil {
			return fmt.Errorf("migrating to version %d (%s): %w", m.Version, m.Name, err)
		}
		logger.Info("migrated messaging database", zap.Int("version", m.Version), zap.String("name", m.Name))
	}
}

// schemaVersion returns 0 for a database without tables of ours. It reads the
// catalogue itself: to_regclass would answer from a cache that does not know
// what another process created while this one waited for the lock.
func schemaVersion(ctx context.Context, q interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}) (int, error) {
	var exists bool
	if err := q.QueryRow(ctx, `SELECT EXISTS (SELECT FROM pg_class WHERE relname = 'mailyard_schema' AND relnamespace = current_schema()::regnamespace)`).Scan(&exists); err != nil {
		return 0, classify(ctx, err)
	}
	if !exists {
		return 0, nil
	}
	var version int
	if err := q.QueryRow(ctx, `SELECT coalesce(max(version), 0) FROM mailyard_schema`).Scan(&version); err != nil {
		return 0, classify(ctx, err)
	}
	return version, nil
}

func apply(ctx context.Context, conn *pgx.Conn, m messaging.Migration) error {
	return classify(ctx, pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		// One lock per schema, so that databases that share a server, and
		// schemas that share a database, do not wait for each other.
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock(hashtextextended('mailyard schema ' || current_schema(), 0))`); err != nil {
			return err
		}
		version, err := schemaVersion(ctx, tx)
		if err != nil || version >= m.Version { // another process was faster
			return err
		}
		if _, err := tx.Exec(ctx, `CREATE TABLE IF NOT EXISTS mailyard_schema (
			version integer PRIMARY KEY, name text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())`); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, m.SQL); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `INSERT INTO mailyard_schema (version, name) VALUES ($1, $2)`, m.Version, m.Name)
		return err
	}))
}
