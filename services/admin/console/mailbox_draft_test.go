package console

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mailyard/mailyard/pkg/config"
	schema "github.com/mailyard/mailyard/schemas/config"
)

// full is a mailbox in which no setting has its default.
func full() config.Mailbox {
	return config.Mailbox{
		Tenant: "acme", ID: "full", Name: "Full", Description: "All of it", Folders: []string{"support"}, Enabled: true,
		IMAP:     schema.Server{Host: "imap.example.org", Port: 143, Security: schema.SecuritySTARTTLS, CA: "-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n"},
		SMTP:     schema.Server{Host: "smtp.example.org", Port: 465, Security: schema.SecurityTLS, CA: "-----BEGIN CERTIFICATE-----\r\nMQ==\r\n-----END CERTIFICATE-----"},
		Username: "full@example.org", Auth: "password", ConnectRetries: 7, MaxIdleSeconds: 99, MaxEmailBytes: 7_654_321, MaxLightBytes: 12_345, MaxItems: 17,
		PersistedMethod: schema.MethodDelete, InvalidMethod: schema.MethodDelete, PersistedFolder: "P", InvalidFolder: "I", DeletedFolder: "D",
		Unmatched: "support", Recipients: schema.RecipientsEnvelope, PlusAddressing: false, ImportSince: "2024-02-29", Inbox: "Eingang",
	}
}

func TestAFormThatIsSentBackChangesNothing(t *testing.T) {
	t.Parallel()
	standard := config.DefaultMailbox()
	standard.Tenant, standard.ID, standard.Folders = "acme", "full", []string{}
	all := full()
	settings(&all, func(path string, v reflect.Value) {
		same := false
		settings(&standard, func(p string, s reflect.Value) {
			same = same || p == path && reflect.DeepEqual(v.Interface(), s.Interface())
		})
		if same && path != "tenant" && path != "id" && path != "auth" { // the only way to sign in, so far
			t.Errorf("%s has its default, which would show nothing", path)
		}
	})
	for _, doc := range []config.Mailbox{standard, all} {
		values := valuesOf(doc)
		for _, key := range []string{"imap.ca", "smtp.ca"} { // as browsers send the text of an area
			values.Set(key, strings.ReplaceAll(strings.ReplaceAll(values.Get(key), "\r\n", "\n"), "\n", "\r\n"))
		}
		d := readDraft("acme", "full", values, doc)
		if diff := cmp.Diff(doc, d.doc); diff != "" || len(d.problems) > 0 {
			t.Errorf("%v\n%s", d.problems, diff)
		}
	}
}

func TestNumbersAndSizesAsPeopleTypeThem(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int64{"6 MB": 6_000_000, "6mb": 6_000_000, "1,500,000": 1_500_000, "512 KiB": 524_288, "": 6_000_000} {
		if d := readDraft("acme", "x", map[string][]string{"max_email_bytes": {text}, "imap.port": {"993"}}, config.Mailbox{}); d.doc.MaxEmailBytes != want || len(d.problems) > 0 {
			t.Errorf("%q is %d, %v", text, d.doc.MaxEmailBytes, d.problems)
		}
	}
	for text, want := range map[string]string{
		"six": `"six" is not a whole number`, "1.5": `"1.5" is not a whole number`, "": "is required",
		"99999999999999999999": `"99999999999999999999" is out of range`,
	} {
		d := readDraft("acme", "x", map[string][]string{"imap.port": {text}}, config.Mailbox{})
		if len(d.problems) != 1 || d.problems[0].Message != want {
			t.Errorf("%q: %v", text, d.problems)
		}
	}
}

func TestAnIDIsMadeOfTheName(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"Support": "support", "  Sales & Marketing  ": "sales-marketing", "Büro Straße 7": "buro-strasse-7", "Ärzte": "arzte",
		"New": "new", "支持": "", "--a--": "a", strings.Repeat("ab ", 40): strings.TrimSuffix(strings.Repeat("ab-", 21), "-"),
	} {
		if got := slug(name); got != want || got != "" && !config.IsSlug(got) {
			t.Errorf("%q: %q", name, got)
		}
	}
}

// schemaPaths returns the paths of everything that the schema of a mailbox lets
// one set.
func schemaPaths(t *testing.T) []string {
	t.Helper()
	type node struct {
		Type       any             `json:"type"`
		Properties map[string]node `json:"properties"`
	}
	raw, err := schema.Files.ReadFile("mailbox.json")
	if err != nil {
		t.Fatal(err)
	}
	var root node
	if err := json.Unmarshal(raw, &root); err != nil {
		t.Fatal(err)
	}
	var paths []string
	var walk func(prefix string, n node)
	walk = func(prefix string, n node) {
		for name, p := range n.Properties {
			if p.Type == "object" {
				walk(prefix+name+".", p)
			} else if prefix+name != "tenant" { // the page is in it
				paths = append(paths, prefix+name)
			}
		}
	}
	walk("", root)
	return paths
}
