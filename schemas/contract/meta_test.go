package contract_test

import (
	"io/fs"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/mailyard/mailyard/schemas"
	"github.com/mailyard/mailyard/schemas/contract"
)

func document(t *testing.T, event schemas.EventInfo) map[string]any {
	t.Helper()
	doc, err := contract.Document(event)
	if err != nil {
		t.Fatal(err)
	}
	return doc.(map[string]any)
}

func TestEverySchemaBelongsToAnEventAndEveryEventHasOne(t *testing.T) {
	t.Parallel()
	files, err := fs.Glob(schemas.EventFiles, "events/*.json")
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, event := range schemas.Events() {
		want = append(want, event.File())
	}
	if slices.Sort(want); !slices.Equal(files, want) {
		t.Errorf("schemas are %v, events want %v", files, want)
	}
}

func TestSchemasSayWhatTheyAre(t *testing.T) {
	t.Parallel()
	for _, event := range schemas.Events() {
		doc := document(t, event)
		for keyword, want := range map[string]any{
			"$schema": "https://json-schema.org/draft/2020-12/schema",
			"$id":     event.DataSchema,
			"title":   event.Type,
			"type":    "object",
		} {
			if doc[keyword] != want {
				t.Errorf("%s: %s is %v, want %v", event.File(), keyword, doc[keyword], want)
			}
		}
		c := jsonschema.NewCompiler()
		if err := c.AddResource(event.DataSchema, doc); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Compile(event.DataSchema); err != nil {
			t.Errorf("%s is not a JSON Schema 2020-12: %v", event.File(), err)
		}
	}
}

func TestSchemasDescribeAndBoundEverything(t *testing.T) {
	t.Parallel()
	for _, event := range schemas.Events() {
		for _, problem := range incomplete(document(t, event), event.Type) {
			t.Error(problem)
		}
	}
}

// incomplete returns what a schema leaves open.
func incomplete(schema map[string]any, at string) []string {
	var problems []string
	want := func(keywords ...string) {
		for _, keyword := range keywords {
			if _, ok := schema[keyword]; !ok {
				problems = append(problems, at+" has no "+keyword)
			}
		}
	}
	want("type", "description")
	switch schema["type"] {
	case "string":
		if schema["const"] == nil && schema["enum"] == nil {
			want("maxLength")
		}
		if pattern, ok := schema["pattern"].(string); ok && (!strings.HasPrefix(pattern, "^") || !strings.HasSuffix(pattern, "$")) {
			problems = append(problems, at+" has a pattern that is not anchored")
		}
	case "integer":
		want("minimum", "maximum")
	case "array":
		want("items", "maxItems")
		if items, ok := schema["items"].(map[string]any); ok {
			problems = append(problems, incomplete(items, at+"[]")...)
		}
	case "object":
		if schema["additionalProperties"] == false {
			problems = append(problems, at+" refuses unknown properties: receivers would break when one is added")
		}
		values, isMap := schema["additionalProperties"].(map[string]any)
		if isMap {
			want("maxProperties", "propertyNames")
			problems = append(problems, incomplete(values, at+".*")...)
			break
		}
		want("properties", "required")
		for name, property := range properties(schema) {
			problems = append(problems, incomplete(property, at+"."+name)...)
		}
	}
	slices.Sort(problems)
	return problems
}

func properties(schema map[string]any) map[string]map[string]any {
	found := map[string]map[string]any{}
	all, _ := schema["properties"].(map[string]any)
	for name, property := range all {
		found[name], _ = property.(map[string]any)
	}
	return found
}

func TestIncompleteSchemasAreNoticed(t *testing.T) {
	t.Parallel()
	schema := map[string]any{"type": "object", "description": "d", "required": []any{}, "properties": map[string]any{
		"a": map[string]any{"type": "string", "description": "d", "pattern": "x"},
		"b": map[string]any{"type": "integer", "minimum": 1.0},
		"c": map[string]any{"type": "array", "description": "d", "items": map[string]any{"type": "object", "description": "d", "additionalProperties": false}},
	}}
	want := []string{
		"e.a has a pattern that is not anchored", "e.a has no maxLength", "e.b has no description", "e.b has no maximum", "e.c has no maxItems",
		"e.c[] has no properties", "e.c[] has no required", "e.c[] refuses unknown properties: receivers would break when one is added",
	}
	if got := incomplete(schema, "e"); !slices.Equal(got, want) {
		t.Errorf("problems are %q, want %q", got, want)
	}
}

// What is called the same means the same in every event.
func TestAttributesAreTheSameEverywhere(t *testing.T) {
	t.Parallel()
	first := map[string]any{}
	check := func(event schemas.EventInfo, all map[string]map[string]any, names ...string) {
		for _, name := range names {
			if all[name] == nil {
				continue
			}
			if first[name] == nil {
				first[name] = all[name]
			}
			if !reflect.DeepEqual(any(all[name]), first[name]) {
				t.Errorf("%s describes %s otherwise than the events before it", event.Type, name)
			}
		}
	}
	for _, event := range schemas.Events() {
		attributes := properties(document(t, event))
		check(event, attributes, "specversion", "id", "time", "traceparent", "tenant", "mailbox")
		check(event, properties(attributes["data"]), "tenant", "mailbox")
	}
	if len(first) != 6 {
		t.Errorf("only %v were found", slices.Sorted(maps.Keys(first)))
	}
}
