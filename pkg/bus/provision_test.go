package bus_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/mailyard/mailyard/pkg/bus"
	"github.com/mailyard/mailyard/pkg/bus/bustest"
	"github.com/mailyard/mailyard/schemas"
)

func testProvisionIsIdempotent(t *testing.T, srv *bustest.Server) {
	logger, logs := observed()
	c := srv.Connect(t, "test", logger)
	ctx := testContext(t)
	check(t, c.Provision(ctx, srv.Topology()))
	if logs.Len() > 0 {
		t.Errorf("provisioning again changed something: %v", logs.All()[0])
	}
	for _, want := range srv.Topology().Streams {
		must(c.JetStream().Stream(ctx, want.Name))(t)
	}
	for _, want := range srv.Topology().Consumers {
		must(c.JetStream().Consumer(ctx, want.Stream, want.Config.Durable))(t)
	}
	for _, b := range []string{schemas.BucketConfig, schemas.BucketControl} {
		must(c.JetStream().KeyValue(ctx, b))(t)
	}
	must(c.JetStream().ObjectStore(ctx, schemas.BucketBlob))(t)
}

func testProvisionUpdates(t *testing.T, srv *bustest.Server) {
	logger, logs := observed()
	c := srv.Connect(t, "test", logger)
	ctx := testContext(t)
	topology := srv.Topology()
	topology.Streams[0].MaxAge = 5 * time.Hour
	topology.Consumers[1].Config.MaxAckPending = 17
	publishFetched(t, c, 1)
	check(t, c.Provision(ctx, topology))
	stream := must(c.JetStream().Stream(ctx, topology.Streams[0].Name))(t).CachedInfo()
	consumer := must(c.JetStream().Consumer(ctx, topology.Consumers[1].Stream, topology.Consumers[1].Config.Durable))(t).CachedInfo()
	if stream.Config.MaxAge != 5*time.Hour || consumer.Config.MaxAckPending != 17 || stream.State.Msgs != 1 {
		t.Errorf("max age %s, max ack pending %d, messages %d; want 5h, 17, 1", stream.Config.MaxAge, consumer.Config.MaxAckPending, stream.State.Msgs)
	}
	var changed []string
	for _, e := range logs.All() {
		changed = append(changed, fmt.Sprint(e.Message, " ", e.ContextMap()["settings"]))
	}
	if diff := cmp.Diff([]string{"stream updated [max_age]", "consumer updated [max_ack_pending]"}, changed); diff != "" {
		t.Errorf("what was changed (-want +got):\n%s", diff)
	}
}

func testProvisionRefuses(t *testing.T, srv *bustest.Server) {
	c := srv.Connect(t, "test", nil)
	ctx := testContext(t)
	topology := srv.Topology()
	topology.Streams[0].Storage = jetstream.MemoryStorage
	if err := c.Provision(ctx, topology); err == nil || !strings.Contains(err.Error(), "storage") || !strings.Contains(err.Error(), topology.Streams[0].Name) {
		t.Errorf("changing the storage of a stream gave %v; want an error that names both", err)
	}
	topology = srv.Topology()
	topology.Streams[0].MaxBytes = 1 << 40
	if err := c.Provision(ctx, topology); err == nil || !strings.Contains(err.Error(), "max_file_store") {
		t.Errorf("asking for more than the server has gave %v; want an error that says what to do", err)
	}
}

func testProvisionRepairs(t *testing.T, srv *bustest.Server) {
	c := srv.Connect(t, "test", nil)
	ctx := testContext(t)
	mine := must(c.JetStream().CreateStream(ctx, jetstream.StreamConfig{Name: "MINE", Subjects: []string{"mine"}}))(t)
	check(t, c.JetStream().DeleteStream(ctx, schemas.StreamDead))
	check(t, c.JetStream().DeleteConsumer(ctx, schemas.StreamRetry, "persister-light"))
	errs := make(chan error, 3)
	for range cap(errs) { // several at once
		go func() { errs <- c.Provision(ctx, srv.Topology()) }()
	}
	for range cap(errs) {
		check(t, <-errs)
	}
	must(c.JetStream().Stream(ctx, schemas.StreamDead))(t)
	must(c.JetStream().Consumer(ctx, schemas.StreamRetry, "persister-light"))(t)
	must(mine.Info(ctx))(t)
}

