//go:build full

package browser_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// patience is how long a page may take to show what it should.
const patience = 30 * time.Second

// A window is a window of a browser. Its methods fail the test, with what the
// page shows.
type window struct {
	t     testing.TB
	ctx   context.Context
	base  string // address of the console
	watch *watch
}

// open starts a browser with nothing in it, and opens a window. It ends with the test.
func open(t testing.TB, base string) *window {
	t.Helper()
	path := os.Getenv("MAILYARD_TEST_CHROMIUM")
	if path == "" {
		t.Fatal("MAILYARD_TEST_CHROMIUM does not name a Chromium; run `make test`, or deploy/test/servers.sh with the command")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.WindowSize(1280, 900), chromedp.ProxyServer(outside(t)),
	)
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(stop)
	ctx, quit := chromedp.NewContext(allocator)
	t.Cleanup(quit)
	w := &window{t: t, ctx: ctx, base: base}
	w.begin()
	return w
}

// another opens a second window of the same browser: signed in as the first.
func (w *window) another() *window {
	w.t.Helper()
	ctx, quit := chromedp.NewContext(w.ctx)
	w.t.Cleanup(quit)
	other := &window{t: w.t, ctx: ctx, base: w.base}
	other.begin()
	return other
}

// begin opens the window. The first one starts the browser, which a time limit
// here would end.
func (w *window) begin() {
	w.t.Helper()
	if err := chromedp.Do(w.ctx, chromedp.Navigate("about:blank")); err != nil {
		w.t.Fatalf("opening the browser: %v", err)
	}
	w.watch = &watch{leave: true}
	if err := w.watch.begin(w.ctx, w.base); err != nil {
		w.t.Fatalf("listening to the browser: %v", err)
	}
	w.t.Cleanup(func() { w.well() })
}

// in goes on with the window in another test, usually one within its own.
func (w *window) in(t testing.TB) {
	t.Helper()
	before := w.t
	w.t = t
	t.Cleanup(func() {
		w.well()
		w.t = before
	})
}

// well fails the test with what the pages did wrong meanwhile.
func (w *window) well() {
	w.t.Helper()
	for _, c := range w.watch.complaints() {
		w.t.Error(c)
	}
}

// front brings the window before the others: a hidden one does not refresh itself.
func (w *window) front() {
	w.t.Helper()
	if _, err := chromedp.Call(w.ctx, page.BringToFront, cdp.Empty{}); err != nil {
		w.t.Fatal(err)
	}
}

func (w *window) do(what string, steps ...chromedp.Action[chromedp.Void]) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		w.t.Fatalf("%s: %v\n%s", what, err, w.shown())
	}
}

// ask runs an action that returns something.
func ask[T any](w *window, what string, action chromedp.Action[T]) T {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.ctx, patience)
	defer cancel()
	v, err := chromedp.Run(ctx, action)
	if err != nil {
		w.t.Fatalf("%s: %v\n%s", what, err, w.shown())
	}
	return v
}

// script runs JavaScript whose value nobody needs.
func (w *window) script(what, text string) {
	w.t.Helper()
	ask(w, what, chromedp.Evaluate[bool](text+"; true"))
}

// shown is what the page says, for a failure.
func (w *window) shown() string {
	ctx, cancel := context.WithTimeout(w.ctx, 5*time.Second)
	defer cancel()
	text, err := chromedp.Run(ctx, chromedp.Evaluate[string](`"at " + location + " the page shows:\n" + (document.body ? document.body.innerText : "")`))
	if err != nil {
		return fmt.Sprintf("(and the page cannot be read: %v)", err)
	}
	return text
}

// visit goes to a path of the console, or to a whole address.
func (w *window) visit(path string) {
	w.t.Helper()
	if !strings.Contains(path, "://") {
		path = w.base + path
	}
	w.do("visiting "+path, chromedp.Navigate(path))
}

