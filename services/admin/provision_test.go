package admin_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/mailyard/mailyard/pkg/control"
	"github.com/mailyard/mailyard/services/admin"
	"github.com/mailyard/mailyard/services/servicetest"
)

// run runs the service on a control database of its own, with its metrics.
func run(t *testing.T, b *servicetest.Bench, r prometheus.Registerer) (store *control.Store, stop func() error) {
	t.Helper()
	store, err := control.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "control.db"), zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	return store, b.Run(admin.New(admin.Config{Bus: b.Bus(), Topology: b.NATS.Topology(), Control: store, Logger: b.Logger, Metrics: r}))
}

func TestAnEmptyNATSIsProvisionedBeforeItServes(t *testing.T) {
	t.Parallel()
	b := servicetest.New(t)
	b.NATS.Wipe(t)
	conn := b.NATS.Connect(t, "look", nil)
	store, stop := run(t, b, nil)
	for _, s := range b.NATS.Topology().Streams {
		if _, err := conn.JetStream().Stream(t.Context(), s.Name); err != nil {
			t.Errorf("stream %s: %v", s.Name, err)
		}
	}

	putTenant(t, store, "one")
	b.Eventually("the record is in the bucket", func() bool { return published(t, conn, "one") })

	if err := stop(); err != nil {
		t.Errorf("it ended with: %v", err)
	}
	putTenant(t, store, "late") // the store is still the caller's
	if published(t, conn, "late") {
		t.Error("it publishes after its end")
	}
}

func TestItEndsWhileNATSIsAway(t *testing.T) {
	t.Parallel()
	b := servicetest.New(t)
	_, stop := run(t, b, nil)
	b.NATS.Stop()
	began := time.Now()
	if err := stop(); err != nil {
		t.Errorf("it ended with: %v", err)
	}
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("it took %s", took)
	}
}
