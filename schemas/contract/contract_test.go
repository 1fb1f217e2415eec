package contract_test

import (
	"encoding/json"
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"

	"github.com/mailyard/mailyard/schemas"
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

func TestAMessageOfUnknownTypeIsRefused(t *testing.T) {
	t.Parallel()
	for _, header := range []map[string][]string{
		nil,
		{"ce-type": {"mailyard.mail.fetched.v99"}},
		{"ce-type": {""}},
	} {
		if err := contract.Validate(header, nil); !errors.Is(err, contract.ErrUnknownType) {
			t.Errorf("Validate(%v) = %v, want ErrUnknownType", header, err)
		}
	}
}

func TestStrictRefusesUnknownPropertiesAtEveryDepth(t *testing.T) {
	t.Parallel()
	var schema any
	const lenient = `{"properties":{"a":{"items":{"properties":{"b":{}}}},"c":{"additionalProperties":{"properties":{"d":{}}}}},
		"$defs":{"e":{"properties":{"f":{}}}},"allOf":[{"properties":{"g":{}}}]}`
	if err := json.Unmarshal([]byte(lenient), &schema); err != nil {
		t.Fatal(err)
	}
	contract.Strict(schema)
	got, err := json.Marshal(schema)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(got), `"additionalProperties":false`); n != 4 {
		t.Errorf("%d objects refuse what they do not know, want 4 (root, b, d, f): %s", n, got)
	}
}
