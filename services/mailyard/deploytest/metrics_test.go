package deploytest_test

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/mailyard/mailyard/schemas"
)

// metricNames returns what the services serve at /metrics: the names that the
// code gives, and those of the collectors that standalone and mailyard register.
func metricNames(t *testing.T) map[string]bool {
	t.Helper()
	names := map[string]bool{"up": true} // Prometheus' own
	pattern := regexp.MustCompile(`Name:\s*"(mailyard_\w+)"`)
	for _, folder := range []string{"pkg", "services"} {
		err := filepath.WalkDir(file(folder), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			raw, err := os.ReadFile(path)
			for _, m := range pattern.FindAllSubmatch(raw, -1) {
				names[string(m[1])] = true
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		names[f.GetName()] = true
	}
	return names
}

var metricPattern = regexp.MustCompile(`\b(?:mailyard|process|go)_[a-z0-9_]+`)

// selectors are the labels whose values come from the code.
var selectors = map[string][]string{
	"stream": {
		schemas.StreamFetchedLight, schemas.StreamFetchedLarge, schemas.StreamClassifiedLight,
		schemas.StreamClassifiedLarge, schemas.StreamDispose, schemas.StreamRetry,
	},
	"lane": {string(schemas.Light), string(schemas.Large)},
}

var selectorPattern = regexp.MustCompile(`\b(stream|lane)=~?"([^"]+)"`)

func checkMetrics(t *testing.T, where, expression string, names map[string]bool) {
	t.Helper()
	for _, m := range selectorPattern.FindAllStringSubmatch(expression, -1) {
		for _, value := range strings.Split(m[2], "|") {
			if !slices.Contains(selectors[m[1]], value) {
				t.Errorf("%s: there is no %s %s", where, m[1], value)
			}
		}
	}
	found := metricPattern.FindAllString(expression, -1)
	if len(found) == 0 && !strings.Contains(expression, "up{") {
		t.Errorf("%s: %s names no metric", where, expression)
	}
	for _, name := range found {
		if !names[name] && !names[strings.TrimSuffix(strings.TrimSuffix(strings.TrimSuffix(name, "_bucket"), "_count"), "_sum")] {
			t.Errorf("%s: there is no metric %s", where, name)
		}
	}
}

func TestAlertsWatchMetricsThatExist(t *testing.T) {
	t.Parallel()
	type rules struct {
		Groups []struct {
			Name  string
			Rules []struct {
				Alert, Expr string
				Annotations map[string]string
			}
		}
	}
	names := metricNames(t)
	for _, g := range decode[rules](t, "deploy/prometheus/alerts.yml")[0].Groups {
		for _, r := range g.Rules {
			checkMetrics(t, r.Alert, r.Expr, names)
			if r.Annotations["summary"] == "" || r.Annotations["description"] == "" {
				t.Errorf("%s does not say what is wrong and what to do", r.Alert)
			}
		}
	}
	// An alert that a service is missing is there for each of them.
	missing := read(t, "deploy/prometheus/alerts.yml")
	for _, program := range programs(t) {
		if program != "mailyard" && !strings.Contains(missing, `absent(up{job="mailyard", service="`+program+`"} == 1)`) {
			t.Errorf("nobody is told that no %s runs", program)
		}
	}
}

func TestDashboardShowsMetricsThatExist(t *testing.T) {
	t.Parallel()
	var dashboard struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal([]byte(read(t, "deploy/grafana/mailyard.json")), &dashboard); err != nil {
		t.Fatal(err)
	}
	names := metricNames(t)
	if len(dashboard.Panels) == 0 {
		t.Error("it is empty")
	}
	for _, p := range dashboard.Panels {
		for _, target := range p.Targets {
			checkMetrics(t, p.Title, target.Expr, names)
		}
	}
}

func TestTheDeploymentsReadmeListsEveryMetric(t *testing.T) {
	t.Parallel()
	readme := read(t, "deploy/README.md")
	names := metricNames(t)
	for name := range names {
		if strings.HasPrefix(name, "mailyard_") && !regexp.MustCompile("(?m)^\\| `"+name+"[`{]").MatchString(readme) {
			t.Errorf("%s is not in the table", name)
		}
	}
	for _, name := range metricPattern.FindAllString(readme, -1) {
		if !names[name] {
			t.Errorf("it names %s, which nothing serves", name)
		}
	}
}
