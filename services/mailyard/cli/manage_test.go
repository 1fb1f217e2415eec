package cli_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mailyard/mailyard/pkg/secret"
	"github.com/mailyard/mailyard/services/admin/admintest"
	"github.com/mailyard/mailyard/services/admin/operation"
	"github.com/mailyard/mailyard/services/admin/rest"
	"github.com/mailyard/mailyard/services/mailyard"
)

func (u *user) says(want string, args ...string) {
	u.t.Helper()
	if out := u.do(args...); !strings.Contains(out, want) {
		u.t.Errorf("mailyard %s does not say %q:\n%s", strings.Join(args, " "), want, out)
	}
}

func TestAnAdministratorsDay(t *testing.T) {
	t.Parallel()
	u, _ := newOffice(t)
	u.says("Tenant new is made", "tenant", "add", "new", "--name", "New", "--generate-key", "--set", "limits.mailboxes=5")
	u.says("version 1", "tenant", "list")
	u.says("no limit", "tenant", "show", "new")
	u.says("is changed", "tenant", "edit", "new", "--set", "limits.mailboxes=")
	u.environ = append(u.environ, "MAILYARD_TENANT=new")
	u.says("is made", "folder", "add", "support", "--name", "Support", "--address", "support@new.example", "--alias", "help@new.example,hilfe@new.example")
	u.says("is changed", "folder", "edit", "support", "--description", "for all")
	u.says("help@new.example, hilfe@new.example", "folder", "show", "support")
	u.says("support@new.example", "folder", "list", "--search", "HILFE")

	u.in = admintest.Password + "\n"
	u.says("it is disabled", "mailbox", "add", "info", "--name", "Info", "--folder", "support", "--imap", "imap.new.example:143", "--smtp", "smtp.new.example", "--username", "info@new.example", "--password-file", "-", "--set", "max_email_bytes=20 MB")
	var m operation.Mailbox
	u.json(&m, "mailbox", "show", "info")
	if d := m.Document; d.IMAP.Port != 143 || d.MaxEmailBytes != 20_000_000 || d.SMTP.Host != "smtp.new.example" || !m.HasPassword {
		t.Errorf("made %+v", m)
	}
	u.says("port: 143", "mailbox", "show", "info")
	u.says("is enabled", "mailbox", "enable", "info")
	u.says("connecting", "mailbox", "list", "--search", "NEW")
	u.says("connecting", "mailbox", "status", "info")
	u.says("No states", "mailbox", "states")
	u.says("No states", "mailbox", "history", "info")
	u.says("All is well", "mailbox", "check", "info", "--set", "max_items=5")
	u.refused([]string{"1: ", "cannot be saved"}, "mailbox", "check", "info", "--imap", "other.new.example")
	u.refused([]string{"1: ", "password: must be entered again"}, "mailbox", "edit", "info", "--imap", "other.new.example")
	u.refused([]string{"2: ", "max_email_bytes", "much"}, "mailbox", "edit", "info", "--max-email-size", "much")
	u.refused([]string{"1: ", "cannot be saved"}, "mailbox", "check", "info", "--set", "imap.port=0")
	u.says("is on until", "mailbox", "protocol", "info", "--on", "5")
	u.says("is off", "mailbox", "protocol", "info", "--off")
	u.environ = append(u.environ, "MAILYARD_PASSWORD="+admintest.Password)
	u.says("new password", "mailbox", "password", "info")
	u.environ = u.environ[:len(u.environ)-1]
	u.in = "imap: {security: start-tls}\nconnect_retries: 7\n"
	u.says("is changed", "mailbox", "edit", "info", "-f", "-", "--set", "name=Information")
	u.json(&m, "mailbox", "show", "info")
	if d := m.Document; d.ConnectRetries != 7 || d.IMAP.Host != "imap.new.example" || d.IMAP.Security != "start-tls" || d.Name != "Information" {
		t.Errorf("changed to %+v", d)
	}
	u.says("support@new.example", "routing", "simulate", u.file("m.eml", "To: support@new.example\r\n\r\n"), "--mailbox", "info")
	u.says("match a folder", "routing", "unmatched")
	u.says("There are no dead letters", "dead", "list")
	u.says("updated", "audit", "list", "--kind", "mailbox", "--details")
	u.says("STREAM", "system")

	u.in = "inof\n"
	u.refused([]string{"1: not confirmed"}, "mailbox", "delete", "info")
	u.in = ""
	u.refused([]string{"1: not confirmed"}, "mailbox", "delete", "info")
	u.in = "info\n"
	u.says("is deleted", "mailbox", "delete", "info")
	u.says("is deleted", "folder", "delete", "support", "--yes")
	u.says("is deleted", "tenant", "delete", "new", "--yes")
	u.refused([]string{"3: "}, "tenant", "show", "new")
}

