package contracttest

import (
	"context"
	"errors"
	"testing"
	"time"

	"go.uber.org/zap/zaptest"

	"github.com/mailyard/mailyard/pkg/bus"
	"github.com/mailyard/mailyard/pkg/bus/bustest"
	"github.com/mailyard/mailyard/pkg/fault"
	"github.com/mailyard/mailyard/schemas"
	"github.com/mailyard/mailyard/schemas/contract"
)

// Retries, dead letters and parked events are made by the bus for every stage:
// whatever message is given up, they keep the contract.
func TestWhatTheBusSendsKeepsTheContract(t *testing.T) {
	t.Parallel()
	server := bustest.Start(t)
	conn := server.Connect(t, "contract", zaptest.NewLogger(t))
	tap := bustest.Tap(t, conn, contract.Validate)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()

	now := time.Now()
	key := schemas.MailKey{Tenant: "acme", Mailbox: "inbound", UIDValidity: 1700000000, UID: 4711}
	attributes := func(eventType, contentType string) schemas.Attributes {
		return schemas.NewAttributes(eventType, key.Source(), key.Subject(), key.ID(), contentType, now)
	}
	for _, c := range []struct {
		stage           schemas.Stage
		stream, durable string
		subject         string
		event           any
	}{
		{
			schemas.StageClassifier, schemas.StreamFetchedLight, bus.Durable(schemas.StageClassifier, schemas.Light),
			schemas.SubjectFetched(schemas.Light, key.Tenant, key.Mailbox),
			schemas.MailFetched{Attributes: attributes(schemas.TypeMailFetched, schemas.ContentMail), MailAttributes: schemas.MailAttributes{
				Tenant: key.Tenant, Mailbox: key.Mailbox, UIDValidity: key.UIDValidity, UID: key.UID, Lane: schemas.Light, Size: 4,
				SHA256: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", InternalDate: now, FetchedAt: now, Generation: now.UnixMilli(),
			}, Mail: []byte("test")},
		},
		{
			schemas.StagePersister, schemas.StreamEvents, bus.DurablePersisterDisposed,
			schemas.SubjectDisposed(key.Tenant, key.Mailbox),
			schemas.MailDisposed{Attributes: attributes(schemas.TypeMailDisposed, schemas.ContentJSON), Data: schemas.Disposed{
				Tenant: key.Tenant, Mailbox: key.Mailbox, UIDValidity: key.UIDValidity, UIDs: []uint32{4711, 4712},
				Action: schemas.ActionPersisted, Method: "move", Destination: "Done", DisposedAt: now.UTC(),
			}},
		},
	} {
		sub, err := conn.Subscribe(ctx, bus.Source{Stage: c.stage, Stream: c.stream, Durable: c.durable, MaxMessages: 1})
		if err != nil {
			t.Fatal(err)
		}
		for _, outcome := range []error{errors.New("broken: \"Größe\"\r\n"), fault.Permanent(errors.New("broken for good"))} {
			if err := conn.Publish(ctx, c.subject, c.event, ""); err != nil {
				t.Fatal(err)
			}
			select {
			case m := <-sub.Messages():
				if err := m.Settle(ctx, outcome); err != nil {
					t.Error(err)
				}
			case <-ctx.Done():
				t.Fatalf("%s: no message came", c.durable)
			}
		}
		sub.Stop()
	}
	// Two messages of two stages, each published, retried (again of its type)
	// and given up.
	tap.Check(t, schemas.TypeMailFetched, schemas.TypeMailDisposed, schemas.TypeMailDead, schemas.TypeMailParked)
	for eventType, want := range map[string]int{
		schemas.TypeMailFetched: 3, schemas.TypeMailDisposed: 3, schemas.TypeMailDead: 2, schemas.TypeMailParked: 2,
	} {
		if got := tap.Seen()[eventType]; got != want {
			t.Errorf("%d messages of type %s were heard, want %d", got, eventType, want)
		}
	}
}
