//go:build full

package imapconn_test

import (
	"io"
	"slices"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"github.com/mailyard/mailyard/pkg/imapconn"
	"github.com/mailyard/mailyard/pkg/imapconn/imaptest"
)

// BenchmarkDrain downloads 10,000 light mails and compares with go-imap's bare
// UID FETCH in the same run.
func BenchmarkDrain(b *testing.B) {
	const n = 10_000
	s := imaptest.Dovecot(b, imaptest.Options{Extra: "ssl = no\n"})
	s.Deliver("u1", imaptest.Messages(0, n, 5000)...)
	target := s.Target("u1")
	target.AllowInsecure = true
	c := dial(b, target, imapconn.Options{})
	if _, err := c.Select(b.Context(), "INBOX"); err != nil {
		b.Fatal(err)
	}
	uids := list(b, c)
	if len(uids) != n {
		b.Fatalf("%d mails", len(uids))
	}
	bare := s.Client("u1")
	b.Cleanup(func() { bare.Close() })
	if _, err := bare.Select("INBOX", nil).Wait(); err != nil {
		b.Fatal(err)
	}
	bareDrain(b, bare, uids, 500) // warms the server
	for _, size := range []int{50, 500} {
		b.Run(map[int]string{50: "batch=50", 500: "batch=500"}[size], func(b *testing.B) {
			var theirs, ours time.Duration
			for b.Loop() {
				start := time.Now()
				bareDrain(b, bare, uids, size)
				theirs += time.Since(start)
				start = time.Now()
				drain(b, c, uids, size)
				ours += time.Since(start)
			}
			b.ReportMetric(float64(n*b.N)/ours.Seconds(), "mails/s")
			b.ReportMetric(float64(n*b.N)/theirs.Seconds(), "bare-mails/s")
			b.ReportMetric(theirs.Seconds()/ours.Seconds(), "times-bare")
		})
	}
}

func drain(b *testing.B, c *imapconn.Conn, uids []uint32, size int) {
	b.Helper()
	var all [][]imapconn.MailInfo
	for part := range slices.Chunk(uids, size) {
		all = append(all, infos(part...))
	}
	mails := 0
	err := c.Fetch(b.Context(), imapconn.FetchOptions{Depth: 2}, batches(all...), func(_ imapconn.MailInfo, r io.Reader) error {
		mails++
		_, err := io.Copy(io.Discard, r)
		return err
	}, nil)
	if err != nil || mails != len(uids) {
		b.Fatalf("%d mails, %v", mails, err)
	}
}

// bareDrain is the least that go-imap can be asked to do, one command after the other.
func bareDrain(b *testing.B, c *imapclient.Client, uids []uint32, size int) {
	b.Helper()
	mails := 0
	for part := range slices.Chunk(uids, size) {
		set := imap.UIDSet{{Start: imap.UID(part[0]), Stop: imap.UID(part[len(part)-1])}}
		cmd := c.Fetch(set, &imap.FetchOptions{UID: true, BodySection: []*imap.FetchItemBodySection{{Peek: true}}})
		for msg := cmd.Next(); msg != nil; msg = cmd.Next() {
			for item := msg.Next(); item != nil; item = msg.Next() {
				if body, ok := item.(imapclient.FetchItemDataBodySection); ok {
					mails++
					io.Copy(io.Discard, body.Literal)
				}
			}
		}
		if err := cmd.Close(); err != nil {
			b.Fatal(err)
		}
	}
	if mails != len(uids) {
		b.Fatalf("%d mails", mails)
	}
}
