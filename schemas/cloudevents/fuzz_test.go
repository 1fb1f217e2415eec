package cloudevents_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/mailyard/mailyard/schemas"
	"github.com/mailyard/mailyard/schemas/cloudevents"
)

// headerOf reads lines of "name: value", as a fuzzer writes them.
func headerOf(text string) map[string][]string {
	header := map[string][]string{}
	for line := range strings.SplitSeq(text, "\n") {
		if name, value, ok := strings.Cut(line, ": "); ok {
			header[name] = append(header[name], value)
		}
	}
	return header
}

func addSeeds(f *testing.F) {
	f.Helper()
	for _, event := range []any{
		fetched(20),
		schemas.MailClassified{Attributes: fetched(1).Attributes, MailAttributes: fetched(1).MailAttributes, Data: schemas.ClassifiedMail{Mail: []byte("a: b\r\n")}},
		schemas.MailDead{Attributes: schemas.Attributes{DataContentType: schemas.ContentNATS}, Error: "Größe", Data: schemas.NATSMessage{Header: map[string][]string{"a": {"b"}}}},
		schemas.MailDispose{Attributes: schemas.Attributes{DataContentType: schemas.ContentJSON}, Data: schemas.Dispose{UIDs: []uint32{1}}},
	} {
		header, payload, err := cloudevents.Encode(event)
		if err != nil {
			f.Fatal(err)
		}
		var text strings.Builder
		for name, values := range header {
			text.WriteString(name + ": " + values[0] + "\n")
		}
		f.Add(text.String(), payload)
	}
	f.Add("ce-id: \"%22\nCE-ID: %\nce-: x", []byte("{}\n"))
}

// Whatever arrives, Decode does not panic, and what it accepts survives another
// round trip.
func FuzzDecode(f *testing.F) {
	addSeeds(f)
	f.Fuzz(func(t *testing.T, text string, payload []byte) {
		header := headerOf(text)
		for _, info := range schemas.Events() {
			event, again := info.New(), info.New()
			if cloudevents.Decode(header, payload, event) != nil {
				continue
			}
			h, p, err := cloudevents.Encode(event)
			if err != nil {
				continue // a year that RFC 3339 has no room for, once it is in UTC
			}
			if err := cloudevents.Decode(h, p, again); err != nil {
				t.Fatalf("%s: %v", info.Type, err)
			}
			a, errA := json.Marshal(event)
			b, errB := json.Marshal(again)
			if (errA == nil) != (errB == nil) || !reflect.DeepEqual(a, b) {
				t.Errorf("%s: %s became %s", info.Type, a, b)
			}
		}
	})
}

// Whatever arrives, Structured does not panic, and what it gives is JSON with
// the attributes of the message.
func FuzzStructured(f *testing.F) {
	addSeeds(f)
	f.Fuzz(func(t *testing.T, text string, payload []byte) {
		header := headerOf(text)
		raw, err := cloudevents.Structured(header, payload)
		if err != nil {
			return
		}
		var doc map[string]any
		if err := json.Unmarshal(raw, &doc); err != nil {
			t.Fatalf("%v in %s", err, raw)
		}
		if id, _ := doc["id"].(string); id != cloudevents.Attribute(header, "id") {
			t.Errorf("id = %q in %s", id, raw)
		}
	})
}
