//go:build full

package e2e_test

import (
	"context"
	"flag"
	"fmt"
	"testing"
	"time"

	"github.com/mailyard/mailyard/pkg/imapconn/imaptest"
	"github.com/mailyard/mailyard/schemas/config"
)

// drained is how many mails a benchmark drains. Run it with -benchtime 1x.
var drained = flag.Int("mails", 10_000, "mails that BenchmarkDrain drains")

const drainedSize = 5 << 10

// BenchmarkDrain measures mails per second from the inbox of Dovecot to the rows
// in the messaging database and the folder of persisted mail, and what part that
// is of the raw limit: of what a program reaches, in the same run, that does
// nothing but fetch, insert and move, one after the other.
func BenchmarkDrain(b *testing.B) {
	for _, c := range []struct {
		name string
		open func(b *testing.B) topology
		raw  func(b *testing.B) sink
	}{
		{"separate-postgresql", func(b *testing.B) topology { return separateTopology(b) }, rawPostgres},
		{"embedded-sqlite", func(*testing.B) topology { return topology{open: openEmbedded} }, rawSQLite},
	} {
		b.Run(c.name, func(b *testing.B) {
			server := startMailServer(b, dovecot, imaptest.Options{}, "drain", "raw")
			site := c.open(b).open(b, nil)
			for b.Loop() {
				fill(b, server, user("raw", 0))
				store := c.raw(b)
				limit := rate(b, func() { drainRaw(b, server, user("raw", 0), store) }, *drained)
				sc := newScene(b, site, server, "drain")
				box := sc.box(func(d *config.Mailbox) { d.Enabled = false })
				for range *drained {
					box.deliver(newMail(box.next(), drainedSize, box.to("support")), outcome{folders: []string{"support"}})
				}
				began := time.Now()
				box.change(func(d *config.Mailbox) { d.Enabled = true })
				sc.checkAll(10 * time.Minute)
				whole := float64(*drained) / box.lastDisposal().Sub(began).Seconds()
				b.ReportMetric(whole, "mails/s")
				b.ReportMetric(limit, "raw-mails/s")
				b.ReportMetric(whole/limit, "of-raw")
				b.ReportMetric(0, "ns/op")
			}
		})
	}
}

func rate(b *testing.B, do func(), mails int) float64 {
	b.Helper()
	began := time.Now()
	do()
	return float64(mails) / time.Since(began).Seconds()
}

// fill delivers the mails that are drained by the raw program.
func fill(b *testing.B, server *mailServer, user string) {
	b.Helper()
	for n := range *drained {
		server.Deliver(user, newMail(fmt.Sprintf("raw.%d", n), drainedSize, "To: support@raw.example"))
	}
}

// lastDisposal returns when the last mail left the inbox.
func (b *box) lastDisposal() (last time.Time) {
	b.Helper()
	for _, m := range b.rows() {
		if m.DisposedAt.After(last) {
			last = *m.DisposedAt
		}
	}
	return last
}

const rawBatch = 500

// A sink stores a batch of mails in a database.
type sink func(ctx context.Context, mails [][]byte) error

// drainRaw does the least that there is to do, in one connection and one after
// the other.
func drainRaw(b *testing.B, server *mailServer, user string, store sink) {
	b.Helper()
	c := server.Client(user)
	defer c.Close()
	if err := c.Create("Raw", nil).Wait(); err != nil {
		b.Fatal(err)
	}
	must(c.Select("INBOX", nil).Wait())(b)
	for left := *drained; left > 0; left -= rawBatch {
		numbers := rangeOf(min(left, rawBatch))
		check(b, store(b.Context(), fetchRaw(b, c, numbers)))
		must(c.Move(numbers, "Raw").Wait())(b)
	}
}
