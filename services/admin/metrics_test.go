package admin_test

import (
	"maps"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/mailyard/mailyard/schemas"
	"github.com/mailyard/mailyard/services/servicetest"
)

// gauges returns the values of a metric by its label, "" where it has none.
func gauges(t *testing.T, r prometheus.Gatherer, name string) map[string]float64 {
	t.Helper()
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]float64{}
	for _, f := range families {
		if f.GetName() != name {
			continue
		}
		for _, m := range f.GetMetric() {
			label := ""
			for _, l := range m.GetLabel() {
				label = l.GetValue()
			}
			values[label] = m.GetGauge().GetValue()
		}
	}
	return values
}

func publish(t *testing.T, b *servicetest.Bench, subject string) {
	t.Helper()
	if _, err := b.Conn.JetStream().Publish(t.Context(), subject, []byte("a mail")); err != nil {
		t.Fatal(err)
	}
}

func TestMetricsTellWhatWaits(t *testing.T) {
	t.Parallel()
	b := servicetest.New(t)
	registry := prometheus.NewRegistry()
	before := time.Now()
	for range 2 {
		publish(t, b, "mail.v1.fetched.light.acme.support")
	}
	publish(t, b, "mail.v1.classified.large.acme.support")
	publish(t, b, "mail.v1.dead.persister.acme.support")
	run(t, b, registry)

	waiting := map[string]float64{
		schemas.StreamFetchedLight: 2, schemas.StreamFetchedLarge: 0, schemas.StreamClassifiedLight: 0,
		schemas.StreamClassifiedLarge: 1, schemas.StreamDispose: 0, schemas.StreamRetry: 0,
	}
	// At once: until then a dead letter that has long been there looks like a new one.
	if diff := cmp.Diff(waiting, gauges(t, registry, "mailyard_stream_messages")); diff != "" {
		t.Errorf("what waits:\n%s", diff)
	}
	if dead := gauges(t, registry, "mailyard_dead_letters"); dead[""] != 1 {
		t.Errorf("dead letters: %v", dead)
	}
	oldest := func(stream string) float64 {
		return gauges(t, registry, "mailyard_stream_oldest_seconds")[stream]
	}
	if age := oldest(schemas.StreamFetchedLight); age <= 0 || age > time.Since(before).Seconds() {
		t.Errorf("the oldest light mail is %v s old", age)
	}
	if age := oldest(schemas.StreamFetchedLarge); age != 0 {
		t.Errorf("the oldest mail of an empty stream is %v s old", age)
	}

	stream, err := b.Conn.JetStream().Stream(t.Context(), schemas.StreamFetchedLight)
	if err != nil {
		t.Fatal(err)
	}
	if err := stream.Purge(t.Context()); err != nil {
		t.Fatal(err)
	}
	waiting[schemas.StreamFetchedLight] = 0
	b.Eventually("the stream is empty", func() bool {
		return maps.Equal(waiting, gauges(t, registry, "mailyard_stream_messages"))
	})
	b.Eventually("nothing is the oldest", func() bool { return oldest(schemas.StreamFetchedLight) == 0 })
}
