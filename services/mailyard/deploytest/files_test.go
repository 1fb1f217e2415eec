package deploytest_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// file returns the path of a file of the project.
func file(name string) string { return filepath.Join("..", "..", "..", filepath.FromSlash(name)) }

func read(t *testing.T, name string) string {
	t.Helper()
	raw, err := os.ReadFile(file(name))
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// decode reads the documents of a YAML file.
func decode[T any](t *testing.T, name string) []T {
	t.Helper()
	var all []T
	for d := yaml.NewDecoder(strings.NewReader(read(t, name))); ; {
		var v T
		err := d.Decode(&v)
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		all = append(all, v)
	}
}

// below returns the names of the files under a folder of the project with one
// of the endings.
func below(t *testing.T, folder string, endings ...string) []string {
	t.Helper()
	var names []string
	for _, ending := range endings {
		found, err := filepath.Glob(filepath.Join(file(folder), "*"+ending))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range found {
			names = append(names, folder+"/"+filepath.Base(path))
		}
	}
	if len(names) == 0 {
		t.Fatalf("there is nothing in %s", folder)
	}
	return names
}
