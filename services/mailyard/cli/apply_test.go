package cli_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const documents = `kind: tenant
id: acme
name: Acme
encryption_key: generate
---
kind: folder
tenant: acme
id: support
name: Support
address: support@acme.example
---
kind: mailbox
tenant: acme
id: info
name: Info
folders: [support]
enabled: true
imap: {host: imap.acme.example}
username: info@acme.example
password: {env: IMAP_PASSWORD}
`

func TestApplyPlansDoesAndRepeatsNothing(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	f := u.file("acme.yaml", documents)
	if out := u.do("apply", "-f", f, "--dry-run"); strings.Count(out, "would be created") != 3 {
		t.Errorf("dry run:\n%s", out)
	}
	if out := u.do("export"); strings.TrimSpace(out) != "" {
		t.Errorf("the dry run left:\n%s", out)
	}
	if out := u.do("apply", "-f", f); strings.Count(out, "created") != 3 || !strings.Contains(out, "acme/info") {
		t.Errorf("apply:\n%s", out)
	}
	if out := u.do("apply", "-f", f); !strings.Contains(out, "Nothing changes.") {
		t.Errorf("apply once more:\n%s", out)
	}
	u.in = strings.Replace(documents, "name: Info", "name: Information", 1)
	if out := u.do("apply", "-f", "-"); !strings.Contains(out, "updated: name") {
		t.Errorf("apply of a change from standard input:\n%s", out)
	}
	var plan struct {
		DryRun  *bool `json:"dry_run"`
		Changes []struct{ Kind, Tenant, ID, Action string }
	}
	u.json(&plan, "apply", "-f", f, "--dry-run")
	if plan.DryRun == nil || !*plan.DryRun || len(plan.Changes) != 3 || plan.Changes[0].Kind == "" {
		t.Errorf("plan = %+v", plan)
	}
}

func TestExportIsWhatApplyReads(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	u.do("apply", "-f", u.file("acme.yaml", documents))
	exported := u.do("export")
	if out := u.do("apply", "-f", u.file("exported.yaml", exported)); !strings.Contains(out, "Nothing changes.") {
		t.Errorf("applying the export:\n%s\nwhich is\n%s", out, exported)
	}
	var docs []map[string]any
	u.json(&docs, "export", "--tenant", "acme")
	if len(docs) != 3 || docs[0]["kind"] == nil {
		t.Errorf("exported %v", docs)
	}
	if out, err := u.try("export", "--tenant", "nobody"); err == nil && strings.TrimSpace(out) != "" {
		t.Errorf("export of no tenant: %s", out)
	}
}

func TestApplyTellsEveryProblemAndDoesNothing(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	bad := u.file("bad.yaml", strings.NewReplacer("id: support\n", "id: Support!\n", "{host: imap.acme.example}", "{host: imap.acme.example, port: 70000}").Replace(documents))
	worse := u.file("worse.yaml", "kind: folder\ntenant: acme\nid: sales\nnmae: Sales\naddress: sales\n")
	u.refused([]string{"nothing was applied:\n", bad + ":8", bad + ":18", "70000", worse + ":4", "nmae", worse + ":5"}, "apply", "-f", bad, "-f", worse)
	u.refused([]string{"there is no installation", "mailyard up"}, "export")

	unset := u.file("unset.yaml", strings.Replace(documents, "IMAP_PASSWORD", "NOT_SET", 1))
	u.refused([]string{unset, "NOT_SET"}, "apply", "-f", unset)
	u.refused([]string{"password", "missing.txt"}, "apply", "-f", u.file("f.yaml", strings.Replace(documents, "{env: IMAP_PASSWORD}", "{file: missing.txt}", 1)))
	u.refused([]string{"-f"}, "apply")
	u.refused([]string{"no document"}, "apply", "-f", u.file("empty.yaml", "\n"))
	u.refused([]string{"nowhere.yaml"}, "apply", "-f", "nowhere.yaml")

	u.do("apply", "-f", u.file("acme.yaml", documents))
	before := u.do("export")
	half := u.file("half.yaml", "kind: folder\ntenant: acme\nid: sales\nname: Sales\naddress: sales@acme.example\n---\nkind: folder\ntenant: acme\nid: twice\nname: Twice\naddress: support@acme.example\n")
	u.refused([]string{"nothing was applied", "support@acme.example"}, "apply", "-f", half)
	if after := u.do("export"); after != before {
		t.Errorf("something of a refused file was applied:\n%s", after)
	}
}

func TestPasswordFromAFile(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	secret := u.file("password", "hunter2-in-a-file\n")
	u.do("apply", "-f", u.file("acme.yaml", strings.Replace(documents, "{env: IMAP_PASSWORD}", "{file: "+secret+"}", 1)))
}

func TestMissingMasterKeyIsNotReplaced(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	f := u.file("acme.yaml", documents)
	u.do("apply", "-f", f)
	key := filepath.Join(u.data, "master.key")
	if err := os.Remove(key); err != nil {
		t.Fatal(err)
	}
	u.refused([]string{key, "restore", "backup"}, "apply", "-f", f)
	u.refused([]string{key}, "status")
	if _, err := os.Stat(key); err == nil {
		t.Error("a new key was made")
	}
}
