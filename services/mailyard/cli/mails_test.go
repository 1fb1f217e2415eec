package cli_test

import (
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/mailyard/mailyard/pkg/mailstore"
	"github.com/mailyard/mailyard/services/admin/admintest"
	"github.com/mailyard/mailyard/services/admin/operation"
)

func TestMailsAreFiltered(t *testing.T) {
	t.Parallel()
	u, o := newOffice(t)
	id := o.Acme.Mail
	tests := map[string]bool{
		"": true, "--folder support": true, "--folder sales": false, "--verdict invalid": false, "--reason no-matching-folder": false, "--state undisposed": true, "--state disposed": false,
		"--tenant acme": true, "--tenant rival": false, "--mailbox info": true, "--address kim@example.org": true, "--subject hello": false, "--subject invoice": true,
		"--since 2020-01-01": true, "--until 2020-01-01T00:00:00Z": false,
	}
	for flags, want := range tests {
		for _, command := range []string{"mail list", "mails"} {
			args := strings.Fields(command + " " + flags)
			if !strings.Contains(flags, "--tenant") {
				args = append(args, "--tenant", "acme")
			}
			out := u.do(args...)
			var page struct{ Mails []mailstore.Summary }
			u.json(&page, args...)
			if listed := strings.Contains(out, id); listed != want || (len(page.Mails) == 1 && page.Mails[0].MailID == id) != want {
				t.Errorf("%s %s: %s", command, flags, out)
			}
		}
	}
	u.refused([]string{"2: there are several tenants", "acme, rival"}, "mail", "list")
	u.environ = append(u.environ, "MAILYARD_TENANT=acme")
	if out := u.do("mail", "list"); !strings.Contains(out, id) {
		t.Errorf("mail list:\n%s", out)
	}
	first := "1." + o.Control.Sealer("mail", "acme").Seal(1)
	if out := u.do("mail", "list", "--before", first); !strings.Contains(out, "No mail") {
		t.Errorf("the page behind the last:\n%s", out)
	}
	u.refused([]string{"begin with the first page"}, "mail", "list", "--before", "1")
	if out := u.do("mail", "throughput"); !strings.Contains(out, "P95") {
		t.Errorf("throughput:\n%s", out)
	}
}

func TestMailIsShownWithItsWayAndWhy(t *testing.T) {
	t.Parallel()
	u, o := newOffice(t)
	id := o.Acme.Mail
	out := u.do("mail", "show", id)
	for _, part := range []string{"Kim <kim@example.org>", "fetched", "persisted", "still in the inbox", "support@acme.example in To is an address of the folder", "1. ", "See below."} {
		if !strings.Contains(out, part) {
			t.Errorf("mail show lacks %q:\n%s", part, out)
		}
	}
	if strings.Contains(out, "\x1b") || strings.Contains(u.do("mails", "--tenant", "acme"), "\x1b") {
		t.Error("an escape sequence of a mail reaches the terminal")
	}
	var d operation.Mail
	u.json(&d, "mail", "show", id)
	if d.MailID != id || len(d.Items) != 1 || len(d.Attached) != 1 {
		t.Errorf("detail = %+v", d)
	}
	if out := u.do("mail", "raw", id); out != fmt.Sprintf(admintest.Mail, "acme") {
		t.Errorf("mail raw: %q", out)
	}
}

func TestAttachmentIsSaved(t *testing.T) {
	t.Parallel()
	u, o := newOffice(t)
	id := o.Acme.Mail
	const content = "<script>alert(1)</script>"
	path := filepath.Join(t.TempDir(), "saved.html")
	if out := u.do("mail", "attachment", id, "1", "-o", path); !strings.Contains(out, path) {
		t.Errorf("attachment: %s", out)
	}
	if raw, err := os.ReadFile(path); err != nil || strings.TrimSpace(string(raw)) != content {
		t.Errorf("saved %q, %v", raw, err)
	}
	u.refused([]string{path, "--output"}, "mail", "attachment", id, "1", "-o", path)
	u.refused([]string{"3: ", "no such attachment", "mailyard mail show " + id}, "mail", "attachment", id, "2")
	if out := u.do("mail", "attachment", id, "1", "-o", "-"); strings.TrimSpace(out) != content {
		t.Errorf("to standard output: %q", out)
	}
	var saved struct {
		File string
		Size int64
	}
	u.json(&saved, "mail", "attachment", id, "1", "-o", path+"2")
	if saved.File != path+"2" || saved.Size == 0 {
		t.Errorf("saved %+v", saved)
	}
}

func TestDatabaseOfANewerProgramIsRefused(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	u.do("apply", "-f", u.file("acme.yaml", documents))
	u.do("status") // makes it
	db, err := sql.Open("sqlite", filepath.Join(u.data, "messaging.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), "PRAGMA user_version = 999"); err != nil {
		t.Fatal(err)
	}
	u.refused([]string{"messaging.db", "999", "newer mailyard"}, "status")
	u.refused([]string{"messaging.db", "999", "newer mailyard"}, "up")
}
