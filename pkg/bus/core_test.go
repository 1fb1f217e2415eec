package bus_test

import (
	"bytes"
	"context"
	"testing"
	"time"

	"github.com/mailyard/mailyard/pkg/bus"
	"github.com/mailyard/mailyard/pkg/bus/bustest"
	"github.com/mailyard/mailyard/schemas"
)

func TestCore(t *testing.T) {
	srv := bustest.Start(t)
	c := srv.Connect(t, "test", nil)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := c.Provision(ctx, srv.Topology()); err != nil {
		t.Fatal(err)
	}
	f := schemas.MailFetched{Attributes: schemas.Attributes{SpecVersion: "1.0", ID: "x", Type: schemas.TypeMailFetched, Time: time.Now()}, MailAttributes: schemas.MailAttributes{Tenant: "t", Mailbox: "m", UIDValidity: 1, UID: 2}, Mail: bytes.Repeat([]byte("x"), 5000)}
	if err := c.Publish(ctx, schemas.SubjectFetched(schemas.Light, "t", "m"), f, "f:1"); err != nil {
		t.Fatal(err)
	}
	s, err := c.Subscribe(ctx, bus.Source{Stage: schemas.StageClassifier, Stream: schemas.StreamFetchedLight, Durable: "classifier-light"})
	if err != nil {
		t.Fatal(err)
	}
	m := <-s.Messages()
	var g schemas.MailFetched
	if err := m.Decode(&g); err != nil {
		t.Fatal(err)
	}
	t.Log(m.Subject(), m.Deliveries(), g.Key())
	s.Stop()
	if err := m.Ack(); err != nil {
		t.Fatal(err)
	}
}
