package sqlitestore

import (
	"context"
	"database/sql"
	"fmt"

	"go.uber.org/zap"

	"github.com/mailyard/mailyard/pkg/fault"
	"github.com/mailyard/mailyard/schemas/messaging"
)

// migrate brings the schema to the newest version, one transaction per
// migration. Transactions are immediate, so processes that start at the same
// time take turns. The version is the file's user_version.
func migrate(ctx context.Context, db *sql.DB, logger *zap.Logger) error {
	migrations, err := messaging.Migrations(messaging.SQLite)
	if err != nil {
		return fault.Permanent(err)
	}
	for {
		var version int
		if err := db.QueryRowContext(ctx, `PRAGMA user_version`).Scan(&version); err != nil {
			return classify(ctx, err)
		}
		if version > len(migrations) {
			return fault.Permanent(fmt.Errorf("schema of the database has version %d, this program knows versions up to %d: run the newer mailyard, or restore the backup from before its start", version, len(migrations)))
		}
		if version == len(migrations) {
			return nil
		}
		m := migrations[version]
		applied, err := apply(ctx, db, m)
		if err != nil {
			return fmt.Errorf("migrating to version %d (%s): %w", m.Version, m.Name, classify(ctx, err))
		}
		if applied {
			logger.Info("migrated messaging database", zap.Int("version", m.Version), zap.String("name", m.Name))
		}
	}
}

func apply(ctx context.Context, db *sql.DB, m messaging.Migration) (applied bool, err error) {
	err = inTx(ctx, db, func(tx *sql.Tx) error {
		var version int
		if err := tx.QueryRowContext(ctx, `PRAGMA user_version`).Scan(&version); err != nil {
			return err
		}
		if version >= m.Version { // another process was faster
			return nil
		}
		if _, err := tx.ExecContext(ctx, m.SQL); err != nil {
			return err
		}
		applied = true
		_, err := tx.ExecContext(ctx, fmt.Sprintf(`PRAGMA user_version = %d`, m.Version))
		return err
	})
	return applied, err
}
