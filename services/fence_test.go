package services_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const (
	imap       = "github.com/emersion/go-imap"
	postgres   = "github.com/jackc/pgx"
	sqlite     = "modernc.org/sqlite"
	natsServer = "github.com/nats-io/nats-server"
	miniredis  = "github.com/alicebob/miniredis"

	ours     = "github.com/mailyard/mailyard/"
	schemas  = ours + "schemas"
	pkg      = ours + "pkg"
	services = ours + "services"
)

type fence struct {
	binary    string
	forbidden []string
}

// main returns the import path of the binary.
func (f fence) main() string { return services + "/" + f.binary + "/cmd/" + f.binary }

// fences say what must not be linked into which binary. Embedded servers belong
// to the program that runs alone.
var fences = []fence{
	{"fetcher", []string{postgres, sqlite, natsServer, miniredis}},
	{"classifier", []string{imap, postgres, sqlite, natsServer, miniredis}},
	{"persister", []string{imap, natsServer, miniredis}},
	{"disposer", []string{postgres, sqlite, natsServer, miniredis}},
	{"admin", []string{natsServer, miniredis}},
	{"mailyard", nil},
}

func TestFenceBinaries(t *testing.T) {
	t.Parallel()
	for _, f := range fences {
		t.Run(f.binary, func(t *testing.T) {
			t.Parallel()
			for _, dep := range list(t, "-deps", f.main()) {
				for _, forbidden := range f.forbidden {
					if within(dep.ImportPath, forbidden) {
						t.Errorf("%s links %s; see: go list -deps -f '{{.ImportPath}}: {{.Imports}}' %s", f.binary, dep.ImportPath, f.main())
					}
				}
			}
		})
	}
}

// Every binary has a fence, so that a new one is thought about.
func TestFenceKnowsEveryBinary(t *testing.T) {
	t.Parallel()
	for _, p := range list(t, services+"/...") {
		if p.Name != "main" {
			continue
		}
		if !slices.ContainsFunc(fences, func(f fence) bool { return f.main() == p.ImportPath }) {
			t.Errorf("%s is a binary that no fence speaks of", p.ImportPath)
		}
	}
}

func TestFenceLayers(t *testing.T) {
	t.Parallel()
	packages := list(t, schemas+"/...", pkg+"/...", services+"/...")
	for _, layer := range []string{schemas, pkg, services} {
		if !slices.ContainsFunc(packages, func(p listed) bool { return within(p.ImportPath, layer) }) {
			t.Errorf("no package of %s was looked at", layer)
		}
	}
	for _, p := range packages {
		for _, imported := range slices.Concat(p.Imports, p.TestImports, p.XTestImports) {
			if why := crossing(p.ImportPath, imported); why != "" {
				t.Errorf("%s imports %s: %s", p.ImportPath, imported, why)
			}
		}
	}
}

// crossing says why a package may not import another one; empty: it may.
func crossing(from, to string) string {
	switch {
	case within(from, schemas) && within(to, strings.TrimSuffix(ours, "/")) && !within(to, schemas):
		return "schemas imports nothing of ours"
	case within(from, pkg) && within(to, services):
		return "pkg never imports services"
	case !within(from, services) || !within(to, services):
		return ""
	}
	service, rest, _ := strings.Cut(strings.TrimPrefix(from, services+"/"), "/")
	other, _, _ := strings.Cut(strings.TrimPrefix(to, services+"/"), "/")
	switch {
	case service == other || service == "mailyard":
		return ""
	case other == "standalone" && strings.HasPrefix(rest, "cmd/"):
		return ""
	case other == "servicetest": // tests only: it links the servers that TestFenceBinaries forbids
		return ""
	case service == "e2e", service == "browser": // tests only: they play with a whole installation
		return ""
	}
	return "services do not know each other, only mailyard knows them"
}

func TestFenceCrossing(t *testing.T) {
	t.Parallel()
	cases := []struct {
		from, to string
		allowed  bool
	}{
		{schemas, schemas + "/config", true},
		{schemas + "/config", pkg + "/fault", false},
		{schemas, services + "/fetcher", false},
		{pkg + "/bus", schemas, true},
		{pkg + "/bus", services + "/fetcher", false},
		{services + "/fetcher", pkg + "/bus", true},
		{services + "/fetcher", services + "/disposer", false},
		{services + "/fetcher", services + "/fetcher/inner", true},
		{services + "/fetcher", services + "/standalone", false},
		{services + "/fetcher/cmd/fetcher", services + "/standalone", true},
		{services + "/fetcher/cmd/fetcher", services + "/disposer", false},
		{services + "/standalone", services + "/fetcher", false},
		{services + "/mailyard", services + "/fetcher", true},
		{services + "/e2e", services + "/mailyard", true},
		{services + "/browser", services + "/mailyard/cli", true},
		{services + "/fetcher", services + "/browser", false},
		{services + "/fetcher", services + "/e2e", false},
		{services + "/fetcher", services + "/servicetest", true},
		{services + "/servicetest", services + "/fetcher", false},
		{services + "/mailyardish", services + "/fetcher", false},
	}
	for _, c := range cases {
		if why := crossing(c.from, c.to); (why == "") != c.allowed {
			t.Errorf("%s imports %s: %q; want allowed: %v", c.from, c.to, why, c.allowed)
		}
	}
}

// within reports whether a package is at or below a path; major version
// suffixes of the path count.
func within(importPath, path string) bool {
	return importPath == path || strings.HasPrefix(importPath, path+"/")
}

type listed struct {
	ImportPath   string
	Name         string
	Imports      []string
	TestImports  []string
	XTestImports []string
}

// list runs go list; a package that does not exist is a failure.
func list(t *testing.T, args ...string) []listed {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", append([]string{"list", "-json=ImportPath,Name,Imports,TestImports,XTestImports"}, args...)...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list %s: %v\n%s", strings.Join(args, " "), err, &stderr)
	}
	var packages []listed
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(fmt.Errorf("reading the answer of go list: %w", err))
		}
		packages = append(packages, p)
	}
	if len(packages) == 0 {
		t.Fatalf("go list %s finds nothing", strings.Join(args, " "))
	}
	return packages
}
