//go:build full

package browser_test

import (
	"strconv"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// addByKeyboard adds a mailbox, tests and enables it, without a pointer.
func (d *secondDay) addByKeyboard() {
	d.visit("/t/acme/mailboxes")
	d.sees("Front desk")
	d.tabTo("New mailbox")
	d.key(kb.Enter)
	d.until("the form shows", `document.readyState === "complete" && document.querySelector("#mailbox-form[data-new]")`)
	for _, field := range []struct{ label, keys string }{
		{"Name", "By keys"},
		{"Orders", " "},
		{"Username", "keys@acme.example"},
		{"Password", secret},
		{"IMAP address", "127.0.0.1"},
		{"IMAP port", strconv.Itoa(d.port)}, // what is there is selected when Tab leads to it
	} {
		d.tabTo(field.label)
		for !ask(d.window, "looking for a field", chromedp.Evaluate[bool](`document.activeElement.matches("input")`)) {
			d.tabTo(field.label) // that was a link to it, from what is missing before it can be enabled
		}
		d.key(field.keys)
	}
	d.until("what was typed stands there", `(f => f.elements["name"].value === "By keys" && f.elements["username"].value === "keys@acme.example" && f.elements["imap.port"].value === "`+strconv.Itoa(d.port)+`" && f.querySelector("[name=folders]").checked)(document.querySelector("#mailbox-form"))`)
	d.tabTo("Test")
	d.key(kb.Enter)
	d.until("the test ends", `document.querySelector("#doctor-end") && !document.querySelector("#doctor-end[data-running]")`)
	d.sees("It works.")
	d.keyWithControl("s")
	d.sees("Mailbox By keys is created")
	d.tabTo("Enable")
	d.key(kb.Enter)
	d.sees("is enabled")
	d.visit("/t/acme/mailboxes")
	d.holds("By keys", "In", `x.startsWith("Live")`)
}
