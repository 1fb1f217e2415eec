package config_test

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

	"github.com/mailyard/mailyard/schemas/config"
)

// documents returns, by the name of its schema, each kind of document with all
// its defaults.
func documents() map[string]any {
	return map[string]any{"tenant": config.DefaultTenant(), "folder": config.Folder{}, "mailbox": config.DefaultMailbox()}
}

func schemaOf(t *testing.T, name string) map[string]any {
	t.Helper()
	raw, err := config.Files.ReadFile(name + ".json")
	if err != nil {
		t.Fatal(err)
	}
	var doc map[string]any
	if err := json.Unmarshal(raw, &doc); err != nil {
		t.Fatal(err)
	}
	return doc
}

func compiled(t *testing.T, name string) *jsonschema.Schema {
	t.Helper()
	doc := schemaOf(t, name)
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource(doc["$id"].(string), doc); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile(doc["$id"].(string))
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

func TestSchemasSayWhatTheyAre(t *testing.T) {
	t.Parallel()
	for name := range documents() {
		doc := schemaOf(t, name)
		if doc["title"] != name || doc["$id"] != "https://github.com/mailyard/mailyard/schemas/config/"+name+".json" || doc["$schema"] != "https://json-schema.org/draft/2020-12/schema" {
			t.Errorf("%s.json is %v, %v, %v", name, doc["title"], doc["$id"], doc["$schema"])
		}
	}
}

// Every key of the Go types is in the schemas and the other way round, of the
// same type, bounded and described; and what an administrator may leave out has
// the default that Go gives it.
func TestSchemasAreTheDocumentsOfGo(t *testing.T) {
	t.Parallel()
	for name, document := range documents() {
		compareObject(t, name, schemaOf(t, name), reflect.ValueOf(document))
	}
}

func compareObject(t *testing.T, at string, schema map[string]any, document reflect.Value) {
	t.Helper()
	if schema["type"] != "object" || schema["additionalProperties"] != false {
		t.Errorf("%s does not refuse unknown keys", at)
	}
	properties := schema["properties"].(map[string]any)
	required, _ := schema["required"].([]any)
	known := map[string]bool{}
	for _, field := range reflect.VisibleFields(document.Type()) {
		key, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		known[key] = true
		property, ok := properties[key].(map[string]any)
		if !ok {
			t.Errorf("%s.%s is not in the schema", at, key)
			continue
		}
		compareProperty(t, at+"."+key, property, document.FieldByIndex(field.Index), slices.Contains(required, any(key)))
	}
	for key, property := range properties {
		if writeOnly := property.(map[string]any)["writeOnly"] == true; known[key] == writeOnly {
			t.Errorf("%s.%s: in Go: %v, write-only: %v", at, key, known[key], writeOnly)
		}
	}
}

func compareProperty(t *testing.T, at string, schema map[string]any, value reflect.Value, required bool) {
	t.Helper()
	if schema["description"] == nil {
		t.Errorf("%s is not described", at)
	}
	want := map[reflect.Kind]string{
		reflect.String: "string", reflect.Bool: "boolean", reflect.Int: "integer", reflect.Int64: "integer", reflect.Slice: "array", reflect.Struct: "object",
	}[value.Kind()]
	if schema["type"] != want {
		t.Errorf("%s is %v in the schema, %s in Go", at, schema["type"], want)
	}
	bounds := map[string][]string{"string": {"maxLength"}, "integer": {"minimum", "maximum"}, "array": {"items", "maxItems"}}[want]
	for _, keyword := range bounds {
		if schema[keyword] == nil && schema["enum"] == nil {
			t.Errorf("%s has no %s", at, keyword)
		}
	}
	if want == "object" {
		compareObject(t, at, schema, value)
		return
	}
	standard, has := schema["default"]
	if has == required {
		t.Errorf("%s: required: %v, has a default: %v", at, required, has)
	}
	if required || value.Kind() == reflect.Slice && value.Len() == 0 && reflect.DeepEqual(standard, []any{}) {
		return
	}
	raw, err := json.Marshal(value.Interface())
	if err != nil {
		t.Fatal(err)
	}
	var inGo any
	if err := json.Unmarshal(raw, &inGo); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(standard, inGo) {
		t.Errorf("%s: the default is %v in the schema, %v in Go", at, standard, inGo)
	}
}

func TestValidExamplesAreValidAndFitTheGoTypes(t *testing.T) {
	t.Parallel()
	for name, document := range documents() {
		schema := compiled(t, name)
		for file, raw := range examples(t, name, "valid-") {
			if err := schema.Validate(instance(t, raw)); err != nil {
				t.Errorf("%s: %v", file, err)
			}
			raw = withoutWriteOnly(t, name, raw)
			d := json.NewDecoder(bytes.NewReader(raw))
			d.DisallowUnknownFields()
			if err := d.Decode(reflect.New(reflect.TypeOf(document)).Interface()); err != nil {
				t.Errorf("%s: %v", file, err)
			}
		}
	}
}

// withoutWriteOnly removes what is taken out of a document before it is read.
func withoutWriteOnly(t *testing.T, name string, raw []byte) []byte {
	t.Helper()
	var doc map[string]any
	if err := json.Unmarshal(raw, &doc); err != nil {
		t.Fatal(err)
	}
	for key, property := range schemaOf(t, name)["properties"].(map[string]any) {
		if property.(map[string]any)["writeOnly"] == true {
			delete(doc, key)
		}
	}
	raw, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// An invalid example is named invalid-<keyword>-<path of the property>.
func TestInvalidExamplesFailForTheReasonInTheirName(t *testing.T) {
	t.Parallel()
	for name := range documents() {
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

// What Go writes, a whole document, is valid too.
func TestDocumentsOfGoAreValid(t *testing.T) {
	t.Parallel()
	tenant := config.DefaultTenant()
	tenant.ID, tenant.Name = "acme", "Acme"
	mailbox := config.DefaultMailbox()
	mailbox.Tenant, mailbox.ID, mailbox.Name, mailbox.IMAP.Host, mailbox.Folders = "acme", "inbound", "Inbound", "imap.acme.example", []string{}
	for name, document := range map[string]any{
		"tenant": tenant, "mailbox": mailbox,
		"folder": config.Folder{Tenant: "acme", ID: "support", Name: "Support", Address: "support@acme.example"},
	} {
		raw, err := json.Marshal(document)
		if err != nil {
			t.Fatal(err)
		}
		if err := compiled(t, name).Validate(instance(t, raw)); err != nil {
			t.Errorf("%s: %v", raw, err)
		}
	}
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
	case *kind.Not:
		return []string{"invalid-not-" + strings.Join(at, ".")}
	}
	return []string{"invalid-" + e.ErrorKind.KeywordPath()[0] + "-" + strings.Join(at, ".")}
}
