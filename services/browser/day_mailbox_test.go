//go:build full

package browser_test

import "strings"

// stepShows waits until a step of the doctor is in a state, and shows a text.
func (d *day) stepShows(id, tone, text string) {
	d.t.Helper()
	d.until("step "+id+" is "+tone+" and shows "+text, `document.querySelector("#step-`+id+`.tone-`+tone+`")?.innerText.includes("`+text+`")`)
}

func (d *day) tryWrongPort() {
	_, submission := d.i.ports()
	d.press("Mailboxes")
	d.press("New mailbox")
	d.sees("Max email LW size in bytes")
	d.fill("Name", "Front desk")
	d.tick("Help desk", true)
	d.tick("Orders", true)
	d.sees("2 of 2 chosen")
	d.fill("Username", "desk@demo.example")
	d.fill("Password", "demo")
	d.fill("IMAP address", "127.0.0.1")
	d.fill("IMAP port", "993") // nothing listens there
	d.fill("SMTP address", "127.0.0.1")
	d.fill("SMTP port", submission)
	d.fill("Max email size in bytes", "5 MB")
	d.sees("5,000,000 bytes")
	d.press("Test")
	d.sees("It does not work yet.")
	d.stepShows("connect", "bad", "refused")
	d.until("the step says what to do", `document.querySelector("#step-connect .remedy")?.innerText.length > 20`)
	d.accessible()
}

func (d *day) mendPort() {
	imap, _ := d.i.ports()
	d.fill("IMAP port", imap)
	d.press("Test")
	d.until("the test ends", `document.querySelector("#doctor-end") && !document.querySelector("#doctor-end[data-running]") && document.querySelector("#step-sign-in.tone-ok")`)
	d.sees("It works.")
	d.until("the mail to itself arrived", `[...document.querySelectorAll("#doctor-steps .step.tone-ok")].some(s => /itself/i.test(s.innerText))`)
	d.misses("It does not work yet.")
	d.accessible()
	d.press("Create mailbox")
	d.sees("Mailbox Front desk is created")
	d.accessible()
}

// dryRun shows where mail would go, and touches nothing; then the mailbox is enabled.
func (d *day) dryRun() {
	d.i.deliver("help@acme.example", "A flat tyre", text)
	d.i.deliver("nobody@elsewhere.example", "A circular", text)
	d.press("Dry run")
	d.sees("Nothing is touched")
	d.accessible()
	d.press("Start the dry run")
	d.sees("Nothing was touched.")
	d.sees("A flat tyre")
	d.sees("A circular")
	d.accessible()
	d.until("the mail for nobody is invalid", `[...document.querySelectorAll("tr")].some(r => r.innerText.includes("A circular") && /no folder|unmatched|invalid/i.test(r.innerText))`)
	d.press("Enable mailbox")
	d.sees("Mailbox Front desk is enabled")
	d.press("Routing")
	d.holds("Front desk", "In", `x.startsWith("Live")`)
	d.holds("Front desk", "Today", `x === "1"`)
	d.holds("Front desk", "Failed", `x === "1"`)
}

// mailFlows leaves the window alone: what arrives shows by itself.
func (d *day) mailFlows() {
	d.script("marking the page", "window.stayed = true")
	d.i.deliver("orders@acme.example", "Your red bicycle", html)
	d.holds("Front desk", "Today", `x === "2"`)
	d.until("the page is the same", "window.stayed")
	d.accessible()
}

// edit opens the form of the mailbox.
func (w *window) edit() {
	w.t.Helper()
	w.visit("/t/acme/mailboxes/front-desk/edit")
	w.sees("Max email LW size in bytes")
}

// editTwice: two people save the same mailbox, and neither loses what was typed.
func (d *day) editTwice() {
	other := d.another()
	d.edit()
	other.edit()
	d.accessible()
	d.fill("Description", "By the first window")
	d.press("Save changes")
	d.sees("Mailbox Front desk is saved")

	other.front()
	other.fill("Max number of items to collect", "20")
	other.press("Save changes")
	other.sees("Changed meanwhile by lena")
	other.sees("By the first window")
	other.accessible()
	other.press("Save changes")
	other.sees("Mailbox Front desk is saved")
	other.visit("/t/acme/mailboxes/front-desk/settings")
	other.sees("By the first window")
	other.sees("20")
	other.accessible()
	d.front()
}

