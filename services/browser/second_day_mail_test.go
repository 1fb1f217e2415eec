//go:build full

package browser_test

import (
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/chromedp/chromedp"
)

// rich is the rest of a mail with text, HTML that would do harm, and an
// attachment that would too, were it shown.
const rich = "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=m\r\n\r\n" +
	"--m\r\nContent-Type: multipart/alternative; boundary=a\r\n\r\n--a\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nThe plain words.\r\n" +
	"--a\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<p>The <b>bold</b> words.</p><script>top.document.title = 'taken over'</script><img src=\"http://tracker.example/p.gif\" onerror=\"top.document.title = 'taken over'\"><form action=\"http://tracker.example\"><input name=q></form><a href=\"javascript:alert(1)\">link</a>\r\n--a--\r\n" +
	"--m\r\nContent-Type: text/html\r\nContent-Disposition: attachment; filename=\"page.html\"\r\n\r\n" + active + "\r\n--m--\r\n"

const active = "<script>document.title = 'taken over'</script>"

// readProtocol: the log shows a sign-in and a mail, without password and mail.
func (d *secondDay) readProtocol() {
	d.visit("/t/acme/mailboxes/front-desk/protocol")
	d.sees("The log is off")
	d.press("5 minutes")
	d.sees("The log is on")
	d.talk()
	d.i.run("mailbox", "disable", "front-desk", "--tenant", "acme") // so that it signs in again
	d.i.run("mailbox", "enable", "front-desk", "--tenant", "acme")
	d.until("the sign-in is logged", `/AUTHENTICATE|LOGIN/.test(document.querySelector("#protocol-log-lines")?.innerText)`)
	d.until("the download is logged", `/UID FETCH \S+ .*BODY/.test(document.querySelector("#protocol-log-lines")?.innerText)`)
	d.until("the move is logged", `/UID MOVE/.test(document.querySelector("#protocol-log-lines")?.innerText)`)
	d.accessible()
	shown := d.shown()
	for _, bad := range []string{secret, base64.StdEncoding.EncodeToString([]byte("\x00front@acme.example\x00" + secret)), "Words of the mail", "While the log is on"} {
		if strings.Contains(shown, bad) {
			d.t.Errorf("the protocol log shows %q", bad)
		}
	}
	d.press("Switch off")
	d.sees("The log is off")
}

// talk lets mail come until something is logged: a replica looks every other
// second at whether the log is on.
func (d *secondDay) talk() {
	d.t.Helper()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(patience)
	for !ask(d.window, "looking at the log", chromedp.Evaluate[bool](`document.querySelector("#protocol-log-lines").children.length > 0`)) {
		inbox, err := d.server.Messages("front@acme.example", "INBOX")
		if err != nil {
			d.t.Fatal(err)
		}
		if len(inbox) == 0 {
			d.deliver("While the log is on", "\r\nWords of the mail\r\n")
		}
		select {
		case <-tick.C:
		case <-deadline:
			d.t.Fatalf("nothing is logged\n%s", d.shown())
		}
	}
}

// simulate drops one file and chooses another.
func (d *secondDay) simulate() {
	file := func(name, to string) string {
		path := filepath.Join(d.t.TempDir(), name)
		if err := os.WriteFile(path, []byte("To: "+to+"\r\nSubject: A file\r\n\r\nx"), 0o600); err != nil {
			d.t.Fatal(err)
		}
		return path
	}
	d.visit("/t/acme/simulator")
	d.sees("Drop an .eml here")
	d.drop("[data-drop]", file("dropped.eml", "orders@acme.example"))
	d.sees("dropped.eml")
	d.press("Simulate")
	d.sees("To Orders because To: orders@acme.example matched exactly.")
	d.accessible()
	d.do("choosing a file", chromedp.SetUploadFiles("[data-drop] input", []string{file("chosen.eml", "nobody@acme.example")}))
	d.sees("chosen.eml")
	d.press("Simulate")
	d.sees("It would be in no folder.")
	d.sees("No folder of the mailbox has this address.")
}

// readMail looks at every part of a mail; nothing in it acts.
func (d *secondDay) readMail() {
	d.deliver("Three parts", rich)
	d.finds("/t/acme/mails?subject=Three+parts", "Kim Example")
	d.press("Three parts")
	d.sees("Its way")
	at := d.path()
	d.press("Text")
	d.sees("The plain words.")
	d.press("HTML")
	d.until("the frame shows", `location.search.includes("view=html") && document.readyState === "complete" && document.querySelector("iframe[sandbox='']")?.getClientRects().length`)
	status, shown := d.status("GET", ask(d.window, "reading the frame's address", chromedp.Evaluate[string](`document.querySelector("iframe").getAttribute("src")`)))
	if status != 200 || !strings.Contains(shown, "<b>bold</b>") {
		d.t.Errorf("the frame shows (%d):\n%s", status, shown)
	}
	for _, bad := range []string{"<script", "<form", "javascript:", "onerror", "tracker.example"} {
		if strings.Contains(strings.ToLower(shown), bad) {
			d.t.Errorf("the frame has %s:\n%s", bad, shown)
		}
	}
	d.accessible()
	d.press("Source")
	d.sees("boundary=m")

	file := ask(d.window, "looking for the attachment", chromedp.Evaluate[string](`document.querySelector('a[download][aria-label="Download page.html"]').getAttribute("href")`))
	head := ask(d.window, "asking for the attachment", chromedp.Evaluate[string](fmt.Sprintf(`fetch(%q).then(async r => [r.headers.get("Content-Disposition"), r.headers.get("Content-Type"), r.headers.get("X-Content-Type-Options"), r.headers.get("Content-Security-Policy"), await r.text()].join("\n"))`, file), chromedp.EvalAwaitPromise))
	for _, want := range []string{"attachment;", "page.html", "application/octet-stream", "nosniff", "sandbox", active} {
		if !strings.Contains(head, want) {
			d.t.Errorf("the attachment comes without %q:\n%s", want, head)
		}
	}
	if got := d.saved("Download page.html", "page.html"); strings.TrimSpace(string(got)) != active {
		d.t.Errorf("the browser saved %q", got)
	}
	if now := d.path(); !strings.HasPrefix(now, strings.Split(at, "?")[0]) {
		d.t.Errorf("the download led to %s", now)
	}
	if title := ask(d.window, "reading the title", chromedp.Title()); strings.Contains(title, "taken over") {
		d.t.Error("the mail ran its script")
	}
}
