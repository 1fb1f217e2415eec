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
	q.Tenant, q.Mailbox = cleanText(q.Tenant), cleanText(q.Mailbox)
	q.Until, q.Step = q.Until.UTC(), q.Step.Truncate(time.Second)
	if q.Step > 0 {
		q.Since = q.Since.UTC().Truncate(unitOf(q.Step))
	}
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
	if bounded(q.Since) != q.Since || bounded(q.Until) != q.Until {
		return nil, &mailstore.QueryError{Field: "since", Problem: "or until is not within the years 1 and 9999"}
	}
	whole, rest := q.Until.Sub(q.Since)/q.Step, q.Until.Sub(q.Since)%q.Step
	if whole >= mailstore.MaxPoints {
		return nil, &mailstore.QueryError{Field: "step", Problem: fmt.Sprintf("is so short that there are more than %d intervals", mailstore.MaxPoints)}
	}
	if rest > 0 {
		whole++
	}
	points := make([]mailstore.ThroughputPoint, whole)
	for i := range points {
		points[i].At = q.Since.Add(time.Duration(i) * q.Step)
	}
	return points, nil
}

// unitOf returns the largest unit that the step consists of: mails are counted
// by it, and these counts added up.
func unitOf(step time.Duration) time.Duration {
	for _, unit := range []time.Duration{time.Hour, 10 * time.Minute, time.Minute} {
		if step%unit == 0 {
			return unit
		}
	}
	return time.Second
}

// within returns the conditions of a query.
func (r *Reader) within(q mailstore.ThroughputQuery) *where {
	w := &where{}
	w.of(q.Tenant, q.Mailbox)
	w.add("m.persisted_at >= ?", r.dialect.Time(q.Since))
	w.add("m.persisted_at < ?", r.dialect.Time(q.Until))
	return w
}

func (r *Reader) counts(ctx context.Context, q mailstore.ThroughputQuery, points []mailstore.ThroughputPoint) error {
	w := r.within(q)
	return r.query(ctx, func(rows *sql.Rows) error {
		var at time.Time
		var lane schemas.Lane
		var verdict schemas.Verdict
		var mails, bytes int64
		if err := rows.Scan(present{&at}, &lane, &verdict, &mails, &bytes); err != nil {
			return err
		}
		p := &points[intervalOf(q, at, len(points))]
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
	}, `SELECT `+r.dialect.Floor("m.persisted_at", unitOf(q.Step))+`, m.lane, m.verdict, count(*), CAST(sum(m.size) AS bigint) FROM mails m`+w.String()+` GROUP BY 1, 2, 3`, w.args...)
}

// intervalOf returns the number of the interval of n that a time is in.
func intervalOf(q mailstore.ThroughputQuery, at time.Time, n int) int {
	return min(max(int(at.Sub(q.Since)/q.Step), 0), n-1)
}

// waits are the latencies of the mails of an interval.
type waits struct{ persist, dispose, arrival []time.Duration }

func (r *Reader) latencies(ctx context.Context, q mailstore.ThroughputQuery, points []mailstore.ThroughputPoint) error {
	w := r.within(q)
	// The beginning of a mail id is as good as random: all ids up to a bound are
	// a sample. The bounds of the intervals are in one string.
	var bounds strings.Builder
	for _, p := range points {
		bounds.WriteString(bound(p.Light + p.Large + p.Invalid))
	}
	seconds := float64(q.Since.UnixMicro()) / 1e6
	place := fmt.Sprintf("CAST(floor((%s - %f) / %f) AS integer) * %d + 1", r.dialect.Seconds("m.persisted_at"), seconds, q.Step.Seconds(), boundLength)
	w.add(fmt.Sprintf("substr(m.mail_id, 1, %d) <= substr(CAST(? AS text), %s, %d)", boundLength, place, boundLength), bounds.String())
	all := make([]waits, len(points))
	err := r.query(ctx, func(rows *sql.Rows) error {
		var fetched, disposed, internal *time.Time
		var persisted time.Time
		if err := rows.Scan(instant{&fetched}, present{&persisted}, instant{&disposed}, instant{&internal}); err != nil {
			return err
		}
		all[intervalOf(q, persisted, len(all))].add(fetched, persisted, disposed, internal)
		return nil
	}, `SELECT m.fetched_at, m.persisted_at, m.disposed_at, m.internal_at FROM mails m`+w.String(), w.args...)
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
