package persister

import "github.com/prometheus/client_golang/prometheus"

// newCommitted returns the counter of committed mails. Mail that was there
// already counts again: it is work that was done.
func newCommitted(r prometheus.Registerer) *prometheus.CounterVec {
	c := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "mailyard_persisted_mails_total",
		Help: "Mails that are committed in a messaging database and announced, by lane and verdict.",
	}, []string{"lane", "verdict"})
	if r != nil {
		r.MustRegister(c)
	}
	return c
}
