package sqlitestore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/mailyard/mailyard/pkg/fault"
)

// classify marks what is no fault of the data as unavailable: the file is
// locked, its disk is full or broken. ctx is that of the caller, whose end is
// not the database's fault.
func classify(ctx context.Context, err error) error {
	if err == nil || fault.IsPermanent(err) || fault.IsUnavailable(err) {
		return err
	}
	if cause := ctx.Err(); cause != nil {
		return errors.Join(cause, err)
	}
	var failed *sqlite.Error
	if errors.As(err, &failed) {
		switch failed.Code() & 0xff { // the primary result code
		case sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_TOOBIG, sqlite3.SQLITE_MISMATCH, sqlite3.SQLITE_RANGE, sqlite3.SQLITE_ERROR:
			return err
		}
		return fault.Unavailable(err)
	}
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, sql.ErrConnDone) || errors.Is(err, sql.ErrTxDone) {
		return fault.Unavailable(err)
	}
	return err
}

// refused marks what is in the way of opening a file as permanent when waiting
// will not mend it.
func refused(err error) error {
	var failed *sqlite.Error
	if errors.As(err, &failed) {
		switch failed.Code() & 0xff {
		case sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT:
			return fault.Permanent(fmt.Errorf("restore the file from a backup, or name another one: %w", err))
		}
	}
	return err
}