func TestEditTellsWhatOthersChanged(t *testing.T) {
	t.Parallel()
	u, o := newOffice(t)
	u.environ = append(u.environ, "MAILYARD_TENANT=acme")
	var before operation.Mailbox
	u.json(&before, "mailbox", "show", "info")
	u.as(o.Ann).says("is changed", "mailbox", "edit", "info", "--set", "connect_retries=9")
	u.refused([]string{"5: ", "Changed meanwhile", "by token laptop of ann", "connect_retries: 3 → 9"}, "mailbox", "edit", "info", "--name", "Mine", "--revision", before.Revision)
	var after operation.Mailbox
	u.json(&after, "mailbox", "show", "info")
	if after.Document.Name != before.Document.Name {
		t.Errorf("the stale change was done: %+v", after.Document)
	}
	u.refused([]string{"5: "}, "mailbox", "add", "info", "--name", "Again", "--imap", "imap.acme.example")
}

func TestExitCodesTellWhatHappened(t *testing.T) {
	t.Parallel()
	u, o := newOffice(t)
	u.refused([]string{"3: "}, "mailbox", "show", "nothing", "--tenant", "acme")
	u.refused([]string{"3: "}, "mailbox", "show", "info", "--tenant", "nobody")
	u.refused([]string{"3: ", `"nosuchmail"`, "mailyard mail list"}, "mail", "show", "nosuchmail")
	u.refused([]string{"3: ", "no dead letter 99"}, "dead", "show", "99")
	u.as(o.Rita).refused([]string{"4: "}, "mailbox", "disable", "info")
	u.as(o.Ann).refused([]string{"3: "}, "tenant", "show", "rival")
	u.as(o.Ann).refused([]string{"4: "}, "tenant", "delete", "acme", "--yes")
	u.as(admintest.Person{Token: "myd_wrong"}).refused([]string{"4: ", "MAILYARD_TOKEN"}, "tenant", "list")
	u.refused([]string{"5: ", "in use"}, "folder", "delete", "support", "--tenant", "acme", "--yes")
	u.refused([]string{"1: ", "imap.port"}, "mailbox", "edit", "info", "--tenant", "acme", "--set", "imap.port=99999")
	u.refused([]string{"4: "}, "token", "create", "another")

	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "<html>", http.StatusTeapot) }))
	defer page.Close()
	u.refused([]string{"1: ", "is it the address of mailyard?"}, "tenant", "list", "--server", page.URL)
}

