package deploytest_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/mailyard/mailyard/pkg/deployment"
)

// settingNames returns the settings that pkg/deployment reads from the
// environment, without the prefix: the cases of its switch.
func settingNames(t *testing.T) map[string]bool {
	t.Helper()
	tree, err := parser.ParseFile(token.NewFileSet(), file("pkg/deployment/load.go"), nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{"CONFIG": true}
	ast.Inspect(tree, func(n ast.Node) bool {
		if c, ok := n.(*ast.CaseClause); ok {
			for _, e := range c.List {
				if lit, ok := e.(*ast.BasicLit); ok && lit.Kind == token.STRING {
					name, err := strconv.Unquote(lit.Value)
					if err != nil {
						t.Fatal(err)
					}
					names[name] = true
				}
			}
		}
		return true
	})
	if !names["NATS_URL"] || !names["GRACE"] {
		t.Fatalf("pkg/deployment/load.go seems to be different; found %v", slices.Sorted(maps.Keys(names)))
	}
	return names
}

// elsewhere are the variables of the prefix that others than pkg/deployment read.
var elsewhere = []string{"DATA", "SERVER", "TOKEN", "TENANT", "PASSWORD"}

func known(names map[string]bool, variable string) bool {
	name := strings.TrimPrefix(variable, deployment.Prefix)
	if names[name] || slices.Contains(elsewhere, name) || strings.HasPrefix(name, "MESSAGING_") || strings.HasPrefix(name, "TEST_") {
		return true
	}
	base, isFile := strings.CutSuffix(name, "_FILE")
	return isFile && (names[base] || slices.Contains(elsewhere, base))
}

var variablePattern = regexp.MustCompile(`\bMAILYARD_[A-Z][A-Z_]*[A-Z]\b`)

// documented returns the text files that may name variables.
func documented(t *testing.T) []string {
	t.Helper()
	names := []string{"README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "Dockerfile", "docker-compose.yml"}
	err := filepath.WalkDir(file("deploy"), func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && d.Name() == "secrets" {
			return fs.SkipDir // made by secrets.sh, not part of the project
		}
		if !d.IsDir() {
			rel, err := filepath.Rel(file("."), path)
			if err != nil {
				return err
			}
			names = append(names, filepath.ToSlash(rel))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func TestEveryVariableThatIsNamedExists(t *testing.T) {
	t.Parallel()
	names := settingNames(t)
	for _, path := range documented(t) {
		for _, v := range variablePattern.FindAllString(read(t, path), -1) {
			if !known(names, v) {
				t.Errorf("%s names %s, which nothing reads", path, v)
			}
		}
	}
}

func TestTheReadmeListsEverySetting(t *testing.T) {
	t.Parallel()
	readme := read(t, "README.md")
	for name := range settingNames(t) {
		if !strings.Contains(readme, fmt.Sprintf("| `%s%s` |", deployment.Prefix, name)) {
			t.Errorf("%s%s is not in the README's table", deployment.Prefix, name)
		}
	}
	if !strings.Contains(readme, "`"+deployment.Prefix+"MESSAGING_NAME`") {
		t.Error("the messaging databases are not in the README's table")
	}
}

// programs returns the names of the binaries.
func programs(t *testing.T) []string {
	t.Helper()
	mains, err := filepath.Glob(file("services/*/cmd/*/main.go"))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, m := range mains {
		names = append(names, filepath.Base(filepath.Dir(m)))
	}
	if !slices.Contains(names, "fetcher") || !slices.Contains(names, "mailyard") {
		t.Fatalf("the programs are %v", names)
	}
	return names
}

// load reads settings as a service would, with its secrets in a folder of the test.
func load(t *testing.T, environ []string, secrets map[string]string) deployment.Settings {
	t.Helper()
	for i, e := range environ {
		for from, to := range secrets {
			e = strings.Replace(e, "="+from, "="+to, 1)
		}
		environ[i] = e
		if name, path, _ := strings.Cut(e, "="); strings.HasSuffix(name, "_FILE") && name != deployment.Prefix+"MASTER_KEY_FILE" {
			if _, err := os.Stat(path); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	s, err := deployment.Load(deployment.Defaults(), "", environ)
	if err != nil {
		t.Errorf("with %v: %v", environ, err)
	}
	return s
}

// checkWhatItNeeds compares the settings of a service with what it refuses to
// start without.
func checkWhatItNeeds(t *testing.T, program string, s deployment.Settings) {
	t.Helper()
	need := func(what string, ok bool) {
		if !ok {
			t.Errorf("%s is not told %s", program, what)
		}
	}
	need("where to listen for health", s.Health != "")
	need("its NATS user", s.NATS.User == program && s.NATS.Password.Reveal() != "")
	switch program {
	case "fetcher", "disposer":
		need("the master key", s.MasterKeyFile != "")
		need("where Redis is", s.RedisURL.Reveal() != deployment.Defaults().RedisURL.Reveal())
	case "persister":
		need("the messaging database", s.Messaging["default"].Reveal() != "")
	case "admin":
		need("the control database", s.Control.Reveal() != "")
		need("where to listen for the console", s.Admin.Listen != "")
		need("what people type to get there", s.Admin.URL != "")
		need("the master key", s.MasterKeyFile != "")
		need("the messaging database", s.Messaging["default"].Reveal() != "")
		need("where Redis is", s.RedisURL.Reveal() != deployment.Defaults().RedisURL.Reveal())
	}
	if !slices.Contains([]string{"fetcher", "disposer", "admin"}, program) && s.MasterKeyFile != "" {
		t.Errorf("%s is told the master key, which it does not need", program)
	}
}
