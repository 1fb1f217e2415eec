package disposer

import "github.com/prometheus/client_golang/prometheus"

// newDisposed returns the counter of mails that were taken out of an inbox.
func newDisposed(r prometheus.Registerer) *prometheus.CounterVec {
	c := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "mailyard_disposed_mails_total",
		Help: "Mails that were moved or deleted on the mail server, by action.",
	}, []string{"action"})
	if r != nil {
		r.MustRegister(c)
	}
	return c
}
