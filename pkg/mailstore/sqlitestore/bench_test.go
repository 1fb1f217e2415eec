package sqlitestore_test

import (
	"context"
	"database/sql"
	"path/filepath"
	"testing"

	"github.com/mailyard/mailyard/pkg/mailstore"
	"github.com/mailyard/mailyard/pkg/mailstore/storetest"
)

func BenchmarkPersist(b *testing.B) {
	dir := b.TempDir()
	s := open(b, filepath.Join(dir, "mail.db"))
	db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, "plain.db")+"?_txlock=immediate&_journal_mode=WAL&_synchronous=FULL")
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	if _, err := db.ExecContext(b.Context(), "CREATE TABLE plain (mail_id TEXT PRIMARY KEY, raw BLOB NOT NULL)"); err != nil {
		b.Fatal(err)
	}
	storetest.Benchmark(b, s, func(ctx context.Context, mails []mailstore.Mail) error {
		tx, err := db.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		defer tx.Rollback()
		insert, err := tx.PrepareContext(ctx, "INSERT INTO plain VALUES (?, ?) ON CONFLICT DO NOTHING")
		if err != nil {
			return err
		}
		for i := range mails {
			if _, err := insert.ExecContext(ctx, mails[i].Key.ID(), mails[i].Raw); err != nil {
				return err
			}
		}
		return tx.Commit()
	})
}
