package cloudevents_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/mailyard/mailyard/schemas"
	"github.com/mailyard/mailyard/schemas/cloudevents"
)

// fetched returns a MailFetched with every attribute that light mail has.
func fetched(size int) schemas.MailFetched {
	now := time.Date(2026, 8, 22, 10, 15, 30, 123456789, time.UTC)
	key := schemas.MailKey{Tenant: "acme", Mailbox: "inbound", UIDValidity: 1700000000, UID: 4711}
	return schemas.MailFetched{
		Attributes: schemas.NewAttributes(schemas.TypeMailFetched, key.Source(), key.Subject(), key.ID(), schemas.ContentMail, now),
		MailAttributes: schemas.MailAttributes{
			Tenant: key.Tenant, Mailbox: key.Mailbox, UIDValidity: key.UIDValidity, UID: key.UID,
			Lane: schemas.Light, Size: int64(size), SHA256: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
			InternalDate: now, FetchedAt: now, Generation: now.UnixMilli(),
		},
		Mail: bytes.Repeat([]byte("mail\r\n"), size/6+1)[:size],
	}
}

// BenchmarkFetched compares the way that every mail takes twice, Encode and
// Decode, with the JSON format (encoding/json and base64). With both, it
// reports how many times faster Encode and Decode are.
func BenchmarkFetched(b *testing.B) {
	for _, size := range []int{5_000, 200_000} {
		event := fetched(size)
		b.Run(fmt.Sprintf("binary-%d", size), func(b *testing.B) {
			for b.Loop() {
				binaryRoundTrip(b, event)
			}
		})
		b.Run(fmt.Sprintf("json-%d", size), func(b *testing.B) {
			for b.Loop() {
				jsonRoundTrip(b, event)
			}
		})
		b.Run(fmt.Sprintf("ratio-%d", size), func(b *testing.B) {
			var binary, structured time.Duration
			for b.Loop() {
				start := time.Now()
				binaryRoundTrip(b, event)
				middle := time.Now()
				jsonRoundTrip(b, event)
				binary += middle.Sub(start)
				structured += time.Since(middle)
			}
			b.ReportMetric(float64(structured)/float64(binary), "times-faster")
		})
	}
}

func binaryRoundTrip(tb testing.TB, event schemas.MailFetched) {
	header, payload, err := cloudevents.Encode(&event)
	if err != nil {
		tb.Fatal(err)
	}
	var out schemas.MailFetched
	if err := cloudevents.Decode(header, payload, &out); err != nil {
		tb.Fatal(err)
	}
}

func jsonRoundTrip(tb testing.TB, event schemas.MailFetched) {
	raw, err := json.Marshal(&event)
	if err != nil {
		tb.Fatal(err)
	}
	var out schemas.MailFetched
	if err := json.Unmarshal(raw, &out); err != nil {
		tb.Fatal(err)
	}
}
