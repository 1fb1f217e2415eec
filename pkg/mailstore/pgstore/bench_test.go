//go:build full

package pgstore_test

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/mailyard/mailyard/pkg/mailstore"
	"github.com/mailyard/mailyard/pkg/mailstore/storetest"
)

func BenchmarkPersist(b *testing.B) {
	u := createDatabase(b)
	s := open(b, u)
	execute(b, u, "CREATE TABLE plain (mail_id text PRIMARY KEY, raw bytea COMPRESSION lz4)")
	conn, err := pgx.Connect(b.Context(), u)
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(b.Context()))
	storetest.Benchmark(b, s, func(ctx context.Context, mails []mailstore.Mail) error {
		ids, raws := make([]string, len(mails)), make([][]byte, len(mails))
		for i := range mails {
			ids[i], raws[i] = mails[i].Key.ID(), mails[i].Raw
		}
		_, err := conn.Exec(ctx, "INSERT INTO plain SELECT * FROM unnest($1::text[], $2::bytea[]) ON CONFLICT DO NOTHING", ids, raws)
		return err
	})
}
