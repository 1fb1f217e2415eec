package storetest

import (
	"context"
	"testing"
	"time"

	"github.com/mailyard/mailyard/pkg/mailstore"
)

// Batches of the benchmarks.
const (
	lightBatch, lightSize = 200, 5_000
	largeBatch, largeSize = 4, 6_000_000
)

// Benchmark measures Persist of new light and large mail against plain, which
// inserts just the bytes, as one transaction into one table that has a text key
// and a column raw. Both take turns, so that they meet the same machine.
func Benchmark(b *testing.B, s mailstore.Store, plain func(ctx context.Context, mails []mailstore.Mail) error) {
	b.Run("light", func(b *testing.B) { benchmark(b, s, plain, "light", lightBatch, lightSize) })
	b.Run("large", func(b *testing.B) { benchmark(b, s, plain, "large", largeBatch, largeSize) })
}

func benchmark(b *testing.B, s mailstore.Store, plain func(context.Context, []mailstore.Mail) error, mailbox string, batch, size int) {
	ctx := b.Context()
	var persisting, inserting time.Duration
	uid, n := uint32(0), 0
	epoch := uint32(time.Now().Unix()) // the database is kept while the benchmark is run with a growing b.N
	for b.Loop() {
		mails := make([]mailstore.Mail, batch)
		for i := range mails {
			uid++
			mails[i] = NewMail("acme", mailbox, epoch, uid, size)
		}
		start := time.Now()
		if _, err := s.Persist(ctx, mails); err != nil {
			b.Fatal(err)
		}
		persisting += time.Since(start)
		start = time.Now()
		if err := plain(ctx, mails); err != nil {
			b.Fatal(err)
		}
		inserting += time.Since(start)
		n += batch
	}
	b.ReportMetric(float64(n)/persisting.Seconds(), "mails/s")
	b.ReportMetric(float64(n)*float64(size)/1e6/persisting.Seconds(), "MB/s")
	b.ReportMetric(float64(n)/inserting.Seconds(), "plain/s")
	b.ReportMetric(inserting.Seconds()/persisting.Seconds(), "of-plain")
}
