package routing

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mailyard/mailyard/pkg/message"
	"github.com/mailyard/mailyard/schemas"
)

// A routingCase is one case of testdata/cases.txt.
type routingCase struct {
	name, mail, want string
	rules            Rules
}

func TestRoute(t *testing.T) {
	t.Parallel()
	for _, c := range readCases(t) {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got := describe(Compile(c.rules).Route(scan(c.mail)))
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestCasesAreDistinct(t *testing.T) {
	t.Parallel()
	names := map[string]bool{}
	for _, c := range readCases(t) {
		if names[c.name] {
			t.Errorf("two cases are named %q", c.name)
		}
		names[c.name] = true
	}
	if len(names) < 60 {
		t.Errorf("%d cases, want at least 60", len(names))
	}
}

func exampleRules() Rules {
	return Rules{
		Tenant: "acme", Mailbox: "desk", Login: "desk@example.test",
		Folders: []Folder{
			{"support", "Support", []string{"support@example.test", "help@example.test"}},
			{"sales", "Sales", []string{"Sales@Example.Test"}},
			{"desk", "Desk", []string{"desk@example.test"}},
			{"books", "Books", []string{"info@bücher.test"}},
			{"vip", "VIP", []string{"support+vip@example.test"}},
			{"words", "Words", []string{`"two words"@example.test`}},
			{"press", "Presse", []string{"jörg@example.test"}},
			{"rest", "Rest", []string{"everything@example.test"}},
		},
		Unmatched: "invalid", Recipients: "auto", Plus: true,
	}
}

func scan(mail string) message.Header {
	h, _, _ := message.ScanHeader([]byte(strings.ReplaceAll(mail, "\n", "\r\n") + "\r\n\r\nbody\r\n"))
	return h
}

func readCases(tb testing.TB) []routingCase {
	tb.Helper()
	raw, err := os.ReadFile("testdata/cases.txt")
	if err != nil {
		tb.Fatal(err)
	}
	text := strings.NewReplacer(
		"OTHERMARK", LoopMark("acme", "other"), "MARK", LoopMark("acme", "desk"),
		"OTHERID", MessageID("other", "desk", "u1"), "OWNID", MessageID("acme", "desk", "u1"),
	).Replace(string(raw))
	var cases []routingCase
	for _, part := range strings.Split(text, "\n=== ")[1:] {
		name, body, _ := strings.Cut(part, "\n")
		mail, want, ok := strings.Cut(body, "\n---\n")
		if !ok {
			tb.Fatalf("case %q has no decision", name)
		}
		c := routingCase{name: name, mail: mail, want: strings.TrimSpace(want), rules: exampleRules()}
		if strings.HasPrefix(mail, "[") {
			settings, rest, _ := strings.Cut(mail[1:], "]\n")
			c.mail = rest
			for setting := range strings.FieldsSeq(settings) {
				c.rules = override(tb, c.rules, setting)
			}
		}
		cases = append(cases, c)
	}
	return cases
}

func override(tb testing.TB, r Rules, setting string) Rules {
	tb.Helper()
	switch key, value, _ := strings.Cut(setting, "="); key {
	case "login":
		r.Login = value
	case "recipients":
		r.Recipients = value
	case "unmatched":
		r.Unmatched = value
	case "plus":
		r.Plus = value == "on"
	default:
		tb.Fatalf("%q is not a rule", setting)
	}
	return r
}

// describe writes a decision as it stands in testdata/cases.txt.
func describe(d schemas.Decision) string {
	lines := []string{strings.TrimSpace(string(d.Verdict) + " " + string(d.Reason))}
	for _, c := range d.Clones {
		line := c.Folder + ": " + string(c.Rule)
		if c.Rule != schemas.RuleCatchAll {
			line += ", " + c.Header + ", " + c.Address
		}
		lines = append(lines, line)
	}
	for _, r := range d.Recipients {
		mark := "-"
		if r.Used {
			mark = "*"
		}
		lines = append(lines, strings.TrimSpace(fmt.Sprintf("%s %s %s %s", mark, r.Header, r.Address, r.Folder)))
	}
	return strings.Join(lines, "\n")
}
