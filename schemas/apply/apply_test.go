package apply_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"

	"github.com/mailyard/mailyard/schemas/apply"
)

// messages are the Go types by the names of their schemas.
func messages() map[string]func() any {
	return map[string]func() any{
		"request": func() any { return new(apply.Request) },
		"answer":  func() any { return new(apply.Answer) },
	}
}

func compiled(t *testing.T, name string) *jsonschema.Schema {
	t.Helper()
	raw, err := apply.Files.ReadFile(name + ".json")
	if err != nil {
		t.Fatal(err)
	}
	id := "https://github.com/mailyard/mailyard/schemas/apply/" + name + ".json"
	c := jsonschema.NewCompiler()
	if err := c.AddResource(id, instance(t, raw)); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile(id)
	if err != nil {
		t.Fatal(err)
	}
	if schema.ID != id || schema.Title != name {
		t.Errorf("%s.json calls itself %s, %s", name, schema.Title, schema.ID)
	}
	return schema
}

func instance(t *testing.T, raw []byte) any {
	t.Helper()
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func examples(t *testing.T, name, prefix string) map[string][]byte {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(name, prefix+"*.json"))
	if err != nil || len(files) < 2 {
		t.Fatalf("%s has %d %s* examples (%v), want at least 2", name, len(files), prefix, err)
	}
	found := map[string][]byte{}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		found[strings.TrimSuffix(filepath.Base(file), ".json")] = raw
	}
	return found
}

// Nothing of a valid example is lost on its way through Go.
func TestValidExamplesAreValidAndSurviveGo(t *testing.T) {
	t.Parallel()
	for name, fresh := range messages() {
		schema := compiled(t, name)
		for file, raw := range examples(t, name, "valid-") {
			if err := schema.Validate(instance(t, raw)); err != nil {
				t.Errorf("%s/%s: %v", name, file, err)
			}
			message := fresh()
			d := json.NewDecoder(bytes.NewReader(raw))
			d.DisallowUnknownFields()
			if err := d.Decode(message); err != nil {
				t.Errorf("%s/%s: %v", name, file, err)
			}
			again, err := json.Marshal(message)
			if err != nil || !reflect.DeepEqual(instance(t, again), instance(t, raw)) {
				t.Errorf("%s/%s became %s, %v", name, file, again, err)
			}
		}
	}
}

// An invalid example is named invalid-<keyword>-<path of the property>.
func TestInvalidExamplesFailForTheReasonInTheirName(t *testing.T) {
	t.Parallel()
	for name := range messages() {
		schema := compiled(t, name)
		for file, raw := range examples(t, name, "invalid-") {
			var invalid *jsonschema.ValidationError
			if err := schema.Validate(instance(t, raw)); !errors.As(err, &invalid) {
				t.Errorf("%s/%s is accepted", name, file)
			} else if got := reasons(invalid); !slices.Equal(got, []string{file}) {
				t.Errorf("%s/%s is refused as %v", name, file, got)
			}
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
	at := slices.Clone(e.InstanceLocation)
	switch k := e.ErrorKind.(type) {
	case *kind.Required:
		at = append(at, k.Missing...)
	case *kind.AdditionalProperties:
		at = append(at, k.Properties...)
	}
	return []string{"invalid-" + e.ErrorKind.KeywordPath()[0] + "-" + strings.Join(at, ".")}
}
