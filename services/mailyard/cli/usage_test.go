package cli_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestHelpShowsTheCommands(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	for _, args := range [][]string{nil, {"help"}, {"--help"}} {
		out := u.do(args...)
		for _, command := range []string{"up ", "apply ", "export ", "tenant ", "folder ", "mailbox ", "routing ", "mails ", "mail ", "status ", "dead ", "audit ", "account ", "session ", "token ", "system ", "key ", "completion "} {
			if !strings.Contains(out, "\n  "+command) {
				t.Errorf("mailyard %v does not show %s:\n%s", args, command, out)
			}
		}
	}
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		if out := u.do("completion", shell); len(out) < 1000 {
			t.Errorf("completion for %s: %s", shell, out)
		}
	}
	if out := u.do("dead"); !strings.Contains(out, "replay") {
		t.Errorf("mailyard dead:\n%s", out)
	}
	if out := u.do("--version"); !strings.Contains(out, "mailyard version") {
		t.Errorf("--version: %s", out)
	}
}

func TestWrongCommandLinesAreExplained(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	u.do("apply", "-f", u.file("acme.yaml", documents))
	tests := []struct {
		args []string
		say  []string
	}{
		{[]string{"aply"}, []string{"2: ", `unknown command "aply"`, "apply"}},
		{[]string{"dead", "lst"}, []string{"2: ", `unknown command "lst"`}},
		{[]string{"mail", "shw", "x"}, []string{"2: ", `unknown command "shw"`}},
		{[]string{"mails", "--fodler", "x"}, []string{"2: ", "--fodler", "see `mailyard mails --help`"}},
		{[]string{"mails", "extra"}, []string{"2: ", `"extra"`}},
		{[]string{"mail", "show"}, []string{"2: ", "an argument is missing", "mailyard mail show ID"}},
		{[]string{"mail", "show", "a", "b"}, []string{"2: ", `"b" is one argument too many`}},
		{[]string{"mail", "show", "nosuchmail"}, []string{"6: ", "does not run here"}},
		{[]string{"mail", "attachment", "nosuchmail", "0"}, []string{"2: ", `"0"`, "count from 1"}},
		{[]string{"mails", "--limit", "0"}, []string{"2: ", "--limit", "between 1 and 500"}},
		{[]string{"mails", "--limit", "many"}, []string{"2: ", "--limit"}},
		{[]string{"mails", "--verdict", "good", "--state", "gone"}, []string{"2: ", "--verdict", "accepted, invalid", "--state", "disposed, undisposed"}},
		{[]string{"mails", "--reason", "spam"}, []string{"2: ", "--reason", "oversize"}},
		{[]string{"dead", "list", "--stage", "sender"}, []string{"2: ", "--stage", "fetcher"}},
		{[]string{"dead", "list"}, []string{"6: ", "does not run here", "mailyard up"}},
		{[]string{"dead", "replay", "1"}, []string{"6: ", "does not run here"}},
		{[]string{"mailbox", "edit", "info"}, []string{"2: ", "say what to change"}},
		{[]string{"mailbox", "edit", "info", "--set", "imap.port"}, []string{"2: ", "key=value"}},
		{[]string{"mailbox", "edit", "info", "--set", "password=x"}, []string{"2: ", "--ask-password"}},
		{[]string{"mailbox", "add", "info", "--imap", "host:0"}, []string{"2: ", "--imap", "65535"}},
		{[]string{"mailbox", "bulk", "explode"}, []string{"2: ", "enable, disable, test, delete"}},
		{[]string{"tenant", "list", "--server", "mail.example.org"}, []string{"2: ", "--server", "https://"}},
		{[]string{"tenant", "list", "--server", "http://127.0.0.1:1"}, []string{"6: ", "127.0.0.1:1", "does not answer"}},
		{[]string{"key", "generate"}, []string{"mailyard key generate FILE"}},
		{[]string{"status", "--config", "nowhere.yaml"}, []string{"nowhere.yaml"}},
		{[]string{"status", "--config", u.file("s.yaml", "nats: {url: ftp://x}\nlog_level: loud\n")}, []string{"nats.url", "\nlog_level"[1:]}},
	}
	for _, test := range tests {
		u.refused(test.say, test.args...)
	}
}

func TestReadingMakesNoInstallation(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	for _, args := range [][]string{{"status"}, {"export"}} {
		u.refused([]string{"there is no installation in " + u.data, "--data"}, args...)
	}
	if _, err := os.Stat(u.data); err == nil {
		t.Error("reading made the data folder")
	}
	u.data = u.file("file", "not a folder")
	u.refused([]string{u.data}, "apply", "-f", u.file("acme.yaml", documents))
}

func TestKeyGenerateNeverReplacesAFile(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	key := filepath.Join(t.TempDir(), "master.key")
	u.do("key", "generate", key)
	before, err := os.ReadFile(key)
	if err != nil {
		t.Fatal(err)
	}
	u.refused([]string{key}, "key", "generate", key)
	if after, _ := os.ReadFile(key); string(after) != string(before) {
		t.Error("the key was replaced")
	}
	if info, err := os.Stat(key); err != nil || info.Mode().Perm()&0o077 != 0 {
		t.Errorf("mode %v, %v: others may read the key", info.Mode(), err)
	}
	var made struct{ File string }
	u.json(&made, "key", "generate", key+"2")
	if made.File != key+"2" {
		t.Errorf("made %q", made.File)
	}
}

func TestStatusWithoutAnythingRunning(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	u.do("apply", "-f", u.file("acme.yaml", documents))
	if out := u.do("status"); !strings.Contains(out, "Not running: ") || !strings.Contains(out, "acme/info") {
		t.Errorf("status:\n%s", out)
	}
	var s map[string]any
	u.json(&s, "status")
	for _, key := range []string{"running", "problem", "mailboxes", "streams", "dead_letters"} {
		if v, ok := s[key]; !ok || v == nil {
			t.Errorf("%s is %v", key, v)
		}
	}
}
