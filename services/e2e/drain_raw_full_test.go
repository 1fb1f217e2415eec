//go:build full

package e2e_test

import (
	"context"
	"database/sql"
	"io"
	"path/filepath"
	"testing"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/jackc/pgx/v5"
)

func rangeOf(n int) imap.SeqSet { return imap.SeqSet{{Start: 1, Stop: uint32(n)}} }

// fetchRaw reads mails as they come.
func fetchRaw(b *testing.B, c *imapclient.Client, numbers imap.SeqSet) (mails [][]byte) {
	b.Helper()
	cmd := c.Fetch(numbers, &imap.FetchOptions{UID: true, BodySection: []*imap.FetchItemBodySection{{Peek: true}}})
	for m := cmd.Next(); m != nil; m = cmd.Next() {
		for item := m.Next(); item != nil; item = m.Next() {
			if body, ok := item.(imapclient.FetchItemDataBodySection); ok {
				mails = append(mails, must(io.ReadAll(body.Literal))(b))
			}
		}
	}
	check(b, cmd.Close())
	return mails
}

// rawPostgres copies into a table of a database of its own.
func rawPostgres(b *testing.B) sink {
	b.Helper()
	url, _ := createDatabase(b)
	conn := must(pgx.Connect(b.Context(), url))(b)
	b.Cleanup(func() {
		ctx, cancel := background(b)
		defer cancel()
		check(b, conn.Close(ctx))
	})
	must(conn.Exec(b.Context(), "CREATE TABLE raw (id bigserial PRIMARY KEY, mail bytea NOT NULL)"))(b)
	return func(ctx context.Context, mails [][]byte) error {
		_, err := conn.CopyFrom(ctx, pgx.Identifier{"raw"}, []string{"mail"}, pgx.CopyFromSlice(len(mails), func(i int) ([]any, error) {
			return []any{mails[i]}, nil
		}))
		return err
	}
}

// rawSQLite inserts into a table of a file of its own, a transaction per batch.
func rawSQLite(b *testing.B) sink {
	b.Helper()
	db := must(sql.Open("sqlite", "file:"+filepath.Join(b.TempDir(), "raw.db")+"?_journal_mode=WAL&_synchronous=FULL"))(b)
	b.Cleanup(func() { check(b, db.Close()) })
	must(db.Exec("CREATE TABLE raw (id integer PRIMARY KEY, mail blob NOT NULL)"))(b)
	return func(ctx context.Context, mails [][]byte) error {
		tx, err := db.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		defer tx.Rollback() // does nothing after the commit
		insert, err := tx.PrepareContext(ctx, "INSERT INTO raw (mail) VALUES (?)")
		if err != nil {
			return err
		}
		for _, m := range mails {
			if _, err := insert.ExecContext(ctx, m); err != nil {
				return err
			}
		}
		return tx.Commit()
	}
}
