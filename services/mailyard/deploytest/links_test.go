package deploytest_test

import (
	"os"
	"path"
	"regexp"
	"strings"
	"testing"
)

func TestDocumentationPointsToWhatIsThere(t *testing.T) {
	t.Parallel()
	link := regexp.MustCompile(`\]\(([^)#]+)`)
	code := regexp.MustCompile("`((?:schemas|pkg|services|deploy|tools)/[^` …]*)`")
	for _, name := range []string{"README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "deploy/README.md"} {
		text := read(t, name)
		for _, m := range link.FindAllStringSubmatch(text, -1) {
			if strings.HasPrefix(m[1], "https://") {
				continue
			}
			if _, err := os.Stat(file(path.Join(path.Dir(name), m[1]))); err != nil {
				t.Errorf("%s links to %s: %v", name, m[1], err)
			}
		}
		for _, m := range code.FindAllStringSubmatch(text, -1) {
			if strings.Contains(m[1], "NAME") {
				continue // the reader's to fill in
			}
			if _, err := os.Stat(file(m[1])); err != nil && !strings.HasSuffix(m[1], "/secrets") {
				t.Errorf("%s names %s: %v", name, m[1], err)
			}
		}
	}
}

// What stands after "make" in code is a target of the Makefile.
func TestDocumentationNamesTargetsOfMake(t *testing.T) {
	t.Parallel()
	makefile := read(t, "Makefile")
	for _, name := range []string{"README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "deploy/README.md"} {
		for _, m := range regexp.MustCompile("(?:`|\\$ )make ([a-z-]+)").FindAllStringSubmatch(read(t, name), -1) {
			if !regexp.MustCompile(`(?m)^` + m[1] + `:`).MatchString(makefile) {
				t.Errorf("%s says make %s, which is no target", name, m[1])
			}
		}
	}
}

func TestSystemdStopsNoSoonerThanTheGrace(t *testing.T) {
	t.Parallel()
	unit := read(t, "deploy/systemd/mailyard.service")
	var environ []string
	for _, line := range strings.Split(unit, "\n") {
		if rest, ok := strings.CutPrefix(line, "Environment="); ok {
			environ = append(environ, strings.Fields(rest)...)
		}
	}
	s := load(t, environ, nil)
	if s.Grace.String() != "45s" || !strings.Contains(unit, "TimeoutStopSec=60s") || s.Health == "" {
		t.Errorf("grace %s, health %q; TimeoutStopSec should be 15 s more than the grace", s.Grace, s.Health)
	}
}

// Programs and images tell the version that they are tagged with.
func TestBuildsSetTheVersion(t *testing.T) {
	t.Parallel()
	source := read(t, "pkg/process/version.go")
	for _, file := range []string{"Makefile", "Dockerfile"} {
		set := regexp.MustCompile(`-X (\S+)\.(\w+)=\$`).FindStringSubmatch(read(t, file))
		if set == nil || set[1] != "github.com/mailyard/mailyard/pkg/process" || !strings.Contains(source, "\nvar "+set[2]+" string\n") {
			t.Errorf("%s sets %v", file, set)
		}
	}
	if !regexp.MustCompile(`docker build [^\n]*--build-arg VERSION=\$\(VERSION\) [^\n]*:\$\(VERSION\)`).MatchString(read(t, "Makefile")) {
		t.Error("make images tags images with a version that it does not build them with")
	}
}
