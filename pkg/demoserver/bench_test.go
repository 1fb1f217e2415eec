package demoserver_test

import (
	"bytes"
	"io"
	"testing"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
)

// BenchmarkFetch downloads 10,000 mails of 5 KB in batches of 500.
func BenchmarkFetch(b *testing.B) {
	s := start(b, b.TempDir())
	const n = 10_000
	raw := append(text(1), bytes.Repeat([]byte("a line of text in a mail of five kilobytes\r\n"), 112)...)
	for range n {
		if _, err := s.Deliver("ann", raw); err != nil {
			b.Fatal(err)
		}
	}
	c := client(b, s, nil)
	for b.Loop() {
		for first := imap.UID(1); first < n; first += 500 {
			cmd := c.Fetch(imap.UIDSet{{Start: first, Stop: first + 499}}, &imap.FetchOptions{UID: true, BodySection: []*imap.FetchItemBodySection{{Peek: true}}})
			for msg := cmd.Next(); msg != nil; msg = cmd.Next() {
				for item := msg.Next(); item != nil; item = msg.Next() {
					if body, ok := item.(imapclient.FetchItemDataBodySection); ok {
						io.Copy(io.Discard, body.Literal)
					}
				}
			}
			if err := cmd.Close(); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(n/b.Elapsed().Seconds()*float64(b.N), "mails/s")
}

// BenchmarkMove moves 500 mails with one command, there and back.
func BenchmarkMove(b *testing.B) {
	s := start(b, b.TempDir())
	deliver(b, s, 500)
	c := client(b, s, nil)
	if err := c.Create("Done", nil).Wait(); err != nil {
		b.Fatal(err)
	}
	from, to := "INBOX", "Done"
	for b.Loop() {
		if _, err := c.Select(from, nil).Wait(); err != nil {
			b.Fatal(err)
		}
		if _, err := c.Move(imap.UIDSet{{Start: 1}}, to).Wait(); err != nil {
			b.Fatal(err)
		}
		from, to = to, from
	}
}
