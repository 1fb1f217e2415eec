package cli_test

import (
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"
	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/mailyard/mailyard/pkg/mailstore"
	"github.com/mailyard/mailyard/pkg/mailstore/sqlitestore"
	"github.com/mailyard/mailyard/pkg/message"
	"github.com/mailyard/mailyard/schemas"
)

const (
	withAttachment = "From: Kim <kim@example.org>\r\nTo: support@acme.example\r\nSubject: Invoice \x1b[31mred\r\nMIME-Version: 1.0\r\n" +
		"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nSee below.\r\n--b\r\n" +
		"Content-Type: text/csv\r\nContent-Disposition: attachment; filename=list.csv\r\n\r\na;b\r\n--b--\r\n"
	plain = "From: lee@example.org\r\nTo: nobody@acme.example\r\nSubject: Hello\r\n\r\nHow are you?\r\n"
)

// store persists mails in the user's messaging database and returns their ids.
func (u *user) store(raws ...string) []string {
	u.t.Helper()
	u.do("apply", "-f", u.file("acme.yaml", documents))
	s, err := sqlitestore.Open(u.t.Context(), filepath.Join(u.data, "messaging.db"), zap.NewNop())
	if err != nil {
		u.t.Fatal(err)
	}
	defer s.Close()
	var ids []string
	for i, raw := range raws {
		now := time.Now().UTC()
		m := mailstore.Mail{
			Key:  schemas.MailKey{Tenant: "acme", Mailbox: "info", UIDValidity: 7, UID: uint32(i + 1)},
			Lane: schemas.Light, Size: int64(len(raw)), SHA256: fmt.Sprintf("%064x", i), InternalDate: now, FetchedAt: now,
			Decision: schemas.Decision{Verdict: schemas.Invalid, Reason: schemas.ReasonNoMatchingFolder, ClassifiedAt: now, Revision: 3},
			Message:  message.Parse([]byte(raw), message.DefaultLimits()), Raw: []byte(raw),
		}
		if strings.Contains(raw, "support@") {
			m.Decision.Verdict, m.Decision.Reason = schemas.Accepted, ""
			m.Decision.Clones = []schemas.Clone{{Folder: "support", FolderName: "Support", Address: "support@acme.example", Header: "To", Rule: schemas.RuleExact}}
		}
		outcomes, err := s.Persist(u.t.Context(), []mailstore.Mail{m})
		if err != nil {
			u.t.Fatal(err)
		}
		ids = append(ids, outcomes[0].MailID)
	}
	return ids
}

func TestMailsAreFiltered(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	ids := u.store(withAttachment, plain)
	tests := map[string][]string{
		"": ids, "--folder support": ids[:1], "--verdict invalid": ids[1:], "--reason no-matching-folder": ids[1:], "--state undisposed": ids, "--state disposed": nil,
		"--tenant acme": ids, "--tenant other": nil, "--mailbox info": ids, "--address kim@example.org": ids[:1], "--subject hello": ids[1:],
		"--since 2020-01-01": ids, "--until 2020-01-01T00:00:00Z": nil,
	}
	for flags, want := range tests {
		args := append([]string{"mails"}, strings.Fields(flags)...)
		out := u.do(args...)
		var mails []mailstore.Summary
		u.json(&mails, args...)
		if len(mails) != len(want) {
			t.Errorf("mails %s: %d mails; want %d", flags, len(mails), len(want))
		}
		for _, id := range want {
			if !strings.Contains(out, id) {
				t.Errorf("mails %s does not list %s:\n%s", flags, id, out)
			}
		}
	}
	var page []mailstore.Summary
	u.json(&page, "mails", "--limit", "1")
	if len(page) != 1 || page[0].MailID != ids[1] {
		t.Fatalf("first page: %+v", page)
	}
	if out := u.do("mails", "--limit", "1", "--before", fmt.Sprint(page[0].Seq)); !strings.Contains(out, ids[0]) {
		t.Errorf("second page:\n%s", out)
	}
}

func TestMailIsShownWithItsWayAndWhy(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	ids := u.store(withAttachment, plain)
	out := u.do("mail", "show", ids[0])
	for _, part := range []string{"Kim <kim@example.org>", "fetched", "persisted", "still in the inbox", "support@acme.example in To is an address of the folder", "1. list.csv", "See below."} {
		if !strings.Contains(out, part) {
			t.Errorf("mail show lacks %q:\n%s", part, out)
		}
	}
	if strings.Contains(out, "\x1b") || strings.Contains(u.do("mails"), "\x1b") {
		t.Error("an escape sequence of a mail reaches the terminal")
	}
	if out := u.do("mail", "show", ids[1]); !strings.Contains(out, "no recipient address belongs to a folder") {
		t.Errorf("mail show of an invalid mail:\n%s", out)
	}
	var d mailstore.Detail
	u.json(&d, "mail", "show", ids[0])
	if d.MailID != ids[0] || len(d.Items) != 1 || len(d.Attached) != 1 {
		t.Errorf("detail = %+v", d)
	}
	if out := u.do("mail", "raw", ids[0]); out != withAttachment {
		t.Errorf("mail raw: %q", out)
	}
}

func TestAttachmentIsSaved(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	id := u.store(withAttachment)[0]
	path := filepath.Join(t.TempDir(), "saved.csv")
	if out := u.do("mail", "attachment", id, "1", "-o", path); !strings.Contains(out, path) {
		t.Errorf("attachment: %s", out)
	}
	if raw, err := os.ReadFile(path); err != nil || strings.TrimSpace(string(raw)) != "a;b" {
		t.Errorf("saved %q, %v", raw, err)
	}
	u.refused([]string{path, "--output"}, "mail", "attachment", id, "1", "-o", path)
	u.refused([]string{"no attachment 2", "mailyard mail show " + id}, "mail", "attachment", id, "2")
	if out := u.do("mail", "attachment", id, "1", "-o", "-"); strings.TrimSpace(out) != "a;b" {
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
	u.store(plain)
	db, err := sql.Open("sqlite", filepath.Join(u.data, "messaging.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), "PRAGMA user_version = 999"); err != nil {
		t.Fatal(err)
	}
	u.refused([]string{"messaging.db", "999", "newer mailyard"}, "mails")
	u.refused([]string{"messaging.db", "999", "newer mailyard"}, "up")
}
