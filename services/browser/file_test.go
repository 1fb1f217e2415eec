//go:build full

package browser_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
)

// drop drops a file on an element, as with the mouse from another window.
func (w *window) drop(selector, path string) {
	w.t.Helper()
	at := ask(w, "looking for the place to drop", chromedp.Evaluate[[]float64](`(e => { e.scrollIntoView({block: "center"}); var r = e.getBoundingClientRect(); return [r.x + r.width / 2, r.y + r.height / 2]; })(document.querySelector("`+selector+`"))`))
	data := &input.DragData{Items: []*input.DragDataItem{}, Files: []string{path}, DragOperationsMask: 1}
	for _, kind := range []input.DispatchDragEventType{input.DispatchDragEventTypeDragEnter, input.DispatchDragEventTypeDragOver, input.DispatchDragEventTypeDrop} {
		if _, err := chromedp.Call(w.ctx, input.DispatchDragEvent, input.DispatchDragEventParams{Type: kind, X: at[0], Y: at[1], Data: data}); err != nil {
			w.t.Fatalf("dropping %s: %v", path, err)
		}
	}
}

// saved presses what gives a file, and returns what the browser saved of it.
func (w *window) saved(button, name string) []byte {
	w.t.Helper()
	dir := w.t.TempDir()
	if _, err := chromedp.Call(w.ctx, browser.SetDownloadBehavior, browser.SetDownloadBehaviorParams{Behavior: browser.SetDownloadBehaviorBehaviorAllow, DownloadPath: dir}); err != nil {
		w.t.Fatal(err)
	}
	w.press(button)
	return awaitFile(w.t, filepath.Join(dir, name))
}

// awaitFile waits for a file, which has its name when it is whole.
func awaitFile(t testing.TB, path string) []byte {
	t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(patience)
	for {
		content, err := os.ReadFile(path)
		switch {
		case err == nil && len(content) > 0:
			return content
		case err != nil && !errors.Is(err, fs.ErrNotExist):
			t.Fatal(err)
		}
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("waited in vain for %s", path)
		}
	}
}
