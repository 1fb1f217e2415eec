package admin_test

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/mailyard/mailyard/services/admin/operation"
)

// offered returns which operations each door offers, by name.
func offered(t *testing.T) map[string]map[string]bool {
	t.Helper()
	doors := map[string]map[string]bool{"console": {}, "REST": {}, "events": {}}
	called := calls(t, "console")
	for _, o := range operation.All() {
		for _, m := range methods(o) {
			if called[m] {
				doors["console"][o.Name] = true
			}
		}
		doors["events"][o.Name] = true // it looks them up in operation.All, see below
	}
	raw, err := os.ReadFile(filepath.Join("..", "..", "schemas", "openapi.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Split(string(raw), "\n") {
		if id, ok := strings.CutPrefix(strings.TrimSpace(line), "operationId: "); ok {
			doors["REST"][strings.Trim(id, `"'`)] = true
		}
	}
	return doors
}

// methods are the methods of a desk that perform an operation: the one that is
// named as its input, and the one that tells of every step.
func methods(o operation.Operation) []string {
	names := []string{o.Input.Name()}
	if o.Streams {
		names = append(names, "Follow"+strings.TrimSuffix(strings.TrimPrefix(o.Input.Name(), "Run"), "Mailbox"))
	}
	return names
}

// calls returns the names of what the Go files of a folder call as methods of a
// desk, tests apart.
func calls(t *testing.T, dir string) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	files := token.NewFileSet()
	paths, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("%s has no Go files: %v", dir, err)
	}
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(files, path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if s, ok := n.(*ast.SelectorExpr); ok {
				if of, ok := s.X.(*ast.SelectorExpr); ok && strings.EqualFold(of.Sel.Name, "desk") {
					names[s.Sel.Name] = true
				}
			}
			return true
		})
	}
	return names
}

// What one door lacks, people who use that door have to do elsewhere. The
// command line has the same test beside its commands.
func TestNoDoorLacksAnOperation(t *testing.T) {
	t.Parallel()
	// What the console shows by other means.
	otherwise := map[string]string{
		"mailbox.states":       "the list of mailboxes shows the states with everything else",
		"mailbox.set-password": "the form of a mailbox sets it with everything else",
		"account.self":         "every page says who has signed in",
	}
	for door, has := range offered(t) {
		for _, o := range operation.All() {
			switch _, excused := otherwise[o.Name]; {
			case has[o.Name] && excused && door == "console":
				t.Errorf("the console offers %s, and is excused from it", o.Name)
			case !has[o.Name] && !(excused && door == "console"):
				t.Errorf("%s is not offered by %s", o.Name, door)
			}
		}
		if len(has) > len(operation.All()) {
			t.Errorf("%s offers more than there is: %d operations of %d", door, len(has), len(operation.All()))
		}
	}
}

// Operations are told from each other, and each is the method that its input is
// named after, which the test above relies on.
func TestOperationsAreWhatTheySay(t *testing.T) {
	t.Parallel()
	names, routes := map[string]bool{}, map[string]bool{}
	desk := reflect.TypeFor[*operation.Desk]()
	for _, o := range operation.All() {
		if names[o.Name] || routes[o.Method+" "+o.Path] {
			t.Errorf("%s is there twice", o.Name)
		}
		names[o.Name], routes[o.Method+" "+o.Path] = true, true
		for _, m := range methods(o) {
			if _, ok := desk.MethodByName(m); !ok {
				t.Errorf("%s: a desk has no method %s", o.Name, m)
			}
		}
		raw, err := json.Marshal(o.New())
		if err != nil || !json.Valid(raw) {
			t.Errorf("%s: its input has no JSON: %v", o.Name, err)
		}
		if o.Summary == "" || strings.HasSuffix(o.Summary, ".") {
			t.Errorf("%s: its summary is %q", o.Name, o.Summary)
		}
	}
}