func TestTokenIsReadAndNotShown(t *testing.T) {
	t.Parallel()
	u, o := newOffice(t)
	u.environ = append([]string{"MAILYARD_TOKEN_FILE=" + u.file("token", o.Ann.Token+"\n")}, u.environ[:2]...) // without MAILYARD_TOKEN
	u.says("token laptop of ann", "account", "self")
	u.says("rita", "account", "self", "--token", o.Rita.Token)
	for _, args := range [][]string{{"tenant", "list", "--help"}, {"account", "self", "--server", "http://127.0.0.1:1"}} {
		out, err := u.try(append(args, "--token", o.Rita.Token)...)
		if strings.Contains(out+fmt.Sprint(err), o.Rita.Token) {
			t.Errorf("%v shows the token: %s %v", args, out, err)
		}
	}
	// Where the service points to is not trusted with the token.
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("the token went to another server: %v", r.Header)
	}))
	defer elsewhere.Close()
	pointing := httptest.NewServer(http.RedirectHandler(elsewhere.URL, http.StatusTemporaryRedirect))
	defer pointing.Close()
	u.refused([]string{"1: "}, "tenant", "list", "--server", pointing.URL)
}

func TestExaminationIsShownStepByStep(t *testing.T) {
	t.Parallel()
	u, _ := newOffice(t)
	u.environ = append(u.environ, "MAILYARD_TENANT=acme")
	for _, args := range [][]string{{"mailbox", "test", "info"}, {"mailbox", "doctor", "info"}} {
		out, err := u.try(args...)
		if err == nil || !strings.Contains(out, "✗ ") || !strings.Contains(out, "What to do: ") || !strings.Contains(out, "- ") {
			t.Errorf("%v: %v\n%s", args, err, out)
		}
		if out, err := u.try(append(args, "--json")...); err == nil || !strings.Contains(out, `"outcome": "failed"`) {
			t.Errorf("%v --json: %v\n%s", args, err, out)
		}
	}
	u.refused([]string{"1: ", "password"}, "mailbox", "doctor", "info", "--imap", "elsewhere.example")
	u.refused([]string{"1: "}, "mailbox", "dry-run", "info")
	u.refused([]string{"1: "}, "mailbox", "server-folders", "info")
}

func TestManyMailboxesAtOnce(t *testing.T) {
	t.Parallel()
	u, _ := newOffice(t)
	u.environ = append(u.environ, "MAILYARD_TENANT=acme")
	for _, id := range []string{"one", "two", "three"} {
		u.do("mailbox", "add", id, "--name", id, "--imap", "imap.acme.example", "--username", id+"@acme.example")
	}
	u.says("would be done", "mailbox", "bulk", "disable", "--search", "t", "--dry-run")
	if out, err := u.try("mailbox", "bulk", "enable", "info", "one"); err == nil || !strings.Contains(out, "done") || !strings.Contains(err.Error(), "1 of 2 failed") {
		t.Errorf("bulk enable: %v\n%s", err, out)
	}
	u.in = "2\n"
	if out := u.do("mailbox", "bulk", "delete", "two", "three"); strings.Count(out, "done") != 2 {
		t.Errorf("bulk delete:\n%s", out)
	}
	u.in = "7\n"
	u.refused([]string{"not confirmed"}, "mailbox", "bulk", "delete", "--enabled=false")
	u.refused([]string{"3: "}, "mailbox", "bulk", "delete", "--search", "nothing like it")
	var page operation.MailboxPage
	u.json(&page, "mailbox", "list", "--limit", "1")
	if page.Total != 2 || page.Next == "" {
		t.Errorf("%+v", page)
	}
	u.says("2 to 2 of 2", "mailbox", "list", "--limit", "1", "--cursor", page.Next)
}

func TestRotationIsWaitedFor(t *testing.T) {
	t.Parallel()
	const tenant = `{"document":{"id":"acme"},"key":{"id":"k","version":2%s}}`
	answers := []string{`,"rotation":{"from":1,"to":2,"done":0,"total":2}`, `,"rotation":{"from":1,"to":2,"done":1,"total":2}`, ""}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, tenant, answers[0])
		if r.Method == http.MethodGet {
			answers = answers[1:]
		}
	}))
	defer server.Close()
	u := newUser(t)
	out := u.do("tenant", "rotate-key", "acme", "--wait", "--server", server.URL)
	for _, want := range []string{"0 of 2 passwords", "1 of 2 passwords", "The key of tenant acme: version 2."} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is not in:\n%s", want, out)
		}
	}
	answers = []string{`,"rotation":{"from":1,"to":2,"done":1,"total":2,"unreadable":["info"]}`, ""}
	u.refused([]string{"1: ", "info", "set them again"}, "tenant", "rotate-key", "acme", "--wait", "--server", server.URL)

	real, _ := newOffice(t)
	real.says("rotating", "tenant", "rotate-key", "acme")
}

