//go:build full

package browser_test

import (
	"fmt"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// tabTo presses Tab until an element with these words has the focus, and checks
// on the way that one can see where the focus is.
func (w *window) tabTo(text string) {
	w.t.Helper()
	const most = 60
	for range most {
		w.key(kb.Tab)
		if ask(w, "looking for the focus", chromedp.Evaluate[bool](fmt.Sprintf(`(() => { %s
			var e = document.activeElement; var label = e.labels && e.labels[0] ? plain(e.labels[0].innerText) : "";
			return named(e).startsWith(plain(%q)) || label.startsWith(plain(%q)); })()`, finders, text, text))) {
			w.focusVisible(text)
			return
		}
	}
	w.t.Fatalf("%d times Tab do not reach %q\n%s", most, text, w.shown())
}

// focusVisible fails the test unless what has the focus looks different from what
// it looks like without.
func (w *window) focusVisible(what string) {
	w.t.Helper()
	if !ask(w, "looking at the focus", chromedp.Evaluate[bool](`(() => {
		var e = document.activeElement; if (!e.matches(":focus-visible")) return false;
		var all = e => [e, e.parentElement].flatMap(x => { var s = getComputedStyle(x); return [s.outlineStyle === "none" ? "" : s.outlineWidth + s.outlineColor, s.boxShadow, s.borderColor, s.backgroundColor]; }).join();
		var shown = all(e), rect = e.getBoundingClientRect(); e.blur(); var without = all(e); e.focus();
		return shown !== without && rect.width > 0; })()`)) {
		w.t.Errorf("one cannot see that %q has the focus", what)
	}
}

// keyboard: from the sign-in to a mailbox without a mouse.
func (d *day) keyboard() {
	w := open(d.t, d.base)
	w.visit("/sign-in?next=/t/acme/folders")
	w.until("the first field has the focus", `document.activeElement.name === "name"`)
	w.key("lena")
	w.key(kb.Tab)
	w.key(password)
	w.key(kb.Enter)
	w.until("one is signed in", `location.pathname === "/t/acme/folders"`)
	w.tabTo("Skip to the content")
	w.key(kb.Enter)
	w.key("gm")
	w.until("the list shows", `location.pathname === "/t/acme/mailboxes" && document.readyState === "complete"`)
	w.key("/")
	w.until("the search has the focus", `document.activeElement.id === "mailbox-search"`)
	w.key("front")
	w.until("the list is filtered", `location.search.includes("q=front") || document.querySelectorAll("tbody tr").length === 1`)
	w.tabTo("Front desk")
	w.key(kb.Enter)
	w.until("the mailbox shows", `location.pathname === "/t/acme/mailboxes/front-desk"`)
	w.tabTo("Edit")
	w.key(kb.Enter)
	w.until("the form shows", `location.pathname.endsWith("/edit")`)
	w.tabTo("Name")
	w.key("?") // is typed, and opens nothing
	w.until("what is typed is typed", `document.querySelector("#field-name").value.includes("?") && !document.querySelector("dialog[open]")`)
	w.keyWithControl("s")
	w.sees("is saved")
	w.visit("/t/acme/mailboxes/front-desk/edit")
	w.fill("Name", "Front desk")
	w.press("Save changes")
	w.sees("Mailbox Front desk is saved")
	w.key("?")
	w.sees("Search on this page")
	w.accessible()
	w.key(kb.Escape)
	w.until("the keys are gone", `!document.querySelector("dialog[open]")`)
}
