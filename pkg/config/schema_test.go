package config

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The examples beside the JSON Schemas are read as the schemas say.
func TestExamplesOfTheSchemasAreReadAlike(t *testing.T) {
	t.Parallel()
	for kind, decode := range map[string]func([]byte) Problems{
		"tenant": func(raw []byte) Problems { // JSON is YAML; kind goes in front
			_, err := ParseDocuments(strings.NewReader(strings.Replace(string(raw), "{", `{"kind": "tenant", `, 1)))
			if err == nil {
				return nil
			}
			return err.(Problems)
		},
		"folder": func(raw []byte) Problems {
			_, p := DecodeFolder(raw, Folder{})
			return p
		},
		"mailbox": func(raw []byte) Problems {
			rest, _, p := TakePassword(raw)
			_, more := DecodeMailbox(rest, DefaultMailbox())
			return append(p, more...)
		},
	} {
		files, err := filepath.Glob(filepath.Join("..", "..", "schemas", "config", kind, "*.json"))
		if err != nil || len(files) == 0 {
			t.Fatalf("no examples of %s: %v", kind, err)
		}
		for _, file := range files {
			raw, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			valid := strings.HasPrefix(filepath.Base(file), "valid-")
			problems := slices.DeleteFunc(decode(raw), func(p Problem) bool { return strings.HasSuffix(p.Path, ".ca") }) // theirs is no real certificate
			if (len(problems) == 0) != valid {
				t.Errorf("%s/%s: %v", kind, filepath.Base(file), problems)
			}
		}
	}
}
