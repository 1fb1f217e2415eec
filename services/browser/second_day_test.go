//go:build full

package browser_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/mailyard/mailyard/pkg/demoserver"
	"github.com/mailyard/mailyard/pkg/imapconn/imaptest"
)

// secret is the password of the mailboxes, which no page may show.
const secret = "sesame-of-the-mailbox"

// A secondDay is what an operator does with what runs already.
type secondDay struct {
	*window
	i        *installation
	server   *demoserver.Server
	stubborn *stubborn
	port     int // of the server
}

func TestOperatorsSecondDay(t *testing.T) {
	d := settle(t)
	for _, step := range []struct {
		name string
		run  func(*secondDay)
	}{
		{"key rotation", (*secondDay).rotateKey},
		{"protocol log", (*secondDay).readProtocol},
		{"simulator", (*secondDay).simulate},
		{"a mail and its parts", (*secondDay).readMail},
		{"delete many", (*secondDay).deleteMany},
		{"a mailbox by the keyboard", (*secondDay).addByKeyboard},
		{"dead letter", (*secondDay).replay},
	} {
		ended := false
		t.Run(step.name, func(t *testing.T) {
			d.in(t)
			d.i.in(t)
			step.run(d)
			ended = true
		})
		if !ended {
			t.FailNow()
		}
	}
}

// settle makes a tenant with mailboxes. The mail of one of them becomes a dead
// letter meanwhile: its server lists it and does not send it.
func settle(t *testing.T) *secondDay {
	t.Helper()
	server, err := demoserver.Start(context.Background(), demoserver.Options{Dir: t.TempDir(), Users: map[string]string{
		"front@acme.example": secret, "keys@acme.example": secret, "spare1@acme.example": secret, "spare2@acme.example": secret,
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	d := &secondDay{server: server, stubborn: &stubborn{}, port: server.Addr().Port}
	script := imaptest.NewScript(t, "MOVE UIDPLUS NAMESPACE", nil, d.stubborn.rules())
	hosts := fmt.Sprintf("%s,%s:%d", server.Addr(), script.Host, script.Port)
	d.i = up(t, "MAILYARD_INSECURE_HOSTS="+hosts, "MAILYARD_MAIL_NETWORKS="+hosts, "MAILBOX="+secret)
	documents := "kind: tenant\nid: acme\nname: Acme Bicycles\nencryption_key: generate\n" +
		"---\nkind: folder\ntenant: acme\nid: orders\nname: Orders\naddress: orders@acme.example\n"
	add := func(id, name, user, host string, port int, enabled bool) {
		documents += fmt.Sprintf("---\nkind: mailbox\ntenant: acme\nid: %s\nname: %s\nfolders: [orders]\nenabled: %t\nimap: {host: %s, port: %d}\nusername: %s\npassword: {env: MAILBOX}\n", id, name, enabled, host, port, user)
	}
	add("front-desk", "Front desk", "front@acme.example", "127.0.0.1", d.port, true)
	add("stubborn", "Stubborn", "stubborn@acme.example", script.Host, script.Port, true)
	add("spare-1", "Spare one", "spare1@acme.example", "127.0.0.1", d.port, false)
	add("spare-2", "Spare two", "spare2@acme.example", "127.0.0.1", d.port, false)
	path := filepath.Join(t.TempDir(), "acme.yaml")
	if err := os.WriteFile(path, []byte(documents), 0o600); err != nil {
		t.Fatal(err)
	}
	d.i.run("apply", "-f", path)
	d.window = open(t, d.i.base)
	d.signUp(d.i)
	return d
}

// deliver puts a mail for the folder into the inbox of the front desk.
func (d *secondDay) deliver(subject, rest string) {
	d.t.Helper()
	raw := fmt.Sprintf("From: Kim Example <kim@example.org>\r\nTo: orders@acme.example\r\nSubject: %s\r\nDate: Sun, 22 Nov 2026 12:00:00 +0000\r\n%s", subject, rest)
	if _, err := d.server.Deliver("front@acme.example", []byte(raw)); err != nil {
		d.t.Fatal(err)
	}
}

// rotateKey: both versions are named, every password is read with the new one,
// and mail goes on.
func (d *secondDay) rotateKey() {
	d.visit("/t/acme/parameters")
	d.press("Rotate key")
	d.sees("Version 2 is made")
	d.sees("Version 1 is destroyed when all are done")
	d.accessible()
	d.press("Rotate key")
	d.sees("The rotation has begun")
	d.until("the rotation has ended", `/Version\s+2/.test(document.querySelector("#tenant-key dl")?.innerText) && !document.querySelector("#tenant-key progress")`)
	d.accessible()
	d.finds("/t/acme/audit", "rotation to version 2 ended: 4 passwords are encrypted with it, version 1 is destroyed")
	d.sees("rotation from version 1 to version 2 began")
	d.visit("/t/acme/mailboxes/front-desk/doctor")
	d.press("Start the test")
	d.sees("It works.")
	d.visit("/t/acme/mailboxes")
	d.deliver("After the rotation", text)
	d.holds("Front desk", "Today", `x === "1"`)
}

// deleteMany is done by typing how many they are.
func (d *secondDay) deleteMany() {
	d.visit("/t/acme/mailboxes?q=spare")
	d.tick("Select all on this page", true)
	d.sees("2 selected")
	d.press("Delete")
	d.sees("Spare one and Spare two.")
	const closed = `document.querySelector("dialog[open] [type=submit]").disabled`
	d.fill("Type how many they are", "3")
	d.until("a wrong number does not do", closed)
	d.accessible()
	d.fill("Type how many they are", "2")
	d.until("the number does", "!"+closed)
	d.press("Delete 2 mailboxes")
	d.until("they are gone", `!document.querySelector("dialog[open]") && !/Spare (one|two)/.test(document.querySelector("tbody")?.innerText)`)
	d.visit("/t/acme/mailboxes")
	d.sees("of 2 mailboxes")
}
