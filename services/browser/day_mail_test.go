//go:build full

package browser_test

import (
	"strings"

	"github.com/chromedp/chromedp"
)

// ledger finds the mail and shows its way; what is in it can do no harm.
func (d *day) ledger() {
	d.press("Mail")
	d.sees("Your red bicycle")
	d.accessible()
	d.key("/")
	d.key("red bicycle\r")
	d.until("the search found one", `document.querySelectorAll("tbody tr").length === 1`)
	d.sees("Your red bicycle")
	d.accessible()
	d.press("Your red bicycle")
	d.sees("Why it is where it is")
	d.sees("Its way")
	d.until("it is said to be in Orders", `/In\s+Orders\s+because/.test(document.querySelector(".clones")?.innerText)`)
	d.accessible()

	d.press("HTML")
	d.until("the frame shows", `document.querySelector("iframe[sandbox='']")`)
	d.accessible()
	src := ask(d.window, "reading the frame's address", chromedp.Evaluate[string](`document.querySelector("iframe").getAttribute("src")`))
	status, text := d.status("GET", src)
	if status != 200 || !strings.Contains(text, "<b>red</b>") {
		d.t.Errorf("the frame shows (%d):\n%s", status, text)
	}
	for _, bad := range []string{"<script", "tracker.example", "onerror"} {
		if strings.Contains(strings.ToLower(text), bad) {
			d.t.Errorf("the frame has %s:\n%s", bad, text)
		}
	}
	d.misses("taken over")
	if title := ask(d.window, "reading the title", chromedp.Title()); strings.Contains(title, "taken over") {
		d.t.Error("the mail ran its script")
	}
}

// explain asks the simulator, which knows what the classifier would do.
func (d *day) explain() {
	d.press("Simulator")
	d.sees("nobody@elsewhere.example") // of the circular, which no folder has
	d.accessible()
	d.press("Dead letters")
	d.accessible()
	d.press("System")
	d.sees("Oldest waiting mail")
	d.accessible()
}
