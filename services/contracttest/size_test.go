package contracttest

import (
	"bytes"
	"net/http"
	"testing"

	"github.com/mailyard/mailyard/pkg/bus"
	"github.com/mailyard/mailyard/schemas"
	"github.com/mailyard/mailyard/schemas/cloudevents"
)

// A mail that is inline, with the longest decision, fits in its stream, and in
// the dead letter that has its headers in the payload.
func TestTheLargestClassifiedMailFits(t *testing.T) {
	t.Parallel()
	const largest = schemas.MaxDecision + len("\n") + schemas.MaxInline
	var event schemas.MailClassified
	event.DataContentType, event.Type = schemas.ContentDecision, schemas.TypeMailClassified
	header, _, err := cloudevents.Encode(event)
	if err != nil {
		t.Fatal(err)
	}
	var wire bytes.Buffer
	if err := http.Header(header).Write(&wire); err != nil {
		t.Fatal(err)
	}
	// Attributes of a mail event have less than 2,000 octets in all.
	headers := wire.Len() + 2_000
	if letter := len("NATS/1.0\r\n\r\n") + headers + largest; letter > bus.MaxPayload {
		t.Errorf("the dead letter may have %d octets, %d fit", letter, bus.MaxPayload)
	}
	streams := readStreams(t)
	for _, lane := range schemas.Lanes {
		for _, name := range []string{schemas.FetchedStream(lane), schemas.ClassifiedStream(lane)} {
			if got := int(streams[name].MaxMsgSize); got < bus.MaxPayload+headers {
				t.Errorf("%s takes %d octets, a message may have %d", name, got, bus.MaxPayload+headers)
			}
		}
	}
}