// guard: nothing typed is lost by a wrong click.
func (d *day) guard() {
	d.edit()
	before := d.watch.questions()
	d.fill("Description", "Not saved")
	d.watch.answer(false)
	d.press("Audit")
	d.until("the form is still there", `document.querySelector("#field-description")?.value === "Not saved"`)
	if d.watch.questions() == before {
		d.t.Error("leaving unsaved changes asks nothing")
	}
	d.watch.answer(true)
	d.press("Audit")
	d.sees("Who did what, when, and from where")
	d.edit()
	d.until("nothing was saved", `document.querySelector("#field-description").value === "By the first window"`)
}

// wrongPassword: the open list says what is wrong, and when it is mended.
func (d *day) wrongPassword() {
	d.visit("/t/acme/mailboxes")
	d.holds("Front desk", "In", `x.startsWith("Live")`)
	d.script("marking the page", "window.stayed = true")
	other := d.another()
	change := func(password string) {
		other.front()
		other.edit()
		other.fill("Password", password)
		other.press("Save changes")
		other.sees("Mailbox Front desk is saved")
		d.front()
	}
	change("wrong")
	d.holds("Front desk", "In", `x.startsWith("Sign-in failed")`)
	d.holds("Front desk", "Last error", `x.length > 10`)
	d.accessible()
	change("demo")
	d.holds("Front desk", "In", `x.startsWith("Live")`)
	d.until("the page is the same", "window.stayed")
}

func (d *day) bulkDisable() {
	d.visit("/t/acme/mailboxes")
	d.tick("Select all on this page", true)
	d.sees("1 selected")
	d.press("Disable")
	d.sees("Disable 1 mailbox?")
	d.sees("Front desk")
	d.accessible()
	d.press("Disable")
	d.holds("Front desk", "Enabled", `x === "No"`)
	d.holds("Front desk", "In", `x.startsWith("Disabled")`)
}

func (d *day) deleteMailbox() {
	d.press("Front desk")
	d.press("Delete")
	d.sees("Delete mailbox Front desk?")
	d.sees("3 mails that are stored stay in the messaging database")
	d.accessible()
	d.until("it cannot be sent yet", `document.querySelector("dialog[open] [type=submit]").disabled`)
	d.fill("Type the name of the mailbox", "Front desk")
	d.press("Delete mailbox")
	d.sees("Mailbox Front desk is deleted")
	d.sees("No mailboxes yet")
}

func (d *day) audit() {
	d.press("Audit")
	for _, what := range []string{"front-desk", "deleted", "created", "updated"} {
		d.sees(what)
	}
	d.accessible()
	d.press("Audit of all")
	for _, what := range []string{"acme", "lena", "rita"} {
		d.sees(what)
	}
	if text := d.shown(); strings.Contains(text, "demo-password") || strings.Contains(text, password) {
		d.t.Error("the audit shows a secret")
	}
	d.accessible()
}

// signOut: neither the back button nor another window shows anything afterwards.
func (d *day) signOut() {
	d.visit("/t/acme/folders")
	d.sees("orders@acme.example")
	other := d.another()
	other.visit("/t/acme/folders/new")
	other.sees("Email address")
	d.front()
	d.press("lena")
	d.press("Sign out")
	d.until("the sign-in shows", `location.pathname === "/sign-in"`)
	d.accessible()
	d.script("going back", "window.left = true; history.back()")
	d.until("the sign-in shows again", `!window.left && document.readyState === "complete" && location.pathname === "/sign-in"`)
	d.misses("orders@acme.example")
	other.front()
	other.fill("Name", "Late")
	other.fill("Email address", "late@acme.example")
	other.press("Create folder")
	other.until("the sign-in shows", `location.pathname === "/sign-in"`)
	if status, _ := d.status("GET", "/t/acme/folders"); status != 200 { // of the sign-in, where it leads
		d.t.Errorf("asking for a page answers %d", status)
	}
}
