package deploytest_test

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"go.yaml.in/yaml/v3"

	"github.com/mailyard/mailyard/pkg/bus"
	"github.com/mailyard/mailyard/pkg/config"
	"github.com/mailyard/mailyard/services/mailyard/demo"
)

type compose struct {
	Services map[string]struct {
		Image string
		Build struct {
			Args map[string]string
		}
		Command     []string
		Environment map[string]string
		EnvFile     string `yaml:"env_file"`
		Ports       []yaml.Node
		Secrets     []string
		Volumes     []string
		HealthCheck struct{ Test []string }
		Restart     string
	}
	Volumes map[string]any
	Secrets map[string]struct{ File string }
}

// makeSecrets runs secrets.sh in a folder of the test and returns where it puts them.
func makeSecrets(t *testing.T) (dir string) {
	t.Helper()
	script := filepath.Join(t.TempDir(), "secrets.sh")
	if err := os.WriteFile(script, []byte(read(t, "deploy/compose/secrets.sh")), 0o700); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), "sh", script).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return filepath.Join(filepath.Dir(script), "secrets")
}

func content(t *testing.T, dir string) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, e := range entries {
		raw, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		files[e.Name()] = strings.TrimSpace(string(raw))
	}
	return files
}

func TestComposeSecretsAreMadeOnceAndKeptFromOthers(t *testing.T) {
	t.Parallel()
	dir := makeSecrets(t)
	before := content(t, dir)
	info, err := os.Stat(dir)
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the folder has mode %v: %v", info.Mode(), err)
	}
	if before[".gitignore"] != "*" {
		t.Error("git would take the secrets")
	}
	if before["nats_fetcher"] == before["nats_admin"] || len(before["nats_fetcher"]) < 40 {
		t.Error("the passwords are not random")
	}
	if out, err := exec.CommandContext(t.Context(), "sh", filepath.Join(filepath.Dir(dir), "secrets.sh")).CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("a second run gives %v: %s", err, out)
	}
	if diff := cmp.Diff(before, content(t, dir)); diff != "" {
		t.Errorf("a second run changes secrets:\n%s", diff)
	}
	for user := range bus.Permissions() {
		if want := passwordVariable(user) + "=" + before["nats_"+user]; !slices.Contains(strings.Split(before["nats.env"], "\n"), want) {
			t.Errorf("nats-server is not told the password of %s", user)
		}
	}
}

func TestComposeFitsTheCode(t *testing.T) {
	t.Parallel()
	c := decode[compose](t, "docker-compose.yml")[0]
	dir := makeSecrets(t)
	for name, s := range c.Secrets {
		if _, err := os.Stat(filepath.Join(dir, filepath.Base(s.File))); err != nil || filepath.Dir(s.File) != "deploy/compose/secrets" {
			t.Errorf("secret %s: %s is not made by secrets.sh: %v", name, s.File, err)
		}
	}
	all := programs(t)
	for name, s := range c.Services {
		if program, ours := strings.CutPrefix(s.Image, "mailyard/"); ours && !slices.Contains(all, program) || ours && s.Build.Args != nil && s.Build.Args["SERVICE"] != program {
			t.Errorf("%s has the image %s, built of %q", name, s.Image, s.Build.Args["SERVICE"])
		}
		for _, secret := range s.Secrets {
			if _, ok := c.Secrets[secret]; !ok {
				t.Errorf("%s has the secret %s, which is not declared", name, secret)
			}
		}
		for _, v := range s.Volumes {
			source, _, _ := strings.Cut(v, ":")
			if _, named := c.Volumes[source]; named {
				continue
			}
			if _, err := os.Stat(file(source)); err != nil {
				t.Errorf("%s mounts %s: %v", name, source, err)
			}
		}
		for variable, value := range s.Environment {
			if path, ok := strings.CutPrefix(value, "/run/secrets/"); ok && !slices.Contains(s.Secrets, path) {
				t.Errorf("%s reads the secret %s, which it has not got", name, path)
			}
			if regexp.MustCompile(`PASSWORD|SECRET|_KEY`).MatchString(variable) && !strings.HasSuffix(variable, "_FILE") || strings.Contains(value, "@") {
				t.Errorf("%s has %s in clear", name, variable)
			}
		}
		if len(s.HealthCheck.Test) == 0 && name != "setup" && name != "cli" {
			t.Errorf("%s has no health check", name)
		}
	}
	defaults := regexp.MustCompile(`\$\{\w+:-(.*)\}`)
	for _, program := range all {
		if program == "mailyard" {
			continue
		}
		s, ok := c.Services[program]
		if !ok {
			t.Errorf("%s is missing", program)
			continue
		}
		if len(s.Ports) > 0 && program != "admin" || s.Restart == "" || !slices.Equal(s.HealthCheck.Test, []string{"CMD", "/service", "healthcheck"}) {
			t.Errorf("%s: ports %d, restart %q, health check %q", program, len(s.Ports), s.Restart, s.HealthCheck.Test)
		}
		var environ []string
		for _, variable := range slices.Sorted(maps.Keys(s.Environment)) {
			environ = append(environ, variable+"="+defaults.ReplaceAllString(s.Environment[variable], "$1"))
		}
		checkWhatItNeeds(t, program, load(t, environ, map[string]string{"/run/secrets": dir}))
	}
}

// The documents of compose are those of `mailyard up --demo`, with another
// address and the password from a file.
func TestComposeDemoIsTheDemo(t *testing.T) {
	t.Parallel()
	raw := read(t, "deploy/compose/demo.yaml")
	documents, err := config.ParseDocuments(strings.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	want, err := demo.Documents("mail", 10143, 0)
	if err != nil {
		t.Fatal(err)
	}
	parts := func(docs []config.Document) (out []string) {
		for _, d := range docs {
			out = append(out, string(d.Kind)+" "+string(d.JSON))
		}
		return out
	}
	if diff := cmp.Diff(parts(want), parts(documents), cmpopts.EquateEmpty()); diff != "" {
		t.Error(diff)
	}
	if !strings.Contains(raw, "{file: /run/secrets/demo_password}") {
		t.Error("the password is not that of the demo mail server")
	}
}
