//go:build full

package console

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	devtools "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// A real browser that shows a hostile mail asks nobody else for anything, runs
// nothing, and still shows the image of the mail.
func TestABrowserAsksNobodyForAHostileMail(t *testing.T) {
	t.Parallel()
	chromium := os.Getenv("MAILYARD_TEST_CHROMIUM")
	if chromium == "" {
		t.Fatal("MAILYARD_TEST_CHROMIUM does not name a Chromium; run `make test`, or deploy/test/servers.sh with the command")
	}
	s := newLedgerSite(t)
	id := s.persist(5, htmlMail(`<p style="color:green">Hello</p><img src="cid:logo@x"><a href="https://evil.example/">x</a>`+strings.Join(hostileHTML(), "\n")), nil)
	framed := make(chan struct{}, 10)
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.handler.ServeHTTP(w, r)
		if strings.HasSuffix(r.URL.Path, "/html") {
			framed <- struct{}{}
		}
	}))
	defer web.Close()
	allocator, stop := chromedp.NewExecAllocator(context.Background(), append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(chromium), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("disable-features", "IsolateSandboxedIframes"))...) // so that what the frame asks for is seen here
	defer stop()
	ctx, quit := chromedp.NewContext(allocator)
	defer quit()
	if err := chromedp.Do(ctx, chromedp.Navigate("about:blank")); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute) // a dialog of a script would stop the page
	defer cancel()
	if _, err := chromedp.Call(ctx, network.SetCookie, network.SetCookieParams{Name: "mailyard", Value: s.Rita.Cookie, URL: web.URL}); err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var asked []string
	if _, err := chromedp.Call(ctx, network.Enable, network.EnableParams{}); err != nil {
		t.Fatal(err)
	}
	if _, err := chromedp.Call(ctx, devtools.Enable, devtools.EnableParams{}); err != nil {
		t.Fatal(err)
	}
	err := chromedp.Listen(ctx, func(event any) {
		mu.Lock()
		defer mu.Unlock()
		switch e := event.(type) {
		case *network.EventRequestWillBeSent:
			asked = append(asked, e.Request.URL)
		case *devtools.EventJavascriptDialogOpening:
			t.Errorf("a script of the mail ran: %s", e.Message)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := chromedp.Do(ctx, chromedp.Navigate(web.URL+"/t/acme/mails/"+id), chromedp.WaitVisible("iframe.frame")); err != nil {
		t.Fatal(err)
	}
	select {
	case <-framed:
	case <-time.After(20 * time.Second):
		t.Error("the frame was not loaded")
	}
	// Shown alone, the policy of the answer is the only wall.
	if err := chromedp.Do(ctx, chromedp.Navigate(web.URL+"/t/acme/mails/"+id+"/html"), chromedp.WaitVisible("img[src^='data:image/gif']")); err != nil {
		t.Fatal(err)
	}
	mu.Lock()
	defer mu.Unlock()
	if !slices.Contains(asked, web.URL+"/t/acme/mails/"+id+"/html") {
		t.Errorf("the frame was not asked for: %q", asked)
	}
	for _, u := range asked {
		if !strings.HasPrefix(u, web.URL+"/") && !strings.HasPrefix(u, "data:image/gif;") {
			t.Errorf("the browser asked for %s", u)
		}
	}
}
