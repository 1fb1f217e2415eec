//go:build full

package browser_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// A watch sees what the pages of a window do: every request, what they throw,
// and what the browser asks.
type watch struct {
	mu    sync.Mutex
	wrong []string
	asked int  // questions about unsaved changes
	leave bool // the answer to them
}

func (w *watch) begin(ctx context.Context, base string) error {
	if _, err := chromedp.Call(ctx, log.Enable, cdp.Empty{}); err != nil {
		return err
	}
	if _, err := chromedp.Call(ctx, network.Enable, network.EnableParams{}); err != nil {
		return err
	}
	return chromedp.Listen(ctx, func(event any) {
		switch e := event.(type) {
		case *runtime.EventExceptionThrown:
			w.complain("the page threw: %s %s", e.ExceptionDetails.Text, e.ExceptionDetails.URL)
		case *log.EventEntryAdded:
			if strings.Contains(e.Entry.Text, "Content Security Policy") {
				w.complain("the page breaks its policy: %s", e.Entry.Text)
			}
		case *network.EventRequestWillBeSent:
			if u := e.Request.URL; strings.HasPrefix(u, "http") && !strings.HasPrefix(u, base+"/") {
				w.complain("the page asks another host: %s", u)
			}
		case *page.EventJavascriptDialogOpening:
			leave := w.question()
			go func() { // the browser waits for it: not from within its own event
				_, _ = chromedp.Call(ctx, page.HandleJavaScriptDialog, page.HandleJavaScriptDialogParams{Accept: leave}) // the window may be gone
			}()
		}
	})
}

func (w *watch) complain(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.wrong = append(w.wrong, fmt.Sprintf(format, args...))
}

// complaints returns what went wrong since it was asked last.
func (w *watch) complaints() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	list := w.wrong
	w.wrong = nil
	return list
}

// question counts a question about unsaved changes, and returns the answer.
func (w *watch) question() (leave bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.asked++
	return w.leave
}

func (w *watch) questions() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.asked
}

// answer sets what the browser is told when it asks about unsaved changes.
func (w *watch) answer(leave bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.leave = leave
}

// own reports whether Chromium asks a host on its own account, for updates of
// itself and the like.
func own(host string) bool {
	host, _, _ = strings.Cut(host, ":")
	return strings.HasSuffix(host, ".googleapis.com") || strings.HasSuffix(host, ".google.com") || strings.HasSuffix(host, ".gvt1.com")
}

// outside is a proxy that the browser has for everything but this machine. It
// serves nothing and fails the test at its end when a page asked for anything:
// frames have requests that their windows do not tell of.
func outside(t testing.TB) string {
	t.Helper()
	var mu sync.Mutex
	hosts := map[string]bool{}
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		hosts[hostOf(r)] = true
		mu.Unlock()
		http.Error(w, "there is nothing outside", http.StatusBadGateway)
	}))
	t.Cleanup(func() {
		proxy.Close()
		for h := range hosts {
			if !own(h) {
				t.Errorf("a page asked the host %s", h)
			}
		}
	})
	return proxy.URL
}

func hostOf(r *http.Request) string {
	if r.Method == http.MethodConnect {
		return r.Host
	}
	if u, err := url.Parse(r.RequestURI); err == nil && u.Host != "" {
		return u.Host
	}
	return r.Host
}
