package contract_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/mailyard/mailyard/schemas"
)

// The closed lists of package schemas are the enums of the schemas: a schema
// names no value that Go does not know, and every value of Go is in a schema.
func TestEnumsAreTheConstantsOfGo(t *testing.T) {
	t.Parallel()
	constants := constantsByType(t, "..")
	found := map[string]map[string]bool{}
	for _, event := range schemas.Events() {
		enums(t, reflect.TypeOf(event.New()).Elem(), document(t, event), func(goType, value string) {
			if !slices.Contains(constants[goType], value) {
				t.Errorf("%s: %q is no %s", event.File(), value, goType)
			}
			if found[goType] == nil {
				found[goType] = map[string]bool{}
			}
			found[goType][value] = true
		})
	}
	for goType, values := range constants {
		if got := slices.Sorted(maps.Keys(found[goType])); !slices.Equal(got, values) {
			t.Errorf("the schemas have %v for %s, Go has %v", got, goType, values)
		}
	}
}

func TestParametersOfSubjectsAreTheConstantsOfGo(t *testing.T) {
	t.Parallel()
	constants := constantsByType(t, "..")
	parameters := readMap(t).Components.Parameters
	for parameter, goType := range map[string]string{"lane": "Lane", "stage": "Stage", "status": "MailboxStatus"} {
		compare(t, "values of "+parameter, parameters[parameter].Enum, constants[goType])
	}
	compare(t, "kinds", readMap(t).Channels["configChanged"].Parameters["kind"].Enum, constants["Kind"])
}

// enums reports each value of each enum that describes a field of a named
// string type.
func enums(t *testing.T, goType reflect.Type, schema map[string]any, report func(goType, value string)) {
	t.Helper()
	for goType.Kind() == reflect.Slice || goType.Kind() == reflect.Pointer {
		goType = goType.Elem()
	}
	if items, ok := schema["items"].(map[string]any); ok {
		schema = items
	}
	switch {
	case goType.Kind() == reflect.String && goType.Name() != "string":
		values, ok := schema["enum"].([]any)
		if !ok {
			t.Errorf("a %s is described without an enum: %v", goType, schema)
		}
		for _, value := range values {
			report(goType.Name(), value.(string))
		}
	case goType.Kind() == reflect.Struct:
		for _, field := range reflect.VisibleFields(goType) {
			name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
			if property := properties(schema)[name]; property != nil {
				enums(t, field.Type, property, report)
			}
		}
	}
}

// constantsByType returns the values of the typed string constants of a
// package, sorted.
func constantsByType(t *testing.T, dir string) map[string][]string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	values := map[string][]string{}
	for _, name := range names {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok || len(spec.Values) != 1 {
				return true
			}
			typeName, named := spec.Type.(*ast.Ident)
			literal, isLiteral := spec.Values[0].(*ast.BasicLit)
			if named && isLiteral && literal.Kind == token.STRING {
				value, err := strconv.Unquote(literal.Value)
				if err != nil {
					t.Fatal(err)
				}
				values[typeName.Name] = append(values[typeName.Name], value)
			}
			return true
		})
	}
	for _, list := range values {
		slices.Sort(list)
	}
	if len(values["MailboxStatus"]) < 10 || len(values["Lane"]) != 2 {
		t.Fatalf("the constants of package schemas were not found: %v", values)
	}
	return values
}
