//go:build full

package browser_test

import (
	"fmt"
	"strings"

	"github.com/chromedp/chromedp"
)

// invite makes an account and returns its one-time link.
func (d *day) invite(name, role, tenant string) string {
	d.t.Helper()
	d.visit("/accounts/new")
	d.fill("Name", name)
	d.tick(role, true)
	d.fill("Tenant", tenant)
	d.accessible()
	d.press("Create account")
	d.sees("Account " + name + " is created")
	d.accessible()
	return ask(d.window, "reading the link", chromedp.Evaluate[string](`document.querySelector(".made code").innerText.trim()`))
}

// follow opens a browser of its own with a one-time link, and sets the password.
func (d *day) follow(link, name string) *window {
	d.t.Helper()
	w := open(d.t, d.base)
	w.visit(link)
	w.sees("Set your password")
	w.accessible()
	w.fill("Password", password)
	w.press("Set password and sign in")
	w.sees("signed in as " + name)
	return w
}

// reader sees everything of the tenant and changes nothing.
func (d *day) reader() {
	link := d.invite("rita@acme.example", "Read only", "acme")
	w := d.follow(link, "rita@acme.example")
	w.sees("Front desk")
	for _, page := range []struct{ path, shows string }{
		{"/t/acme/mailboxes", "Front desk"},
		{"/t/acme/mailboxes/front-desk", "Overview"},
		{"/t/acme/mailboxes/front-desk/settings", "Effective settings"},
		{"/t/acme/folders", "orders@acme.example"},
		{"/t/acme/audit", "Who did what"},
		{"/account", "API tokens"},
	} {
		w.visit(page.path)
		w.sees(page.shows)
		w.accessible()
		for _, button := range []string{"New mailbox", "New folder", "Edit", "Delete", "Disable", "Enable", "Dry run", "Actions for", "New tenant", "New account"} {
			if ask(w, "looking for a button", chromedp.Evaluate[bool](fmt.Sprintf(`(() => { %s
				return [...document.querySelectorAll("main button, main a, main summary")].some(e => visible(e) && (named(e) === plain(%q) || named(e).startsWith(plain(%q) + " "))); })()`, finders, button, button))) {
				w.t.Errorf("%s offers %q to a reader", page.path, button)
			}
		}
	}
	for path, want := range map[string]int{
		"/t/acme/mailboxes/front-desk/disable": 403, "/t/acme/mailboxes/front-desk/delete": 403, "/t/acme/mailboxes/front-desk/edit": 403,
		"/t/acme/new-mailbox": 403, "/t/acme/folders": 403, "/t/acme/bulk": 403, "/tenants": 404, "/t/acme/key/rotate": 404, "/accounts": 404,
	} {
		if status, text := w.status("POST", path); status != want {
			w.t.Errorf("POST %s by a reader: %d, want %d\n%.300s", path, status, want, text)
		}
	}
	d.visit("/t/acme/mailboxes")
	d.holds("Front desk", "Enabled", `x === "Yes"`)
}

// rival is the administrator of another tenant, to whom acme does not exist.
func (d *day) rival() {
	link := d.invite("dora@demo.example", "Tenant administrator", "demo")
	w := d.follow(link, "dora@demo.example")
	w.sees("Demo mailbox")
	w.accessible()
	for _, path := range []string{"/", "/t/demo/mailboxes", "/t/demo/mailboxes?q=desk", "/t/demo/folders", "/t/demo/folders?q=help", "/t/demo/audit", "/t/demo/audit?id=front-desk", "/accounts", "/account"} {
		w.visit(path)
		w.sees("dora@demo.example")
		w.misses("Front desk")
		w.misses("acme")
	}
	// A guessed path answers exactly as one of a tenant that never was.
	for _, path := range []string{"", "/mailboxes", "/mailboxes/front-desk", "/mailboxes/front-desk/edit", "/mailboxes/front-desk/protocol", "/new-mailbox", "/folders", "/folders/at/orders", "/mails", "/dead-letters", "/audit", "/simulator", "/parameters", "/key"} {
		for _, method := range []string{"GET", "POST"} {
			status, text := w.status(method, "/t/acme"+path)
			nowhere, same := w.status(method, "/t/nowhere"+path)
			if status != nowhere || strings.ReplaceAll(text, "nowhere", "acme") != strings.ReplaceAll(same, "nowhere", "acme") {
				w.t.Errorf("%s /t/acme%s answers %d, and differs from what does not exist (%d)\n%.400s\n%.400s", method, path, status, nowhere, text, same)
			}
			if status != 404 && status != 405 {
				w.t.Errorf("%s /t/acme%s answers %d, want 404", method, path, status)
			}
		}
	}
	for _, path := range []string{"/tenants", "/system", "/audit", "/accounts/at/rita@acme.example", "/accounts/at/lena"} {
		if status, _ := w.status("GET", path); status != 404 {
			w.t.Errorf("GET %s by a tenant's administrator: %d, want 404", path, status)
		}
	}
}