func TestDeadLettersAreShownReplayedAndDropped(t *testing.T) {
	t.Parallel()
	u, o := newOffice(t)
	n := o.Acme.Dead
	u.says("the server hung up", "dead", "list", "--tenant", "acme")
	u.says("Dead letter    "+n, "dead", "show", n)
	u.says("on its way again", "dead", "replay", n)
	u.refused([]string{"3: "}, "dead", "drop", n)
	u.says("is deleted", "dead", "drop", o.Rival.Dead)
}

func TestAccountsAreManaged(t *testing.T) {
	t.Parallel()
	landlord, o := newOffice(t)
	landlord.refused([]string{"4: ", "API tokens do not manage accounts; sign in to do that"}, "account", "invite", "ann")
	u := landlord.as(admintest.Person{Token: operator})
	u.says("/link#", "account", "add", "max", "--role", "reader", "--tenant", "acme", "--display-name", "Max")
	u.says("has no password", "account", "list")
	u.says("/link#", "account", "invite", "max")
	u.says("is changed", "account", "edit", "max", "--disabled")
	u.says("disabled", "account", "show", "max")
	u.says("is deleted", "account", "delete", "max", "--yes")
	u.says("laptop", "token", "list", "ann")
	u.says("works no more", "token", "revoke", o.Rita.ID)
	u.as(o.Rita).refused([]string{"4: "}, "account", "self")
	u.says("192.0.2.7", "session", "list", "ann")
	u.says("has ended", "session", "revoke", o.Ann.Session)
}

func TestShellIsOfferedIds(t *testing.T) {
	t.Parallel()
	u, _ := newOffice(t)
	for want, args := range map[string][]string{
		"acme\nrival\n":     {"tenant", "show", ""},
		"info\n":            {"mailbox", "show", "--tenant", "acme", "in"},
		"support\n":         {"folder", "edit", "--tenant", "acme", ""},
		"ann\nlena\n":       {"account", "show", ""},
		"acme\n":            {"mail", "list", "--tenant", "a"},
		"enable\ndisable\n": {"mailbox", "bulk", ""},
	} {
		if out := u.do(append([]string{"__complete"}, args...)...); !strings.Contains(out, want) {
			t.Errorf("completing %v:\n%s", args, out)
		}
	}
}

// runsHere makes it look as if a service ran in the user's folder.
func (u *user) runsHere(url, token string) {
	u.t.Helper()
	if err := os.MkdirAll(u.data, 0o700); err != nil {
		u.t.Fatal(err)
	}
	unlock, err := mailyard.Home{Dir: u.data}.Lock()
	if err != nil {
		u.t.Fatal(err)
	}
	u.t.Cleanup(unlock)
	raw, err := json.Marshal(mailyard.Endpoints{AdminURL: url, AdminToken: token})
	if err != nil {
		u.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(u.data, "endpoints.json"), raw, 0o600); err != nil {
		u.t.Fatal(err)
	}
}

// The local installation lets in who can read its folder.
func TestTheLocalServiceNeedsNoToken(t *testing.T) {
	t.Parallel()
	_, o := newOffice(t)
	h, err := rest.New(rest.Config{Desk: o.Desk, Accounts: o.Accounts, Operator: secret.NewString(operator), Version: "test", Logger: o.Logger})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(h)
	defer server.Close()
	u := newUser(t)
	u.runsHere(server.URL, operator)
	u.says("operator", "account", "self")
	u.says("acme", "tenant", "list")
}
