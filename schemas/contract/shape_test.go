package contract_test

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"testing"

	inferred "github.com/google/jsonschema-go/jsonschema"

	"github.com/mailyard/mailyard/schemas"
)

// The shape of a type or schema: one line per property, "path type", with "?"
// where it may be absent.
type shape map[string]bool

func (s shape) add(path, kind string, required bool) {
	if !required {
		kind += "?"
	}
	s[path+" "+kind] = true
}

func TestGoTypesHaveTheShapeOfTheirSchemas(t *testing.T) {
	t.Parallel()
	for _, event := range schemas.Events() {
		goType := reflect.TypeOf(event.New()).Elem()
		schema, err := inferred.ForType(goType, &inferred.ForOptions{TypeSchemas: map[reflect.Type]*inferred.Schema{
			reflect.TypeFor[[]byte](): {Type: "string"},
		}})
		if err != nil {
			t.Fatal(err)
		}
		// Attributes travel as text, numbers too.
		for name, property := range schema.Properties {
			if name != "data" {
				property.Type, property.Types = "string", nil
			}
		}
		ofGo, ofSchema := shape{}, shape{}
		goShape(ofGo, schema, "")
		schemaShape(ofSchema, document(t, event), "")
		// Optional in CloudEvents and so in the Go type, but always set here.
		delete(ofGo, ".datacontenttype string?")
		delete(ofSchema, ".datacontenttype string")
		for _, line := range slices.Sorted(maps.Keys(ofGo)) {
			if !ofSchema[line] {
				t.Errorf("%s has %s, %s has not", goType, line, event.File())
			}
		}
		for _, line := range slices.Sorted(maps.Keys(ofSchema)) {
			if !ofGo[line] {
				t.Errorf("%s has %s, %s has not", event.File(), line, goType)
			}
		}
	}
}

func goShape(s shape, schema *inferred.Schema, at string) {
	for name, property := range schema.Properties {
		goProperty(s, property, at+"."+name, slices.Contains(schema.Required, name))
	}
}

func goProperty(s shape, schema *inferred.Schema, at string, required bool) {
	kind := schema.Type
	for _, one := range schema.Types { // null, for slices and pointers, and another one
		if one != "null" {
			kind = one
		}
	}
	s.add(at, kind, required)
	switch {
	case schema.Items != nil:
		goProperty(s, schema.Items, at+"[]", true)
	case len(schema.Properties) > 0:
		goShape(s, schema, at)
	case kind == "object":
		goProperty(s, schema.AdditionalProperties, at+".*", true)
	}
}

func schemaShape(s shape, schema map[string]any, at string) {
	required, _ := schema["required"].([]any)
	for name, property := range properties(schema) {
		schemaProperty(s, property, at+"."+name, slices.Contains(required, any(name)))
	}
}

func schemaProperty(s shape, schema map[string]any, at string, required bool) {
	s.add(at, fmt.Sprint(schema["type"]), required)
	if items, ok := schema["items"].(map[string]any); ok {
		schemaProperty(s, items, at+"[]", true)
	}
	if values, ok := schema["additionalProperties"].(map[string]any); ok {
		schemaProperty(s, values, at+".*", true)
	}
	schemaShape(s, schema, at)
}
