package admin

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/mailyard/mailyard/pkg/bus"
)

// metrics show what waits in the streams; they are set every provisionTime.
type metrics struct {
	waiting *prometheus.GaugeVec
	oldest  *prometheus.GaugeVec
	dead    prometheus.Gauge
}

func newMetrics(r prometheus.Registerer) metrics {
	m := metrics{
		waiting: prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "mailyard_stream_messages", Help: "Messages that wait in a stream between the inbox and the disposal."}, []string{"stream"}),
		oldest:  prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "mailyard_stream_oldest_seconds", Help: "Age of the oldest message in a stream; 0 when it is empty."}, []string{"stream"}),
		dead:    prometheus.NewGauge(prometheus.GaugeOpts{Name: "mailyard_dead_letters", Help: "Dead letters that were neither replayed nor dropped."}),
	}
	if r != nil {
		r.MustRegister(m.waiting, m.oldest, m.dead)
	}
	return m
}

// read takes over what the streams hold now.
func (m metrics) read(ctx context.Context, conn *bus.Conn) error {
	backlogs, err := conn.Backlogs(ctx)
	if err != nil {
		return err
	}
	for _, b := range backlogs {
		m.waiting.WithLabelValues(b.Stream).Set(float64(b.Messages))
		age := 0.0
		if b.Oldest != nil {
			age = max(time.Since(*b.Oldest).Seconds(), 0)
		}
		m.oldest.WithLabelValues(b.Stream).Set(age)
	}
	dead, err := conn.CountDead(ctx)
	if err != nil {
		return err
	}
	m.dead.Set(float64(dead))
	return nil
}
