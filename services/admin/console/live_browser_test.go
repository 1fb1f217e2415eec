//go:build full

package console

import (
	"context"
	"net/http/httptest"
	"os"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"github.com/mailyard/mailyard/pkg/config"
	"github.com/mailyard/mailyard/schemas"
)

// A list that refreshes shows what is new to somebody who uses the keyboard, and
// leaves the focus, an open menu and the selection as they are.
func TestARefreshLeavesTheKeyboardAlone(t *testing.T) {
	t.Parallel()
	chromium := os.Getenv("MAILYARD_TEST_CHROMIUM")
	if chromium == "" {
		t.Fatal("MAILYARD_TEST_CHROMIUM does not name a Chromium; run `make test`, or deploy/test/servers.sh with the command")
	}
	s, o := newOfficeSite(t)
	putMailbox(t, o, "first", nil)
	m := putMailbox(t, o, "second", func(d *config.Mailbox) { d.Enabled = true })
	state := schemas.MailboxState{Mailbox: "second", Status: schemas.StatusLive, Revision: m.Revision}
	tell(t, o, state)
	web := httptest.NewServer(s.handler)
	defer web.Close()
	allocator, stop := chromedp.NewExecAllocator(context.Background(), append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(chromium), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(t.TempDir()))...)
	defer stop()
	ctx, quit := chromedp.NewContext(allocator)
	defer quit()
	if err := chromedp.Do(ctx, chromedp.Navigate("about:blank")); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	if _, err := chromedp.Call(ctx, network.SetCookie, network.SetCookieParams{Name: "mailyard", Value: o.Ann.Cookie, URL: web.URL}); err != nil {
		t.Fatal(err)
	}
	run := func(what, script string) {
		t.Helper()
		if ok, err := chromedp.Run(ctx, chromedp.Evaluate[bool](script)); err != nil || !ok {
			t.Fatalf("%s: %v", what, err)
		}
	}
	if err := chromedp.Do(ctx, chromedp.Navigate(web.URL+"/t/acme/mailboxes"), chromedp.WaitVisible("#mailbox-second-menu")); err != nil {
		t.Fatal(err)
	}
	run("opening the menu and choosing a row", `(() => {
		document.querySelector("#mailbox-first-row").click();
		const menu = document.querySelector("#mailbox-second-menu");
		menu.click();
		menu.focus();
		window.menu = menu;
		return document.activeElement === menu && document.body.innerText.includes("1 selected");
	})()`)
	state.Status, state.Detail = schemas.StatusUnreachable, "No connection could be made."
	tell(t, o, state)
	if _, err := chromedp.Run(ctx, chromedp.Poll[bool](`document.querySelector("#mailbox-second-line .c-in").innerText.includes("Unreachable")`, chromedp.WithPollingInterval(100*time.Millisecond), chromedp.WithPollingTimeout(time.Minute))); err != nil {
		t.Fatalf("the new state does not appear while the focus is in the list: %v", err)
	}
	for what, script := range map[string]string{
		"the focus":     `document.activeElement === window.menu && window.menu.isConnected`,
		"the menu":      `window.menu.parentElement.open`,
		"the selection": `document.querySelector("#mailbox-first-row").checked && document.body.innerText.includes("1 selected")`,
	} {
		run(what+" is lost", script)
	}
	// A row that goes away takes nothing else with it; one that comes has a menu that works.
	if err := o.Control.DeleteMailbox(ctx, o.Ann.Actor, "acme", "info", 0); err != nil {
		t.Fatal(err)
	}
	putMailbox(t, o, "another", nil)
	if _, err := chromedp.Run(ctx, chromedp.Poll[bool](`!document.querySelector("#mailbox-info-line") && !!document.querySelector("#mailbox-another-line")`, chromedp.WithPollingInterval(100*time.Millisecond), chromedp.WithPollingTimeout(time.Minute))); err != nil {
		t.Fatalf("the rows do not change: %v", err)
	}
	run("the focus or the menu is lost when rows change", `document.activeElement === window.menu && window.menu.parentElement.open`)
	run("deleting from the menu of a new row", `(() => { document.querySelector("#mailbox-another-menu").click(); document.querySelector("#mailbox-another-line .danger").click(); return true; })()`)
	if err := chromedp.Do(ctx, chromedp.WaitVisible("dialog[open]")); err != nil {
		t.Fatal(err)
	}
}
