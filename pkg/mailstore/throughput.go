package mailstore

import "time"

// MaxPoints is the most intervals of a ThroughputQuery.
const MaxPoints = 1000

// A ThroughputQuery asks how much mail was persisted in each interval of a time,
// and how long it took.
type ThroughputQuery struct {
	Tenant  string        // empty: all tenants; only the landlord may ask that
	Mailbox string        // empty: all mailboxes
	Since   time.Time     // beginning of the first interval, rounded down as the step is: to an hour if it is hours, to ten minutes, to a minute, or to a second
	Until   time.Time     // not included
	Step    time.Duration // length of an interval in whole seconds, at least one; the last may be shorter
}

// A ThroughputPoint is one interval. A latency is 0 when no mail of the
// interval tells it. Latencies of an interval with very many mails are those of
// a sample.
type ThroughputPoint struct {
	At      time.Time `json:"at"`      // beginning of the interval
	Light   int64     `json:"light"`   // accepted mails of the light lane
	Large   int64     `json:"large"`   // and of the large lane
	Invalid int64     `json:"invalid"` // invalid mails of either
	Bytes   int64     `json:"bytes"`   // of all these mails, as they were on the mail server

	// From fetched to persisted.
	LatencyP50 time.Duration `json:"latency_p50_ns"`
	LatencyP95 time.Duration `json:"latency_p95_ns"`
	// From persisted to disposed, of mail that is disposed of.
	DisposeP50 time.Duration `json:"dispose_p50_ns"`
	DisposeP95 time.Duration `json:"dispose_p95_ns"`
	// From the arrival at the mail server to persisted: its clock, in whole
	// seconds, is in it. Mail that had lain there for more than a day is left
	// out: an import of old mail tells nothing.
	ArrivalP50 time.Duration `json:"arrival_p50_ns"`
	ArrivalP95 time.Duration `json:"arrival_p95_ns"`
}
