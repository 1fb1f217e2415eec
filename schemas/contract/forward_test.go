package contract_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"reflect"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/mailyard/mailyard/schemas"
	"github.com/mailyard/mailyard/schemas/cloudevents"
	"github.com/mailyard/mailyard/schemas/contract"
)

// A later sender may add attributes and properties. Receivers of today read
// its events, and validate them with the published schema; only the strict one,
// for the senders of today, refuses them.
func TestReceiversIgnoreWhatIsAddedLater(t *testing.T) {
	t.Parallel()
	c := jsonschema.NewCompiler()
	for _, event := range schemas.Events() {
		if err := c.AddResource(event.DataSchema, document(t, event)); err != nil {
			t.Fatal(err)
		}
		published, err := c.Compile(event.DataSchema)
		if err != nil {
			t.Fatal(err)
		}
		for name, raw := range examples(t, event, "valid-") {
			header, payload := message(t, event, raw)
			want := decoded(t, event, header, payload)
			for _, later := range additions(t, header, payload) {
				if got := decoded(t, event, later.header, later.payload); !reflect.DeepEqual(got, want) {
					t.Errorf("%s %s with %s is decoded as %+v", event.Type, name, later.what, got)
				}
				if contract.Validate(later.header, later.payload) == nil {
					t.Errorf("%s %s with %s is accepted from a sender", event.Type, name, later.what)
				}
				doc, err := cloudevents.Structured(later.header, later.payload)
				if err != nil {
					t.Fatal(err)
				}
				instance, err := jsonschema.UnmarshalJSON(bytes.NewReader(doc))
				if err != nil {
					t.Fatal(err)
				}
				if err := published.Validate(instance); err != nil {
					t.Errorf("%s %s with %s: %v", event.Type, name, later.what, err)
				}
			}
		}
	}
}

func decoded(t *testing.T, event schemas.EventInfo, header map[string][]string, payload []byte) any {
	t.Helper()
	value := event.New()
	if err := cloudevents.Decode(header, payload, value); err != nil {
		t.Errorf("%s: %v", event.Type, err)
	}
	return value
}

type addition struct {
	what    string
	header  map[string][]string
	payload []byte
}

// additions returns the message with one thing more in each place where a later
// version may add one.
func additions(t *testing.T, header map[string][]string, payload []byte) []addition {
	t.Helper()
	more := maps.Clone(header)
	more["ce-later"] = []string{"1"}
	all := []addition{{"a further attribute", more, payload}}
	line, mail, framed := bytes.Cut(payload, []byte("\n"))
	var object map[string]any
	if json.Unmarshal(line, &object) != nil {
		return all
	}
	object["later"] = map[string]any{"a": []int{1}}
	extended, err := json.Marshal(object)
	if err != nil {
		t.Fatal(err)
	}
	if framed {
		extended = append(append(extended, '\n'), mail...)
	}
	return append(all, addition{"a further property", header, extended})
}
