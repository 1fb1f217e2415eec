package contract_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"path"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"

	"github.com/mailyard/mailyard/schemas"
	"github.com/mailyard/mailyard/schemas/cloudevents"
	"github.com/mailyard/mailyard/schemas/contract"
)

// examples returns the names and contents of an event's examples whose names
// begin with prefix.
func examples(t *testing.T, event schemas.EventInfo, prefix string) map[string][]byte {
	t.Helper()
	dir := strings.TrimSuffix(event.File(), ".json")
	names, err := fs.Glob(schemas.EventFiles, dir+"/"+prefix+"*.json")
	if err != nil || len(names) < 2 {
		t.Fatalf("%s has %d %s* examples (%v), want at least 2", dir, len(names), prefix, err)
	}
	found := map[string][]byte{}
	for _, name := range names {
		raw, err := schemas.EventFiles.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		found[strings.TrimSuffix(path.Base(name), ".json")] = raw
	}
	return found
}

func TestValidExamplesAreValid(t *testing.T) {
	t.Parallel()
	for _, event := range schemas.Events() {
		for name, raw := range examples(t, event, "valid-") {
			if err := contract.ValidateStructured(raw); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

// An invalid example is named invalid-<keyword>-<path of the property>.
func TestInvalidExamplesFailForTheReasonInTheirName(t *testing.T) {
	t.Parallel()
	for _, event := range schemas.Events() {
		for name, raw := range examples(t, event, "invalid-") {
			t.Run(event.Type+"/"+name, func(t *testing.T) {
				t.Parallel()
				err := contract.ValidateStructured(raw)
				var invalid *jsonschema.ValidationError
				if !errors.As(err, &invalid) {
					t.Fatalf("the example is accepted, or refused for no reason of the schema: %v", err)
				}
				if got := reasons(invalid); !slices.Equal(got, []string{name}) {
					t.Errorf("refused as %v", got)
				}
			})
		}
	}
}

// reasons returns the leaves of an error as names of examples.
func reasons(e *jsonschema.ValidationError) []string {
	if len(e.Causes) > 0 {
		var all []string
		for _, cause := range e.Causes {
			all = append(all, reasons(cause)...)
		}
		return all
	}
	at := e.InstanceLocation
	var properties []string
	keyword := ""
	switch k := e.ErrorKind.(type) {
	case *kind.Required:
		properties = k.Missing
	case *kind.AdditionalProperties:
		properties = k.Properties
	case *kind.FalseSchema:
		keyword = "false"
	}
	if keyword == "" {
		keyword = e.ErrorKind.KeywordPath()[0]
	}
	if properties == nil {
		return []string{"invalid-" + keyword + "-" + strings.Join(at, ".")}
	}
	var all []string
	for _, property := range properties {
		all = append(all, "invalid-"+keyword+"-"+strings.Join(append(slices.Clone(at), property), "."))
	}
	return all
}

// An example is read into the Go type, encoded as a message, decoded, and
// rendered again: nothing may be lost on the way.
func TestValidExamplesSurviveTheWayThroughGo(t *testing.T) {
	t.Parallel()
	for _, event := range schemas.Events() {
		for name, raw := range examples(t, event, "valid-") {
			header, payload := message(t, event, raw)
			again := event.New()
			if err := cloudevents.Decode(header, payload, again); err != nil {
				t.Errorf("%s %s: %v", event.Type, name, err)
				continue
			}
			if header, payload, err := cloudevents.Encode(again); err != nil {
				t.Errorf("%s %s: %v", event.Type, name, err)
			} else if rendered, err := cloudevents.Structured(header, payload); err != nil || !equalJSON(t, rendered, raw) {
				t.Errorf("%s %s became %s, %v", event.Type, name, rendered, err)
			}
		}
	}
}

// message returns the message that an example is the rendering of.
func message(t *testing.T, event schemas.EventInfo, raw []byte) (header map[string][]string, payload []byte) {
	t.Helper()
	value := event.New()
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(value); err != nil {
		t.Fatalf("%s: %v", event.Type, err)
	}
	header, payload, err := cloudevents.Encode(value)
	if err != nil {
		t.Fatalf("%s: %v", event.Type, err)
	}
	if err := contract.Validate(header, payload); err != nil {
		t.Fatal(err)
	}
	return header, payload
}

func equalJSON(t *testing.T, a, b []byte) bool {
	t.Helper()
	var docs [2]any
	for i, raw := range [][]byte{a, b} {
		d := json.NewDecoder(bytes.NewReader(raw))
		d.UseNumber()
		if err := d.Decode(&docs[i]); err != nil {
			t.Fatalf("%v in %s", err, raw)
		}
	}
	return reflect.DeepEqual(docs[0], docs[1])
}