// path returns where the window is.
func (w *window) path() string {
	w.t.Helper()
	return strings.TrimPrefix(ask(w, "asking where we are", chromedp.Location()), w.base)
}

// until waits for an expression of the page to become true, over whatever pages
// come meanwhile.
func (w *window) until(what, expression string) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.ctx, patience)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		// An error is the end of the page that was asked, or of the time.
		if ok, err := chromedp.Run(ctx, chromedp.Evaluate[bool]("Boolean("+expression+")")); ok && err == nil {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			w.t.Fatalf("waited in vain until %s\n%s", what, w.shown())
		}
	}
}

// sees waits until the page shows a text.
func (w *window) sees(text string) {
	w.t.Helper()
	w.until(fmt.Sprintf("the page shows %q", text), fmt.Sprintf(`document.body && document.body.innerText.replace(/\s+/g, " ").toLowerCase().includes(%q.toLowerCase())`, text))
}

// finds visits a page, which does not refresh itself, until it shows a text.
func (w *window) finds(path, text string) {
	w.t.Helper()
	for deadline := time.Now().Add(patience); ; {
		w.visit(path)
		if strings.Contains(strings.ToLower(w.shown()), strings.ToLower(text)) {
			return
		}
		if time.Now().After(deadline) {
			w.t.Fatalf("%s does not show %q\n%s", path, text, w.shown())
		}
	}
}

// misses fails if the page shows a text now.
func (w *window) misses(text string) {
	w.t.Helper()
	if ask(w, "reading the page", chromedp.Evaluate[bool](fmt.Sprintf(`document.documentElement.innerText.toLowerCase().includes(%q.toLowerCase())`, text))) {
		w.t.Errorf("the page shows %q\n%s", text, w.shown())
	}
}

// finders are the ways to find an element by its words: it must be visible, and
// in the open dialog if there is one.
const finders = `
var scope = document.querySelector("dialog[open]") || document;
var plain = s => (s || "").replace(/\s+/g, " ").trim().toLowerCase();
var visible = e => e.getClientRects().length > 0 && getComputedStyle(e).visibility !== "hidden";
var named = e => plain(e.getAttribute("aria-label")) || plain(e.innerText) || plain(e.value);
var clickable = text => {
	var all = [...scope.querySelectorAll("button, a, summary, [role=tab], [role=menuitem], input[type=submit]")].filter(visible);
	return all.find(e => named(e) === plain(text)) || all.find(e => named(e).startsWith(plain(text))) || all.find(e => named(e).includes(plain(text)));
};
var control = text => {
	var labels = [...scope.querySelectorAll("label, legend")];
	var own = e => plain([...e.childNodes].filter(n => n.nodeType === 3 || !n.matches || !n.matches("input,select,textarea,.hint,.help")).map(n => n.textContent).join(" "));
	var found = labels.find(e => own(e) === plain(text)) || labels.find(e => own(e).startsWith(plain(text)));
	if (found) return found.control || found.querySelector("input,select,textarea") || document.getElementById(found.htmlFor);
	return [...scope.querySelectorAll("input,select,textarea")].find(e => plain(e.getAttribute("aria-label")) === plain(text) || plain(e.placeholder) === plain(text));
};
`

// mark waits for what a finder finds, marks it, and returns a selector of it.
func (w *window) mark(finder, text string) string {
	w.t.Helper()
	w.until(fmt.Sprintf("there is a %s %q", finder, text), fmt.Sprintf(`(() => { %s
		document.querySelectorAll("[data-found]").forEach(e => e.removeAttribute("data-found"));
		var e = %s(%q); if (!e || e.disabled) return false; e.setAttribute("data-found", ""); e.scrollIntoView({block: "center"}); return true; })()`, finders, finder, text))
	return "[data-found]"
}

// press clicks on a button, a link or a tab, by its words.
func (w *window) press(text string) {
	w.t.Helper()
	w.do("pressing "+text, chromedp.Click(w.mark("clickable", text)))
}

