//go:build full

package e2e_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mailyard/mailyard/pkg/imapconn/imaptest"
	"github.com/mailyard/mailyard/schemas"
)

const (
	lightMails    = 400
	lightInterval = 25 * time.Millisecond
	largeInterval = 500 * time.Millisecond
	largeSize     = 5_900_000
)

// BenchmarkLightLatency measures the 99th percentile of the time from the
// delivery of a light mail to its commit, alone and while mails of 6 MB flow
// through the same mailbox, and the ratio of the two. Run it with -benchtime 1x.
func BenchmarkLightLatency(b *testing.B) {
	server := startMailServer(b, dovecot, imaptest.Options{}, "latency")
	site := separateTopology(b).open(b, nil)
	for b.Loop() {
		sc := newScene(b, site, server, "latency")
		alone, beside := sc.box(), sc.box()
		alone.awaitStatus(schemas.StatusLive)
		beside.awaitStatus(schemas.StatusLive)
		p99 := alone.latency(false)
		p99Beside := beside.latency(true)
		sc.checkAll(patience)
		b.ReportMetric(p99.Seconds()*1e3, "p99-ms")
		b.ReportMetric(p99Beside.Seconds()*1e3, "p99-beside-large-ms")
		b.ReportMetric(p99Beside.Seconds()/p99.Seconds(), "ratio")
		b.ReportMetric(0, "ns/op")
	}
}

// latency delivers light mails at a steady pace and returns the 99th percentile
// of the times until their commits.
func (b *box) latency(large bool) time.Duration {
	b.Helper()
	delivered := map[string]time.Time{}
	light, heavy := time.NewTicker(lightInterval), time.NewTicker(largeInterval)
	defer light.Stop()
	defer heavy.Stop()
	for len(delivered) < lightMails {
		select {
		case <-heavy.C:
			if large {
				b.large(largeSize, "sales")
			}
		case <-light.C:
			raw := newMail(b.next(), 1500, b.to("support"))
			b.deliver(raw, outcome{folders: []string{"support"}, lane: schemas.Light})
			delivered[identity(raw)] = time.Now()
		}
	}
	b.awaitEnd(patience)
	var times []time.Duration
	for _, m := range b.rows() {
		if at, ok := delivered[strings.Trim(m.MessageID, "<>")]; ok {
			times = append(times, m.PersistedAt.Sub(at))
		}
	}
	slices.Sort(times)
	return times[len(times)*99/100]
}
