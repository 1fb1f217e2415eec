package console

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/mailyard/mailyard/pkg/config"
	"github.com/mailyard/mailyard/pkg/mailstore/stores"
	"github.com/mailyard/mailyard/schemas"
)

func TestListShowsEveryMailboxWithItsState(t *testing.T) {
	t.Parallel()
	s, o := newOfficeSite(t)
	inAllStates(t, o, 28)
	status, html := s.as(o.Ann).get("/t/acme/mailboxes")
	if status != http.StatusOK {
		t.Fatal(status, html)
	}
	for _, want := range []string{
		">In<", ">Out<", ">Checked<", ">Backlog<", ">Today<", ">Failed<", ">Enabled<", ">Last error<", ">Address<", ">Folders<",
		"Sign-in failed", "Unreachable", "Folder missing", "Throttled", "Draft", "Disabled", "Polling", "seen <time", "Untested",
		"box-00003@acme.example", " dead<", "in flight", "Needs attention <span", "1–29 of 29 mailboxes",
		`aria-label="Select Sales 1"`, `aria-label="Actions for Sales 1"`, "AUTHENTICATIONFAILED",
	} {
		if !strings.Contains(html, want) {
			t.Errorf("%q is not on the page", want)
		}
	}
}

func TestHostileNamesAreEscaped(t *testing.T) {
	t.Parallel()
	s, o := newOfficeSite(t)
	const evil = `<img src=x onerror=alert(1)>"'{{.}}`
	putMailbox(t, o, "evil", func(d *config.Mailbox) { d.Name, d.Description = evil, evil })
	tell(t, o, schemas.MailboxState{Mailbox: "evil", Status: schemas.StatusFailed, Detail: evil, Replica: evil})
	if _, err := s.control.Enable(t.Context(), o.Ann.Actor, "acme", "evil", 0); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"", "/evil", "/evil/settings", "/evil/audit", "/evil/mail", "/evil/dead-letters", "/evil/protocol", "?q=" + url.QueryEscape(evil), "/evil/delete", "?sort=name&folder=" + url.QueryEscape(evil)} {
		if status, html := s.as(o.Ann).get("/t/acme/mailboxes" + path); status != http.StatusOK || strings.Contains(html, "<img") {
			t.Errorf("%q answers %d: %s", path, status, html)
		}
	}
}

func TestListIsSearchedFilteredAndSorted(t *testing.T) {
	t.Parallel()
	s, o := newOfficeSite(t)
	inAllStates(t, o, 28)
	ann := s.as(o.Ann)
	for query, want := range map[string]struct {
		first, not string
		count      string
	}{
		"q=press":                     {"Press 4", "Sales 1<", "1–5 of 5"},
		"status=live":                 {"Live", "Sign-in failed</span>", "1–2 of 2"},
		"attention=1":                 {"Failed", ">Draft 1<", ""},
		"outgoing=failed":             {"Billing", ">Untested</span>", "1–2 of 2"},
		"enabled=false&folder=":       {"Draft", "Live</span>", "1–5 of 5"},
		"folder=support&sort=-name":   {"Support desk 5", "", "1–29 of 29"},
		"sort=-backlog":               {"aria-sort=\"descending\"", "", ""},
		"q=nothing+has+this":          {"No mailbox matches", "<tbody", ""},
		"q=" + strings.Repeat("x", 9): {"No mailbox matches", "<tbody", ""},
	} {
		status, html := ann.get("/t/acme/mailboxes?"+query, partOf("mailboxes-now")...)
		table := html
		if i := strings.Index(html, "<tbody"); i > 0 && want.not != "<tbody" {
			table = html[i:]
		}
		if status != http.StatusOK || !strings.Contains(html, want.first) || want.not != "" && strings.Contains(table, want.not) || !strings.Contains(html, want.count) {
			t.Errorf("%s answers %d, without %q and %q or with %q", query, status, want.first, want.count, want.not)
		}
	}
	for _, query := range []string{"sort=password", "cursor=!", "limit=many", "limit=0", "limit=5000"} {
		if status, html := ann.get("/t/acme/mailboxes?" + query); status < 400 || status >= 500 {
			t.Errorf("%s answers %d: %s", query, status, html)
		}
	}
}

