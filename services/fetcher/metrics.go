package fetcher

import "github.com/prometheus/client_golang/prometheus"

// metrics of all mailboxes of a replica together; per mailbox there are states.
type metrics struct {
	fetched     prometheus.Counter
	bytes       prometheus.Counter
	unaccounted *prometheus.GaugeVec
}

func newMetrics(r prometheus.Registerer) metrics {
	m := metrics{
		fetched: prometheus.NewCounter(prometheus.CounterOpts{Name: "mailyard_fetched_mails_total", Help: "Mails that are safe in their stream."}),
		bytes:   prometheus.NewCounter(prometheus.CounterOpts{Name: "mailyard_fetched_bytes_total", Help: "Bytes of mail bodies that were downloaded."}),
		unaccounted: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "mailyard_unaccounted_mails",
			Help: "Mails in the inbox that are neither waiting, in flight, parked nor left alone by import_since; should be 0.",
		}, []string{"tenant", "mailbox"}),
	}
	if r != nil {
		r.MustRegister(m.fetched, m.bytes, m.unaccounted)
	}
	return m
}
