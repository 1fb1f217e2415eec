//go:build full

package browser_test

import (
	"flag"
	"fmt"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// pictures is where TestScreenshots writes a picture of every page; "": nowhere.
var pictures = flag.String("pictures", "", "folder to write pictures of all pages into")

// TestScreenshots visits every page of the console that links lead to, with much
// in it. No page may be wider than a narrow screen, and axe-core must find
// nothing serious in light and in dark.
func TestScreenshots(t *testing.T) {
	s := furnish(t)
	i := up(t, s.environment()...)
	s.fill(i)
	w := open(t, i.base)
	w.visit(i.base + "/sign-in")
	w.look("sign-in")
	w.signUp(i)
	w.visit("/t/bicycle-works/mailboxes")
	w.sees("of 60 mailboxes")
	w.until("mail arrived", `+document.querySelector(".c-today")?.innerText > 0 && /Live/.test(document.body.innerText) && /Sign-in failed/.test(document.body.innerText) && /Unreachable/.test(document.body.innerText)`)

	w.walk()
	w.scenes()
}

// look checks how a page looks, wide and narrow, light and dark, and takes the
// pictures.
func (w *window) look(name string) {
	w.t.Helper()
	for _, l := range []struct {
		name   string
		width  int64
		scheme string
	}{{"narrow", 390, "light"}, {"dark", 1440, "dark"}, {"light", 1440, "light"}} {
		w.looks(l.width, l.scheme)
		w.until("the page is ready", `document.readyState === "complete" && document.fonts.status === "loaded"`)
		w.script("going to the top", `scrollTo(0, 0); document.activeElement.blur()`)
		if *pictures != "" {
			w.picture(filepath.Join(*pictures, name+"-"+l.name+".png"))
		}
		if l.name == "narrow" {
			wide := ask(w, "measuring the page", chromedp.Evaluate[[]string](`(() => { if (document.scrollingElement.scrollWidth <= innerWidth) return [];
				return [...document.querySelectorAll("main *")].filter(e => e.getBoundingClientRect().right > innerWidth + 1).slice(0, 4).map(e => e.outerHTML.slice(0, 160)); })()`))
			if len(wide) > 0 {
				w.t.Errorf("%s is wider than 390 pixels:\n  %s", w.path(), strings.Join(wide, "\n  "))
			}
			squeezed := ask(w, "looking for squeezed text", chromedp.Evaluate[[]string](`[...document.querySelectorAll("main *")].filter(e => !e.closest("thead, svg, .sr") && [...e.childNodes].some(n => {
				if (n.nodeType !== 3 || n.data.trim().length < 8) return false;
				var r = document.createRange(); r.selectNodeContents(n); return r.getClientRects().length > n.data.trim().length / 3; })).slice(0, 4).map(e => e.outerHTML.slice(0, 160))`))
			if len(squeezed) > 0 {
				w.t.Errorf("%s has text that is squeezed:\n  %s", w.path(), strings.Join(squeezed, "\n  "))
			}
			continue
		}
		w.accessible()
	}
	w.well()
}

// number is what pages of the same kind differ by.
var number = regexp.MustCompile(`^(box-\d+|[0-9a-z]{26}|\d+)$`)

// walk follows every link from the page on, one of each kind, and looks at what
// it leads to: a new page cannot be forgotten.
func (w *window) walk() {
	w.t.Helper()
	w.looks(1440, "light")
	seen := map[string]bool{}
	waiting := []string{"/t/bicycle-works/mailboxes", "/t/new-customer/mailboxes", "/t/harbour/mailboxes"}
	const most = 80
	pages := 0
	for len(waiting) > 0 && pages < most {
		path := waiting[0]
		waiting = waiting[1:]
		kind := kindOf(path)
		if seen[kind] {
			continue
		}
		seen[kind] = true
		if !ask(w, "asking what "+path+" is", chromedp.Evaluate[bool](fmt.Sprintf(`fetch(%q).then(r => r.ok && /html/.test(r.headers.get("Content-Type")) && !r.headers.get("Content-Disposition"))`, path), chromedp.EvalAwaitPromise)) {
			continue // a file
		}
		w.visit(path)
		pages++
		w.look(kind)
		waiting = append(waiting, ask(w, "reading the links", chromedp.Evaluate[[]string](`[...document.querySelectorAll("a[href]:not([download])")].filter(a => a.origin === location.origin && !a.target).map(a => a.pathname)`))...)
	}
	if pages < 25 || pages == most {
		w.t.Errorf("links lead to %d pages", pages)
	}
	w.t.Logf("%d pages: %s", pages, strings.Join(slices.Sorted(maps.Keys(seen)), " "))
}

// kindOf names what a path shows, without which of it: the file of its picture.
func kindOf(path string) string {
	var name []string
	part := strings.Split(strings.Trim(path, "/"), "/")
	for n, p := range part {
		before := ""
		if n > 0 {
			before = part[n-1]
		}
		switch {
		case n == 0 && p == "t", before == "t" && p != "new-customer", p == "":
		case before == "at", number.MatchString(p):
			name = append(name, "one")
		case p != "at":
			name = append(name, p)
		}
	}
	if len(name) == 0 {
		return "home"
	}
	return strings.Join(name, "-")
}

// scenes are what pages show only when something is done on them.
func (w *window) scenes() {
	w.t.Helper()
	w.looks(1440, "light")
	w.visit("/t/bicycle-works/mailboxes/box-00/doctor")
	w.press("Start the test")
	w.until("the test ends", `document.querySelector("#doctor-end") && !document.querySelector("#doctor-end[data-running]")`)
	w.look("scene-doctor-works")
	w.looks(1440, "light")
	w.visit("/t/bicycle-works/mailboxes/box-05/doctor")
	w.press("Start the test")
	w.sees("It does not work yet.")
	w.look("scene-doctor-fails")
	w.looks(1440, "light")
	w.visit("/t/bicycle-works/mailboxes/box-04/dry-run")
	w.press("Start the dry run")
	w.sees("Nothing was touched.")
	w.look("scene-dry-run")
	w.looks(1440, "light")
	w.visit("/t/bicycle-works/new-mailbox")
	w.fill("Name", strings.Repeat("long ", 60))
	w.fill("IMAP port", "70000")
	w.press("Create mailbox")
	w.sees("Nothing was stored.")
	w.look("scene-mailbox-invalid")
	w.looks(1440, "light")
	w.visit("/t/bicycle-works/mailboxes")
	w.tick("Select all on this page", true)
	w.sees(fmt.Sprintf("%d selected", 50))
	w.look("scene-selection")
	w.looks(1440, "light")
	w.press("Delete")
	w.sees("Delete 50 mailboxes?")
	w.look("scene-bulk-delete")
	w.looks(1440, "light")
	w.visit("/t/bicycle-works/nothing")
	w.sees("Not found")
	w.look("scene-not-found")
}
