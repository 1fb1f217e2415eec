package sqlitestore

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

// writeTimeout is how long one transaction may take, waiting for other
// processes included, before the database counts as away.
const writeTimeout = 2 * time.Minute

// write runs a transaction. It holds the only write lock of the file from its
// beginning, so it cannot run into a deadlock.
func (s *Store) write(ctx context.Context, do func(context.Context, *sql.Tx) error) error {
	limited, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	return classify(ctx, inTx(limited, s.writing, func(tx *sql.Tx) error { return do(limited, tx) }))
}

func inTx(ctx context.Context, db *sql.DB, do func(*sql.Tx) error) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := do(tx); err != nil {
		if rollback := tx.Rollback(); rollback != nil && !errors.Is(rollback, sql.ErrTxDone) {
			return errors.Join(err, rollback)
		}
		return err
	}
	return tx.Commit()
}
