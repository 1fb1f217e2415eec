package admin_test

import (
	"path/filepath"
	"testing"

	"go.uber.org/goleak"
	"go.uber.org/zap"

	"github.com/mailyard/mailyard/pkg/bus"
	"github.com/mailyard/mailyard/pkg/control"
	"github.com/mailyard/mailyard/pkg/process"
	"github.com/mailyard/mailyard/schemas"
	"github.com/mailyard/mailyard/schemas/config"
	"github.com/mailyard/mailyard/services/admin"
	"github.com/mailyard/mailyard/services/servicetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var landlord = control.Actor{Name: "lena", Role: control.RoleLandlord, From: "test"}

func start(t *testing.T) (*servicetest.Bench, *control.Store) {
	t.Helper()
	b := servicetest.New(t)
	store, err := control.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "control.db"), zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	var service process.Service = admin.New(admin.Config{Bus: b.Bus(), Topology: b.NATS.Topology(), Control: store, Logger: b.Logger})
	b.Run(service)
	return b, store
}

func putTenant(t *testing.T, store *control.Store, id string) {
	t.Helper()
	doc := config.DefaultTenant()
	doc.ID, doc.Name = id, "Tenant "+id
	if _, err := store.PutTenant(t.Context(), landlord, doc, 0); err != nil {
		t.Fatal(err)
	}
}

func published(t *testing.T, conn *bus.Conn, tenant string) bool {
	t.Helper()
	kv, err := conn.JetStream().KeyValue(t.Context(), schemas.BucketConfig)
	if err != nil {
		return false // not yet made anew
	}
	_, err = kv.Get(t.Context(), config.TenantRecordKey(tenant))
	return err == nil
}

func TestChangesArePublished(t *testing.T) {
	t.Parallel()
	b, store := start(t)
	events := servicetest.Listen[schemas.ConfigChanged](b, "config.v1.changed.>")
	putTenant(t, store, "one")
	b.Eventually("the record is in the bucket", func() bool { return published(t, b.Conn, "one") })
	b.Eventually("the change is told", func() bool { return events.Len() == 1 })
}

func TestWhatNATSLostIsMadeAnew(t *testing.T) {
	t.Parallel()
	b, store := start(t)
	putTenant(t, store, "one")
	b.Eventually("the record is in the bucket", func() bool { return published(t, b.Conn, "one") })
	b.NATS.Wipe(t)
	conn := b.NATS.Connect(t, "after", nil)
	b.Eventually("streams and configuration are back", func() bool { return published(t, conn, "one") })
	b.Eventually("every consumer is back", func() bool {
		for _, c := range bus.DefaultTopology(1).Consumers {
			if _, err := conn.JetStream().Consumer(t.Context(), c.Stream, c.Config.Durable); err != nil {
				return false
			}
		}
		return true
	})
	putTenant(t, store, "two")
	b.Eventually("later changes too", func() bool { return published(t, conn, "two") })
}
