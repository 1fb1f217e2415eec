//go:build full

package pgstore_test

import (
	"context"
	"runtime"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/mailyard/mailyard/pkg/mailstore"
	"github.com/mailyard/mailyard/pkg/mailstore/pgstore"
	"github.com/mailyard/mailyard/pkg/mailstore/storetest"
	"github.com/mailyard/mailyard/schemas"
)

// While the statistics are young, the planner would read a whole mailbox per
// mail if an index let it. Nothing on the mail path may grow with the database.
func TestCostDoesNotGrowWithTheDatabase(t *testing.T) {
	t.Parallel()
	u := createDatabase(t)
	s, err := pgstore.Open(t.Context(), u, zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	const batches, size = 20, 100
	for round := range 2 { // the second time all is delivered again
		for i := range batches {
			batch := make([]mailstore.Mail, size)
			uids := make([]uint32, size)
			for j := range batch {
				uids[j] = uint32(i*size + j + 1)
				batch[j] = storetest.NewMail("acme", "inbox", 1, uids[j], 600)
				batch[j].SHA256 = strings.Repeat("ab", 32) // worst case: all are identical
			}
			if _, err := s.Persist(t.Context(), batch); err != nil {
				t.Fatal(err)
			}
			if round == 1 {
				if err := s.RecordDisposed(t.Context(), schemas.Disposed{Tenant: "acme", Mailbox: "inbox", UIDValidity: 1, UIDs: uids, DisposedAt: time.Now()}); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	if err := s.Close(); err != nil { // statistics are complete when the sessions have ended
		t.Fatal(err)
	}
	const total = batches * size
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for db := connect(t, u); ; {
		var inserted, scanned, listing, known, sums int64
		err := db.QueryRowContext(ctx, `SELECT max(n_tup_ins), max(seq_tup_read),
			(SELECT sum(idx_tup_read) FROM pg_stat_user_indexes WHERE indexrelname IN ('mails_mailbox', 'mails_tenant', 'mails_invalid')),
			(SELECT idx_tup_read FROM pg_stat_user_indexes WHERE indexrelname = 'mails_mail_key_key'),
			(SELECT idx_tup_read FROM pg_stat_user_indexes WHERE indexrelname = 'undisposed_sha256')
			FROM pg_stat_user_tables WHERE relname = 'mails'`).Scan(&inserted, &scanned, &listing, &known, &sums)
		if err != nil {
			t.Fatal(err)
		}
		if inserted == total && known >= 2*total { // all has been reported
			if scanned > 0 || listing > 0 || known > 6*total || sums > total {
				t.Errorf("for %d mails, stored, delivered again and disposed of: %d rows scanned, %d read by the indexes of lists, %d by mail_key, %d by sha256", total, scanned, listing, known, sums)
			}
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("statistics: %d inserted, %d known", inserted, known)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// Not parallel: it counts what the process allocates.
func TestLargeMailIsNotCopied(t *testing.T) {
	s := open(t, createDatabase(t))
	m := storetest.NewMail("acme", "inbox", 1, 1, 900)
	if _, err := s.Persist(t.Context(), []mailstore.Mail{m}); err != nil { // prepares the statements
		t.Fatal(err)
	}
	m = storetest.NewMail("acme", "inbox", 1, 2, 900)
	m.Raw = make([]byte, 32<<20)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, err := s.Persist(t.Context(), []mailstore.Mail{m}); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if n := after.TotalAlloc - before.TotalAlloc; n > 4<<20 {
		t.Errorf("storing a mail of 32 MiB allocated %d bytes", n)
	}
}
