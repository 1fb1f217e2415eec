package contract_test

import (
	"os/exec"
	"strings"
	"testing"
)

// Other programs depend on these packages; they get nothing else with them.
func TestTypesAndCodecNeedOnlyTheStandardLibrary(t *testing.T) {
	t.Parallel()
	const module = "github.com/mailyard/mailyard/schemas"
	cmd := exec.CommandContext(t.Context(), "go", "list", "-deps", "-f", "{{if not .Standard}}{{.ImportPath}}{{end}}",
		module, module+"/cloudevents", module+"/config")
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	listed := strings.Fields(string(out))
	if len(listed) != 3 {
		t.Errorf("the packages need %v", listed)
	}
	for _, path := range listed {
		if !strings.HasPrefix(path, module) {
			t.Errorf("%s is not of the standard library", path)
		}
	}
}
