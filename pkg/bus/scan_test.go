package bus_test

import (
	"testing"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/mailyard/mailyard/pkg/bus/bustest"
	"github.com/mailyard/mailyard/schemas"
)

// A list that lacks letters must not pass for a whole one.
func testScanIncomplete(t *testing.T, srv *bustest.Server) {
	ctx := testContext(t)
	c := srv.Connect(t, "test", nil)
	for range 3 {
		check(t, c.Publish(ctx, schemas.SubjectMailboxState(schemas.StatusLive, tenant, mailbox), stateEvent(tenant, mailbox, schemas.StatusLive, 0), ""))
	}
	stream := must(c.JetStream().Stream(ctx, schemas.StreamEvents))(t)
	read := 0
	count := func(jetstream.Msg) { read++ }
	check(t, c.Scan(ctx, stream, func() {}, count))
	if read != 3 {
		t.Fatalf("%d messages were read; want 3", read)
	}
	lost := func() { // the server sent one, and it did not come
		for name := range stream.ConsumerNames(ctx).Name() {
			if consumer, err := stream.Consumer(ctx, name); err == nil && name != "persister-disposed" {
				must(consumer.Next())(t)
			}
		}
	}
	if err := c.Scan(ctx, stream, lost, count); err == nil {
		t.Error("a scan of which a message was lost ended well")
	}
}
