package cli

import (
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/mailyard/mailyard/services/admin/operation"
)

// Everything that can be asked of mailyard has a command.
func TestEveryOperationHasACommand(t *testing.T) {
	t.Parallel()
	performed := map[string]bool{}
	each((&command{}).root(), func(cmd *cobra.Command) {
		for _, name := range strings.Fields(cmd.Annotations["operations"]) {
			performed[name] = true
			if _, ok := operation.Find(name); !ok {
				t.Errorf("%s asks for %s, which there is not", cmd.CommandPath(), name)
			}
		}
	})
	for _, o := range operation.All() {
		if !performed[o.Name] {
			t.Errorf("%s (%s) has no command", o.Name, o.Summary)
		}
	}
}

func TestEveryCommandExplainsItself(t *testing.T) {
	t.Parallel()
	each((&command{}).root(), func(cmd *cobra.Command) {
		if cmd.Short == "" || strings.HasSuffix(cmd.Short, ".") {
			t.Errorf("%s: %q", cmd.CommandPath(), cmd.Short)
		}
		if cmd.Annotations["operations"] == "" {
			return
		}
		if lines := strings.Split(cmd.Example, "\n"); cmd.Example == "" || len(lines) > 3 {
			t.Errorf("%s has %d lines of examples", cmd.CommandPath(), len(lines))
		}
		if !strings.Contains(cmd.Example, cmd.CommandPath()) && cmd.Name() != "mails" {
			t.Errorf("the example of %s is of another command: %s", cmd.CommandPath(), cmd.Example)
		}
	})
}

func each(cmd *cobra.Command, f func(*cobra.Command)) {
	f(cmd)
	for _, inner := range cmd.Commands() {
		each(inner, f)
	}
}

func TestHostAndPort(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]struct {
		host string
		port int
	}{
		"imap.example": {"imap.example", 0}, "imap.example:143": {"imap.example", 143}, "[::1]:143": {"::1", 143}, "::1": {"::1", 0}, "[::1]": {"::1", 0}, "192.0.2.1:993": {"192.0.2.1", 993},
	} {
		host, port, err := hostPort(in)
		if err != nil || host != want.host || port != want.port {
			t.Errorf("%s: %s, %d, %v", in, host, port, err)
		}
	}
	for _, in := range []string{"a:0", "a:65536", "a:b", "a:"} {
		if host, port, err := hostPort(in); err == nil {
			t.Errorf("%s: %s, %d", in, host, port)
		}
	}
}

func TestMergeTakesKeysOut(t *testing.T) {
	t.Parallel()
	doc := map[string]any{"name": "a", "imap": map[string]any{"host": "h", "port": 1}, "folders": []string{"x"}}
	merge(doc, map[string]any{"name": nil, "imap": map[string]any{"port": nil, "security": "auto"}, "folders": []string{"y", "z"}})
	imap := doc["imap"].(map[string]any)
	if _, ok := doc["name"]; ok || imap["host"] != "h" || imap["port"] != nil || imap["security"] != "auto" || !slices.Equal(doc["folders"].([]string), []string{"y", "z"}) {
		t.Errorf("merged: %v", doc)
	}
}

func TestWhatFollowsALineIsForOthers(t *testing.T) {
	t.Parallel()
	in := strings.NewReader("hunter2\r\nyes\n\nlast")
	c := &command{streams: Streams{In: in}}
	for _, want := range []string{"hunter2", "yes", "", "last"} {
		if got, err := c.line(); got != want || err != nil {
			t.Errorf("read %q, %v; want %q", got, err, want)
		}
	}
	if got, err := c.line(); !errors.Is(err, io.EOF) {
		t.Errorf("after the end: %q, %v", got, err)
	}
}
