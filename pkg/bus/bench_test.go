package bus_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/mailyard/mailyard/pkg/bus"
	"github.com/mailyard/mailyard/pkg/bus/bustest"
	"github.com/mailyard/mailyard/schemas"
	"github.com/mailyard/mailyard/schemas/cloudevents"
)

var benchBody = strings.Repeat("x", 5000)

// BenchmarkPublishAsync publishes 5 KB mails; the raw client is the yardstick.
func BenchmarkPublishAsync(b *testing.B) {
	var ours, raw float64
	b.Run("raw", func(b *testing.B) { raw = benchRaw(b) })
	b.Run("bus", func(b *testing.B) {
		ours = benchBus(b)
		if raw > 0 {
			b.ReportMetric(ours/raw, "of-raw")
		}
	})
}

func benchBus(b *testing.B) float64 {
	srv := bustest.Start(b)
	c := srv.Connect(b, "bench", nil)
	ctx := context.Background()
	pending := make([]*bus.Pending, 0, b.N)
	event := fetched(1, benchBody)
	b.ResetTimer()
	for i := range b.N {
		pending = append(pending, must(c.PublishAsync(ctx, fetchedSubject, event, fmt.Sprint("f:", i)))(b))
	}
	for _, p := range pending {
		if err := p.Wait(ctx); err != nil {
			b.Fatal(err)
		}
	}
	return rate(b)
}

func benchRaw(b *testing.B) float64 {
	srv := bustest.Start(b)
	c := srv.Connect(b, "bench", nil)
	js := must(jetstream.New(c.NATS(), jetstream.WithPublishAsyncMaxPending(256)))(b)
	header, payload, err := cloudevents.Encode(fetched(1, benchBody))
	if err != nil {
		b.Fatal(err)
	}
	b.ResetTimer()
	for i := range b.N {
		msg := &nats.Msg{Subject: fetchedSubject, Data: payload, Header: nats.Header{}}
		for k, v := range header {
			msg.Header[k] = v
		}
		msg.Header.Set(jetstream.MsgIDHeader, fmt.Sprint("f:", i))
		must(js.PublishMsgAsync(msg, jetstream.WithStallWait(patience)))(b)
	}
	<-js.PublishAsyncComplete()
	return rate(b)
}

func rate(b *testing.B) float64 {
	r := float64(b.N) / b.Elapsed().Seconds()
	b.ReportMetric(r, "msg/s")
	return r
}

// BenchmarkConsume receives and acks 5 KB mails.
func BenchmarkConsume(b *testing.B) {
	srv := bustest.Start(b)
	c := srv.Connect(b, "bench", nil)
	ctx := context.Background()
	s := must(c.Subscribe(ctx, classifierSource))(b)
	defer s.Stop()
	event := fetched(1, benchBody)
	b.ResetTimer()
	go func() {
		for i := range b.N {
			if _, err := c.PublishAsync(ctx, fetchedSubject, event, fmt.Sprint("f:", i)); err != nil {
				b.Error(err)
			}
		}
	}()
	for range b.N {
		m := <-s.Messages()
		var e schemas.MailFetched
		if err := m.Decode(&e); err != nil {
			b.Fatal(err)
		}
		if err := m.Ack(); err != nil {
			b.Fatal(err)
		}
	}
	rate(b)
}