// links returns the paths of the links of an answer that hold a text.
func links(html, holds string) []string {
	var list []string
	for part := range strings.SplitSeq(html, `href="`) {
		path, _, _ := strings.Cut(part, `"`)
		if path = strings.ReplaceAll(path, "&amp;", "&"); strings.Contains(path, holds) && strings.HasPrefix(path, "/") {
			list = append(list, path)
		}
	}
	return list
}

func TestPagesLeadToOneAnother(t *testing.T) {
	t.Parallel()
	s, o := newOfficeSite(t)
	inAllStates(t, o, 69)
	ann := s.as(o.Ann)
	_, first := ann.get("/t/acme/mailboxes?sort=-username&q=box-")
	if !strings.Contains(first, "1–50 of 69 mailboxes") {
		t.Fatal(first)
	}
	next := links(first, "cursor=")
	if len(next) != 1 || !strings.Contains(next[0], "q=box-") || !strings.Contains(next[0], "sort=-username") {
		t.Fatal(next)
	}
	_, second := ann.get(next[0])
	if !strings.Contains(second, "51–69 of 69 mailboxes") || !strings.Contains(second, "box-00000@") || strings.Contains(second, "box-00068@") {
		t.Error(second)
	}
	back := links(second, "cursor=")
	if _, html := ann.get(back[0]); !strings.Contains(html, "1–50 of 69 mailboxes") {
		t.Error("back does not lead to the first page")
	}
	for _, path := range links(second, "sort=") {
		if strings.Contains(path, "cursor=") && path != back[0] {
			t.Errorf("%s keeps the place in another order", path)
		}
	}
}

func TestPartRefreshesAndTellsItsAddress(t *testing.T) {
	t.Parallel()
	s, o := newOfficeSite(t)
	ann := s.as(o.Ann)
	answer := ann.do(http.MethodGet, "/t/acme/mailboxes?q=info&folder=&nonsense=1", nil, append(partOf("mailboxes-now"), "HX-Trigger", "mailbox-filters")...)
	html := text(t, answer)
	if got := answer.Header.Get("HX-Push-Url"); got != "/t/acme/mailboxes?q=info" {
		t.Errorf("the address becomes %q", got)
	}
	if !strings.HasPrefix(html, `<div id="mailboxes-now" hx-get="/t/acme/mailboxes?q=info"`) || strings.Contains(html, "<html") {
		t.Error(html)
	}
	if !strings.Contains(html, "data-live") || !strings.Contains(html, "Info") {
		t.Error(html)
	}
}

func TestReaderSeesTheListWithoutActions(t *testing.T) {
	t.Parallel()
	s, o := newOfficeSite(t)
	rita := s.as(o.Rita)
	for _, path := range []string{"/t/acme/mailboxes", "/t/acme/mailboxes/info", "/t/acme/folders", "/t/acme/folders/at/support", "/t/acme/mailboxes/info/dead-letters", "/t/acme/mailboxes/info/settings", "/t/acme/mailboxes/info/protocol"} {
		status, html := rita.get(path)
		if status != http.StatusOK {
			t.Errorf("%s answers %d", path, status)
		}
		_, main, _ := strings.Cut(html, "<main")
		main, _, _ = strings.Cut(main, "</main>")
		for _, never := range []string{"hx-post", "data-row", "data-selection", "/edit", "/doctor", "/delete", "Replay", "New mailbox", "New folder", "<button type=\"submit\""} {
			if strings.Contains(main, never) {
				t.Errorf("%s has %q for a reader", path, never)
			}
		}
	}
	for _, path := range []string{"/bulk", "/mailboxes/info/enable", "/mailboxes/info/disable", "/mailboxes/info/delete", "/mailboxes/info/protocol", "/folders", "/folders/at/support", "/folders/at/support/delete", "/bulk/test"} {
		form := url.Values{"do": {"disable"}, "id": {"info"}, "count": {"1"}, "typed": {"Info"}, "minutes": {"5"}, "name": {"x"}, "address": {"x@y.example"}, "revision": {"1"}}
		if answer := rita.do(http.MethodPost, "/t/acme"+path, form); answer.StatusCode != http.StatusForbidden {
			t.Errorf("%s answers a reader with %d", path, answer.StatusCode)
		}
	}
}