// fill types into a field, by its label, in place of what stands there.
func (w *window) fill(label, text string) {
	w.t.Helper()
	at := w.mark("control", label)
	w.script("emptying "+label, `(e => { e.focus(); if (e.select) e.select(); e.value = ""; e.dispatchEvent(new Event("input", {bubbles: true})); })(document.querySelector("[data-found]"))`)
	w.do("filling in "+label, chromedp.SendKeys(at, text))
	w.script("leaving "+label, `document.querySelector("[data-found]").dispatchEvent(new Event("change", {bubbles: true}))`)
}

// tick ticks a box, or takes the tick away, by its label.
func (w *window) tick(label string, on bool) {
	w.t.Helper()
	at := w.mark("control", label)
	if ask(w, "looking at "+label, chromedp.Evaluate[bool](`document.querySelector("[data-found]").checked`)) != on {
		w.do("ticking "+label, chromedp.Click(at))
	}
}

// holds waits until a cell of a table, by the name of its row and that of its
// column on narrow screens, satisfies an expression of x, its text.
func (w *window) holds(row, column, expression string) {
	w.t.Helper()
	w.until(fmt.Sprintf("%s of %s: %s", column, row, expression), fmt.Sprintf(`(() => {
		var tr = [...document.querySelectorAll("tbody tr")].find(r => r.querySelector("th")?.innerText.trim().startsWith(%q));
		var x = tr?.querySelector('[data-label=%q]')?.innerText.trim(); return x !== undefined && (%s); })()`, row, column, expression))
}

// status asks for a path as the page could, and returns the status and the text.
func (w *window) status(method, path string) (int, string) {
	w.t.Helper()
	type answer struct {
		Status int    `json:"status"`
		Text   string `json:"text"`
	}
	a := ask(w, method+" "+path, chromedp.Evaluate[answer](fmt.Sprintf(`fetch(%q, {method: %q, headers: {"Content-Type": "application/x-www-form-urlencoded"}}).then(async r => ({status: r.status, text: await r.text()}))`, path, method), chromedp.EvalAwaitPromise))
	return a.Status, a.Text
}

// key presses keys. What is typed comes with the key, as from a keyboard: a page
// that takes the key for itself keeps it out of the field.
func (w *window) key(keys string) {
	w.t.Helper()
	w.until("the page is ready", `document.readyState === "complete"`)
	for _, r := range keys {
		events := kb.Encode(r)
		if len(events) == 3 { // down, what is typed, up
			events[0].Text, events[0].UnmodifiedText = events[1].Text, events[1].UnmodifiedText
			events = []*input.DispatchKeyEventParams{events[0], events[2]}
		}
		for _, e := range events {
			if _, err := chromedp.Call(w.ctx, input.DispatchKeyEvent, *e); err != nil {
				w.t.Fatalf("pressing %q: %v", r, err)
			}
		}
	}
}

// keyWithControl presses a key together with the control key.
func (w *window) keyWithControl(key string) {
	w.t.Helper()
	w.do("pressing Ctrl+"+key, chromedp.KeyEvent(key, chromedp.KeyModifiers(chromedp.ModifierCtrl)))
}

// looks sets how the window looks: its width in pixels, and light or dark.
func (w *window) looks(width int64, scheme string) {
	w.t.Helper()
	if _, err := chromedp.Call(w.ctx, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: width, Height: 900, DeviceScaleFactor: 1, Mobile: width < 600}); err != nil {
		w.t.Fatal(err)
	}
	if _, err := chromedp.Call(w.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}}); err != nil {
		w.t.Fatal(err)
	}
}

// picture writes a screenshot of the whole page.
func (w *window) picture(path string) {
	w.t.Helper()
	png := ask(w, "taking a picture", chromedp.FullScreenshot(100))
	if err := os.WriteFile(path, png, 0o644); err != nil {
		w.t.Fatal(err)
	}
}
