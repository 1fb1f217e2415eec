package deploytest_test

import (
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mailyard/mailyard/pkg/bus"
)

var update = flag.Bool("update", false, "write deploy/nats/nats.conf")

// passwordVariable is the variable of nats-server that holds a user's password.
func passwordVariable(user string) string { return strings.ToUpper(user) + "_PASSWORD" }

func TestNATSConfigIsWhatTheBusNeeds(t *testing.T) {
	t.Parallel()
	passwords := map[string]string{}
	for user := range bus.Permissions() {
		passwords[user] = "$" + passwordVariable(user)
	}
	want := bus.ServerConfig(passwords)
	path := file("deploy/nats/nats.conf")
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(want, read(t, "deploy/nats/nats.conf")); diff != "" {
		t.Errorf("run make generate:\n%s", diff)
	}
}
