package reader

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/mailyard/mailyard/pkg/mailstore"
	"github.com/mailyard/mailyard/schemas"
)

const (
	// samples is about how many mails of an interval the latencies are told by.
	samples = 500
	// longestWait is how long mail may have lain on the mail server to count.
	longestWait = 24 * time.Hour
)

// Throughput implements mailstore.Store.
func (r *Reader) Throughput(ctx context.Context, q mailstore.ThroughputQuery) ([]mailstore.ThroughputPoint, error) {
	points, err := intervals(q)
	if err != nil {
		return nil, fmt.Errorf("reading the throughput of %q: %w", q.Tenant, err)
	}
	if err := r.counts(ctx, q, points); err != nil {
		return nil, fmt.Errorf("counting the mail of %q: %w", q.Tenant, err)
	}
	if err := r.latencies(ctx, q, points); err != nil {
		return nil, fmt.Errorf("reading the latencies of %q: %w", q.Tenant, err)
	}
	return points, nil
}

// intervals returns the points of a query, still empty.
func intervals(q mailstore.ThroughputQuery) ([]mailstore.ThroughputPoint, error) {
	if q.Step < time.Second {
		return nil, &mailstore.QueryError{Field: "step", Problem: "is shorter than a second"}
	}
	if !q.Since.Before(q.Until) {
		return nil, &mailstore.QueryError{Field: "until", Problem: "is not after since"}
	}
	n := (q.Until.Sub(q.Since) + q.Step - 1) / q.Step
	if n > mailstore.MaxPoints {
		return nil, &mailstore.QueryError{Field: "step", Problem: fmt.Sprintf("is so short that there are %d intervals; %d are allowed", n, mailstore.MaxPoints)}
	}
	points := make([]mailstore.ThroughputPoint, n)
	for i := range points {
		points[i].At = q.Since.UTC().Add(time.Duration(i) * q.Step)
	}
	return points, nil
}

// within returns the conditions of a query, and an expression for the number of
// the interval that a mail belongs in, from 0.
func (r *Reader) within(q mailstore.ThroughputQuery) (w *where, interval string) {
	w = &where{}
	w.of(q.Tenant, q.Mailbox)
	w.add("m.persisted_at >= ?", r.dialect.Time(q.Since.UTC()))
	w.add("m.persisted_at < ?", r.dialect.Time(q.Until.UTC()))
	interval = fmt.Sprintf("((%s - %d) / %d)", r.dialect.Micros("m.persisted_at"), q.Since.UnixMicro(), q.Step.Microseconds())
	return w, interval
}

func (r *Reader) counts(ctx context.Context, q mailstore.ThroughputQuery, points []mailstore.ThroughputPoint) error {
	w, interval := r.within(q)
	return r.query(ctx, func(rows *sql.Rows) error {
		var i int
		var lane schemas.Lane
		var verdict schemas.Verdict
		var mails, bytes int64
		if err := rows.Scan(&i, &lane, &verdict, &mails, &bytes); err != nil {
			return err
		}
		p := &points[min(max(i, 0), len(points)-1)]
		p.Bytes += bytes
		switch {
		case verdict == schemas.Invalid:
			p.Invalid += mails
		case lane == schemas.Light:
			p.Light += mails
		default:
			p.Large += mails
		}
		return nil
	}, `SELECT `+interval+`, m.lane, m.verdict, count(*), CAST(sum(m.size) AS bigint) FROM mails m`+w.String()+` GROUP BY 1, 2, 3`, w.args...)
}

// waits are the latencies of the mails of an interval.
type waits struct{ persist, dispose, arrival []time.Duration }

func (r *Reader) latencies(ctx context.Context, q mailstore.ThroughputQuery, points []mailstore.ThroughputPoint) error {
	w, interval := r.within(q)
	// The beginning of a mail id is as good as random: all ids before a bound
	// are a sample. The bounds of the intervals are in one string.
	var bounds strings.Builder
	for _, p := range points {
		bounds.WriteString(bound(p.Light + p.Large + p.Invalid))
	}
	w.conditions = append(w.conditions, fmt.Sprintf("substr(m.mail_id, 1, %d) <= substr(%s, %d * %s + 1, %d)", boundLength, w.arg(bounds.String()), boundLength, interval, boundLength))
	all := make([]waits, len(points))
	err := r.query(ctx, func(rows *sql.Rows) error {
		var i int
		var fetched, disposed, internal *time.Time
		var persisted time.Time
		if err := rows.Scan(&i, instant{&fetched}, present{&persisted}, instant{&disposed}, instant{&internal}); err != nil {
			return err
		}
		all[min(max(i, 0), len(all)-1)].add(fetched, persisted, disposed, internal)
		return nil
	}, `SELECT `+interval+`, m.fetched_at, m.persisted_at, m.disposed_at, m.internal_at FROM mails m`+w.String(), w.args...)
	if err != nil {
		return err
	}
	for i := range all {
		p := &points[i]
		p.LatencyP50, p.LatencyP95 = percentiles(all[i].persist)
		p.DisposeP50, p.DisposeP95 = percentiles(all[i].dispose)
		p.ArrivalP50, p.ArrivalP95 = percentiles(all[i].arrival)
	}
	return nil
}

func (w *waits) add(fetched *time.Time, persisted time.Time, disposed, internal *time.Time) {
	// The clocks are of several machines: what they make negative took no time.
	if fetched != nil {
		w.persist = append(w.persist, max(0, persisted.Sub(*fetched)))
	}
	if disposed != nil {
		w.dispose = append(w.dispose, max(0, disposed.Sub(persisted)))
	}
	if internal != nil {
		if d := persisted.Sub(*internal); d > -time.Minute && d <= longestWait {
			w.arrival = append(w.arrival, max(0, d))
		}
	}
}

// percentiles returns the 50th and 95th percentile: the least value that so
// many do not exceed.
func percentiles(d []time.Duration) (p50, p95 time.Duration) {
	if len(d) == 0 {
		return 0, 0
	}
	slices.Sort(d)
	at := func(percent int) time.Duration { return d[(len(d)*percent+99)/100-1] }
	return at(50), at(95)
}

// The characters of a mail id, in their order.
const (
	idAlphabet  = "234567abcdefghijklmnopqrstuvwxyz"
	boundLength = 2
)

// bound returns the last beginning of the mail ids that are a sample of about
// samples of the mails: one of 1,024.
func bound(mails int64) string {
	const all = int64(len(idAlphabet) * len(idAlphabet))
	n := all - 1
	if mails > samples {
		n = min(n, samples*all/mails)
	}
	return string([]byte{idAlphabet[n/int64(len(idAlphabet))], idAlphabet[n%int64(len(idAlphabet))]})
}