func testPartitions(t *testing.T, srv *bustest.Server) {
	c := srv.Connect(t, "test", nil)
	ctx := testContext(t)
	for i := range 320 {
		check(t, c.Publish(ctx, schemas.SubjectDispose(tenant, fmt.Sprint("mailbox-", i)), disposal(schemas.ActionPersisted, 1), ""))
	}
	pending := func() (total uint64, each []uint64) {
		for p := range schemas.DisposePartitions {
			consumer := must(c.JetStream().Consumer(ctx, schemas.StreamDispose, bus.DurableDispose(p)))(t)
			n := consumer.CachedInfo().NumPending
			total, each = total+n, append(each, n)
		}
		return total, each
	}
	// The server counts a little later than it acknowledges.
	eventually(t, "the partitions hold all messages", func() bool { total, _ := pending(); return total == 320 })
	_, each := pending()
	if slices.Min(each) < 5 || slices.Max(each) > 50 {
		t.Errorf("of 320 mailboxes the partitions got %d; want about 20 each", each)
	}
}

func testEpoch(t *testing.T, srv *bustest.Server) {
	c := srv.Connect(t, "test", nil)
	epoch := func() string {
		t.Helper()
		var e string
		eventually(t, "the epoch can be read", func() bool {
			ctx, cancel := context.WithTimeout(testContext(t), time.Second)
			defer cancel()
			var err error
			e, err = c.Epoch(ctx)
			return err == nil
		})
		return e
	}
	first := epoch()
	srv.Restart(t)
	if got := epoch(); got != first {
		t.Error("the epoch changed with a restart")
	}
	alter(t, srv, func(s *jetstream.StreamConfig) {
		if s.Name == schemas.StreamRetry {
			s.MaxAge = time.Hour
		}
	}, nil)
	if got := epoch(); got != first {
		t.Error("the epoch changed with a limit")
	}
	check(t, c.JetStream().DeleteStream(testContext(t), schemas.StreamClassifiedLarge))
	if _, err := c.Epoch(testContext(t)); err == nil {
		t.Error("there is an epoch without a stream")
	}
	srv.Provision(t)
	second := epoch()
	if second == first {
		t.Error("the epoch did not change when a stream was made anew")
	}
	srv.Wipe(t)
	srv.Provision(t)
	if third := epoch(); third == second || third == first {
		t.Error("the epoch did not change with a wipe")
	}
}

func TestFit(t *testing.T) {
	t.Parallel()
	whole := bus.DefaultTopology(1)
	for _, total := range []int64{256 << 20, 1 << 30, bus.EmbeddedBytes, 50 << 30} {
		fitted := whole.Fit(total)
		if sum := fitted.Bytes(); sum > total || sum < total*8/10 {
			t.Errorf("fitted to %d bytes, the streams have %d", total, sum)
		}
		for i, s := range fitted.Streams {
			if s.MaxBytes < total/100 && s.MaxBytes < whole.Streams[i].MaxBytes || s.MaxBytes > whole.Streams[i].MaxBytes {
				t.Errorf("fitted to %d bytes, stream %s has %d of %d", total, s.Name, s.MaxBytes, whole.Streams[i].MaxBytes)
			}
		}
	}
	if diff := cmp.Diff(whole, whole.Fit(0)); diff != "" {
		t.Errorf("fitting to nothing in particular changed it:\n%s", diff)
	}
	if diff := cmp.Diff(whole, whole.Fit(whole.Bytes())); diff != "" {
		t.Errorf("what fits was changed:\n%s", diff)
	}
	if whole.Streams[0].MaxBytes != 8<<30 {
		t.Error("Fit changed its receiver")
	}
}

func TestReplicas(t *testing.T) {
	t.Parallel()
	for _, s := range bus.DefaultTopology(3).Streams {
		want := 3
		if s.Name == "OBJ_"+schemas.BucketBlob {
			want = 1
		}
		if s.Replicas != want {
			t.Errorf("stream %s has %d replicas; want %d", s.Name, s.Replicas, want)
		}
	}
}
