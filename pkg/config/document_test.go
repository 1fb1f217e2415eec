package config

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mailyard/mailyard/schemas"
)

const stream = `# everything of acme
kind: tenant
id: acme
name: Acme
encryption_key: generate
---
kind: folder
tenant: acme
id: support
name: Support
address: support@example.com
aliases: [help@example.com]
---
---
kind: mailbox
tenant: acme
id: support
name: Support
folders: [support]
enabled: true
imap:
  host: imap.example.com
  port: 993
username: support@example.com
max_email_bytes: 6_000_000
import_since: 2024-01-31
password: {env: SUPPORT_PASSWORD}
`

func TestParseDocuments(t *testing.T) {
	t.Parallel()
	docs, err := ParseDocuments(strings.NewReader(stream))
	if err != nil {
		t.Fatal(err)
	}
	if len(docs) != 3 || docs[0].Kind != schemas.KindTenant || !docs[0].GenerateKey || docs[0].Tenant != "acme" || docs[1].Line != 7 {
		t.Fatalf("documents: %+v", docs)
	}
	m, problems := docs[2].MailboxDocument()
	if len(problems) > 0 || m.ImportSince != "2024-01-31" || m.MaxEmailBytes != 6_000_000 || !m.Enabled || m.IMAP.Security != "auto" {
		t.Errorf("%v, %+v", problems, m)
	}
	if diff := cmp.Diff(&PasswordRef{Env: "SUPPORT_PASSWORD"}, docs[2].Password); diff != "" {
		t.Error(diff)
	}
}

func TestDocumentProblemsHaveFileAndLine(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "mailbox.yaml")
	text := `kind: mailbox
tenant: acme
id: support
name: 7
folders:
  - support
  - Sales
imap:
  host: imap.example.com
  port: 70000
  prot: 1
username: a
username: b
password: 12345678
---
kind: folder
tenant: acme
id: support
name: Support
---
kind: queue
---
id: x
---
- list
---
kind: folder
tenant: acme
id: support
name: Support
address: "a@b.example"
---
kind: tenant
id: acme
name: Acme
encryption_key: MDEyMzQ1Njc4OTAxMjM0
`
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	_, err = ParseDocuments(f)
	var problems Problems
	if !errors.As(err, &problems) {
		t.Fatalf("%v; want Problems", err)
	}
	got := strings.Split(strings.ReplaceAll(err.Error(), path, "mailbox.yaml"), "\n")
	want := []string{
		"mailbox.yaml:4: name: is a number, not text; put it in quotes",
		`mailbox.yaml:7: folders[1]: "Sales" is not an id: 1 to 63 of a-z, 0-9 and -, not beginning or ending with -`,
		"mailbox.yaml:10: imap.port: 70000 is not a port (1-65535)",
		"mailbox.yaml:11: imap.prot: is not a known key",
		"mailbox.yaml:13: username: stands twice",
		"mailbox.yaml:14: password: is a number, not text; put it in quotes",
		"mailbox.yaml:16: address: is required",
		"mailbox.yaml:21: kind: is not one of tenant, folder, mailbox",
		"mailbox.yaml:23: kind: is required: tenant, folder or mailbox",
		"mailbox.yaml:25: is not a document: it must be an object with kind, id and the fields",
		"mailbox.yaml:29: id: is the same as in line 16",
		"mailbox.yaml:36: encryption_key: is not generate; a key itself never stands in a document",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	for _, hidden := range []string{"12345678", "MDEyMzQ1"} {
		if strings.Contains(err.Error(), hidden) {
			t.Errorf("the messages quote the secret %s", hidden)
		}
	}
}

func TestBrokenYAML(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"kind: tenant\nid: a: b\n":                                "line 2: is not YAML: mapping values are not allowed in this context",
		"kind: mailbox\npassword: *hunter2\n":                     "is not YAML: an alias without its anchor; put text that begins with * in quotes",
		"kind: tenant\nid: a\nname: !hunter2 x\n":                 "line 3: name: has a YAML tag; put text that begins with ! in quotes",
		"kind: tenant\nid: a\nname: A\nlimits: {mailboxes: .inf}": "line 4: limits.mailboxes: is not a number that can be used here",
	} {
		_, err := ParseDocuments(strings.NewReader(text))
		if err == nil || !strings.HasPrefix(err.Error(), want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q:\n got %v\nwant %s", text, err, want)
		}
	}
}

func TestAliasesCannotExplode(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n")
	for i := 1; i < 20; i++ {
		b.WriteString("a" + string(rune('a'+i)) + ": &a" + string(rune('a'+i)) + " [")
		previous := "*a" + string(rune('a'+i-1))
		if i == 1 {
			previous = "*a0"
		}
		b.WriteString(strings.Repeat(previous+", ", 9) + previous + "]\n")
	}
	_, err := ParseDocuments(strings.NewReader(b.String()))
	if err == nil || !strings.Contains(err.Error(), "repeats itself too often") {
		t.Errorf("%.200v", err)
	}
}

func TestWriteDocumentsReadsBack(t *testing.T) {
	t.Parallel()
	docs, err := ParseDocuments(strings.NewReader(stream))
	if err != nil {
		t.Fatal(err)
	}
	docs[2].Password, docs[2].HasPassword = nil, true
	var out bytes.Buffer
	if err := WriteDocuments(&out, docs); err != nil {
		t.Fatal(err)
	}
	again, err := ParseDocuments(bytes.NewReader(out.Bytes()))
	if err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	for i := range docs {
		if string(again[i].JSON) != string(docs[i].JSON) || again[i].GenerateKey != docs[i].GenerateKey || again[i].Password != nil {
			t.Errorf("document %d came back as %s, was %s", i, again[i].JSON, docs[i].JSON)
		}
	}
	if !strings.Contains(out.String(), "# password: {env: MAILYARD_PASSWORD_SUPPORT}") {
		t.Errorf("no comment shows how to set the password:\n%s", out.String())
	}
}

func FuzzParseDocuments(f *testing.F) {
	f.Add(stream)
	f.Add("")
	f.Add("kind: mailbox\npassword: *x\n")
	f.Add("a: &a [*a]\n---\n{\"kind\": \"folder\"}")
	f.Add("? [x]\n: y\n<<: {a: b}\n")
	f.Add("kind: tenant\nid: a\nname: \"\\x85 \\u2028\"\nlimits: {mailboxes: 0x1F}\n")
	f.Fuzz(func(t *testing.T, text string) {
		docs, err := ParseDocuments(strings.NewReader(text))
		if err != nil {
			return
		}
		var out bytes.Buffer
		for i := range docs {
			docs[i].Password = nil
		}
		if err := WriteDocuments(&out, docs); err != nil {
			t.Fatalf("writing what was read: %v", err)
		}
		again, err := ParseDocuments(&out)
		if err != nil || len(again) != len(docs) {
			t.Fatalf("reading what was written: %d documents of %d, %v", len(again), len(docs), err)
		}
		for i := range docs {
			if string(again[i].JSON) != string(docs[i].JSON) {
				t.Errorf("came back as %s, was %s", again[i].JSON, docs[i].JSON)
			}
		}
	})
}

func FuzzDecodeMailbox(f *testing.F) {
	f.Add([]byte(whole))
	f.Add([]byte(`{"imap":{"port":1e99},"folders":[null],"name":"\ud800"}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		roundTrip(t, raw, DefaultMailbox(), DecodeMailbox, ValidateMailbox)
	})
}