func TestAnotherTenantDoesNotExist(t *testing.T) {
	t.Parallel()
	s, o := newOfficeSite(t)
	rob := s.as(o.Rob)
	for _, r := range append(s.console.mailboxRoutes(), s.console.folderRoutes()...) {
		method, path, _ := strings.Cut(r.pattern, " ")
		path = strings.NewReplacer("{tenant}", "acme", "{mailbox}", "info", "{folder}", "support").Replace(path)
		if answer := rob.do(method, path, nil); answer.StatusCode != http.StatusNotFound {
			t.Errorf("%s answers another tenant with %d", r.pattern, answer.StatusCode)
		}
		own := strings.Replace(path, "/t/acme/", "/t/rival/", 1)
		if strings.Contains(r.pattern, "{mailbox}") || strings.Contains(r.pattern, "{folder}") {
			if answer := rob.do(method, own, url.Values{"minutes": {"5"}, "letter": {"1"}, "do": {"replay"}}); answer.StatusCode != http.StatusNotFound {
				t.Errorf("%s finds another tenant's id: %d", r.pattern, answer.StatusCode)
			}
		}
	}
}

func TestEmptyTenantSaysWhatToDo(t *testing.T) {
	t.Parallel()
	s, o := newOfficeSite(t)
	s.tenant("fresh", "Fresh")
	_, html := s.as(o.Lena).get("/t/fresh/mailboxes")
	for _, want := range []string{"No mailboxes yet", `href="/t/fresh/parameters"`, `href="/t/fresh/folders/new"`, `href="/t/fresh/new-mailbox"`} {
		if !strings.Contains(html, want) {
			t.Errorf("%q is missing", want)
		}
	}
	if _, html = s.as(o.Lena).get("/t/fresh/folders"); !strings.Contains(html, "No folders yet") {
		t.Error(html)
	}
}

func TestListSaysWhatIsAway(t *testing.T) {
	t.Parallel()
	s, o := newOfficeSite(t)
	o.Desk.Stores = stores.Stores{}
	status, html := s.as(o.Ann).get("/t/acme/mailboxes")
	if status != http.StatusOK || !strings.Contains(html, "Not everything can be shown") || !strings.Contains(html, "Info") {
		t.Error(status, html)
	}
}

func TestEnablingFromTheListShowsItAnew(t *testing.T) {
	t.Parallel()
	s, o := newOfficeSite(t)
	putMailbox(t, o, "second", nil)
	ann := s.as(o.Ann)
	headers := append(partOf("mailboxes-now"), "HX-Current-URL", "http://127.0.0.1:8420/t/acme/mailboxes?q=second")
	html := text(t, ann.do(http.MethodPost, "/t/acme/mailboxes/second/enable", nil, headers...))
	if !strings.Contains(html, "Mailbox Mailbox second is enabled.") || !strings.Contains(html, "Connecting") || strings.Contains(html, "info@acme") {
		t.Error(html)
	}
	answer := ann.do(http.MethodPost, "/t/acme/mailboxes/second/disable", nil)
	if answer.Header.Get("Location") != "/t/acme/mailboxes/second" {
		t.Error(answer.StatusCode, answer.Header)
	}
}
