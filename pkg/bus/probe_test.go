package bus_test

import (
	"strings"
	"testing"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/mailyard/mailyard/pkg/bus/bustest"
	"github.com/mailyard/mailyard/pkg/fault"
	"github.com/mailyard/mailyard/schemas"
)

const probe = "abcdefghijklmnopqrstuvwxyz"

// What anybody may write into a header field is no test mail, unless it was announced.
func testProbe(t *testing.T, srv *bustest.Server) {
	c := impatient(t, srv)
	ctx := testContext(t)
	unknown := []string{probe, "", "*", ">", "probe." + probe, probe + ".x", probe + "\x00", strings.Repeat("a", 60), strings.ToUpper(probe), "parked.acme.support.7.1"}
	for _, token := range unknown {
		if known, err := c.KnowsProbe(ctx, token); known || err != nil {
			t.Errorf("%q, which nobody announced: %v, %v", token, known, err)
		}
	}
	check(t, c.AnnounceProbe(ctx, probe))
	for _, token := range unknown[1:] {
		if known, err := c.KnowsProbe(ctx, token); known || err != nil {
			t.Errorf("%q beside one that was announced: %v, %v", token, known, err)
		}
		if err := c.AnnounceProbe(ctx, token); err == nil {
			t.Errorf("%q can be announced", token)
		}
	}
	if !must(c.KnowsProbe(ctx, probe))(t) {
		t.Error("what was announced is not known")
	}
	if ttl := last(t, c, "KV_"+schemas.BucketControl, "$KV.CONTROL.probe."+probe).Header.Get(jetstream.MsgTTLHeader); ttl != "720h0m0s" {
		t.Errorf("it is known for %q", ttl)
	}
	check(t, c.JetStream().DeleteKeyValue(ctx, schemas.BucketControl))
	if known, err := c.KnowsProbe(ctx, probe); known || !fault.IsUnavailable(err) {
		t.Errorf("without the bucket: %v, %v; want an error that says to wait", known, err)
	}
}
