package console

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/mailyard/mailyard/pkg/config"
	"github.com/mailyard/mailyard/schemas"
)

func TestBulkDialogNamesWhatWillHappen(t *testing.T) {
	t.Parallel()
	s, o := newOfficeSite(t)
	inAllStates(t, o, 8)
	ann := s.as(o.Ann)
	_, html := ann.get("/t/acme/bulk?do=delete&id=box-00001&id=box-00002&id=box-00003", partOf("dialog")...)
	for _, want := range []string{"Delete 3 mailboxes?", "Sales 1", "Returns 3", "222 mails wait in the inbox", "6 mails are in flight", "stays in the messaging database", `data-typed="3"`, `name="id" value="box-00002"`, "data-modal"} {
		if !strings.Contains(html, want) {
			t.Errorf("%q is not in the dialog: %s", want, html)
		}
	}
	_, html = ann.get("/t/acme/bulk?do=disable&all=1&q=box-&status=", partOf("dialog")...)
	for _, want := range []string{"Disable 8 mailboxes?", "and 3 more", `name="all" value="1"`, `name="q" value="box-"`, `name="count" value="8"`} {
		if !strings.Contains(html, want) {
			t.Errorf("%q is not in the dialog: %s", want, html)
		}
	}
	if status, _ := ann.get("/t/acme/bulk?do=disable", partOf("dialog")...); status != http.StatusUnprocessableEntity {
		t.Errorf("nothing chosen answers %d", status)
	}
	if status, _ := ann.get("/t/acme/bulk?do=explode&id=info", partOf("dialog")...); status != http.StatusUnprocessableEntity {
		t.Errorf("an unknown action answers %d", status)
	}
}

// Nobody changes more than was seen.
func TestBulkOfAFilterWhoseCountChangedIsRefused(t *testing.T) {
	t.Parallel()
	s, o := newOfficeSite(t)
	putMailbox(t, o, "one", nil)
	form := url.Values{"do": {"enable"}, "all": {"1"}, "q": {"mailbox"}, "count": {"1"}}
	putMailbox(t, o, "two", nil)
	ann := s.as(o.Ann)
	if answer := ann.do(http.MethodPost, "/t/acme/bulk", form); answer.StatusCode != http.StatusConflict {
		t.Errorf("answers %d", answer.StatusCode)
	}
	if _, html := ann.get("/t/acme/mailboxes?enabled=true"); !strings.Contains(html, "No mailbox matches") {
		t.Error("something was enabled")
	}
	form.Set("count", "2")
	answer := ann.do(http.MethodPost, "/t/acme/bulk", form)
	if to := answer.Header.Get("Location"); to != "/t/acme/mailboxes?q=mailbox" {
		t.Errorf("leads to %q", to)
	}
	if _, html := ann.get("/t/acme/mailboxes?enabled=true"); !strings.Contains(html, "1–2 of 2") || !strings.Contains(html, "2 mailboxes are enabled.") {
		t.Error(html)
	}
}

func TestBulkNamesWhatCouldNotBeDone(t *testing.T) {
	t.Parallel()
	s, o := newOfficeSite(t)
	putMailbox(t, o, "whole", nil)
	putMailbox(t, o, "bare", func(d *config.Mailbox) { d.Folders = nil })
	html := text(t, s.as(o.Ann).do(http.MethodPost, "/t/acme/bulk", url.Values{"do": {"enable"}, "id": {"whole", "bare", "gone"}}))
	result, _, _ := strings.Cut(html, `class="chips"`)
	for _, want := range []string{"1 mailbox is enabled, 2 not.", `href="/t/acme/mailboxes/bare">Mailbox bare</a>`, ">gone</a>"} {
		if !strings.Contains(result, want) {
			t.Errorf("%q is not in the result: %s", want, result)
		}
	}
	if strings.Contains(result, "Mailbox whole") {
		t.Error("what was done is among what was not")
	}
}

func TestBulkDeleteNeedsTheCountTyped(t *testing.T) {
	t.Parallel()
	s, o := newOfficeSite(t)
	putMailbox(t, o, "one", nil)
	putMailbox(t, o, "two", nil)
	ann := s.as(o.Ann)
	form := url.Values{"do": {"delete"}, "id": {"one", "two"}, "count": {"2"}}
	for typed, want := range map[string]int{"": http.StatusUnprocessableEntity, "3": http.StatusUnprocessableEntity, "two": http.StatusUnprocessableEntity} {
		form.Set("typed", typed)
		if answer := ann.do(http.MethodPost, "/t/acme/bulk", form); answer.StatusCode != want {
			t.Errorf("%q answers %d", typed, answer.StatusCode)
		}
	}
	form.Set("typed", "2")
	ann.do(http.MethodPost, "/t/acme/bulk", form)
	if _, html := ann.get("/t/acme/mailboxes"); !strings.Contains(html, "2 mailboxes are deleted.") || !strings.Contains(html, "1–1 of 1") {
		t.Error(html)
	}
}

func TestManyAreTestedOneAfterTheOther(t *testing.T) {
	t.Parallel()
	s, o := newOfficeSite(t)
	for _, id := range []string{"a", "b", "c", "d", "e", "f", "g", "h", "i"} {
		putMailbox(t, o, id, nil)
	}
	ann := s.as(o.Ann)
	_, dialog := ann.get("/t/acme/bulk?do=test&all=1&q=mailbox", partOf("dialog")...)
	if !strings.Contains(dialog, "Test 9 mailboxes?") || !strings.Contains(dialog, "data-stream") {
		t.Fatal(dialog)
	}
	answer := text(t, ann.do(http.MethodPost, "/t/acme/bulk/test", url.Values{"all": {"1"}, "q": {"mailbox"}, "count": {"9"}}, "X-Stream", "true"))
	if parts := strings.Split(answer, "\x1e"); len(parts) != 20 || !strings.Contains(parts[0], "Testing") || !strings.Contains(parts[18], "0 passed, 9 failed.") {
		t.Errorf("%d parts: %s", len(parts), answer)
	}
	if answer := ann.do(http.MethodPost, "/t/acme/bulk/test", url.Values{"id": {"a"}, "count": {"2"}}, "X-Stream", "true"); answer.StatusCode != http.StatusConflict {
		t.Errorf("another count answers %d", answer.StatusCode)
	}
}

func TestDeleteNeedsTheNameTyped(t *testing.T) {
	t.Parallel()
	s, o := newOfficeSite(t)
	m := putMailbox(t, o, "box", func(d *config.Mailbox) { d.Name = "Sales & more" })
	if _, err := s.control.Enable(t.Context(), o.Ann.Actor, "acme", "box", 0); err != nil {
		t.Fatal(err)
	}
	tell(t, o, schemas.MailboxState{Mailbox: "box", Status: schemas.StatusDraining, Waiting: 1200, InFlight: 3, Parked: 1})
	ann := s.as(o.Ann)
	_, html := ann.get("/t/acme/mailboxes/box/delete", partOf("dialog")...)
	for _, want := range []string{"Delete mailbox Sales &amp; more?", "3 mails are in flight. Each is still stored", "1,200 mails wait in the inbox and stay there.", "1 dead letter is left", "Nothing of its mail is stored.", `data-typed="Sales &amp; more"`} {
		if !strings.Contains(html, want) {
			t.Errorf("%q is not in the dialog: %s", want, html)
		}
	}
	path := "/t/acme/mailboxes/box/delete"
	for _, form := range []url.Values{{"revision": {"2"}}, {"typed": {"Sales"}}, {"typed": {"box"}}} {
		if answer := ann.do(http.MethodPost, path, form); answer.StatusCode != http.StatusUnprocessableEntity {
			t.Errorf("%v answers %d", form, answer.StatusCode)
		}
	}
	stale := url.Values{"typed": {"Sales & more"}, "revision": {o.Revision("acme", m.Revision)}}
	if answer := ann.do(http.MethodPost, path, stale); answer.StatusCode != http.StatusPreconditionFailed {
		t.Errorf("a stale dialog answers %d", answer.StatusCode)
	}
	fresh, err := s.control.GetMailbox(t.Context(), o.Ann.Actor, "acme", "box")
	if err != nil {
		t.Fatal(err)
	}
	stale.Set("revision", o.Revision("acme", fresh.Revision))
	if to := ann.do(http.MethodPost, path, stale).Header.Get("Location"); to != "/t/acme/mailboxes" {
		t.Errorf("leads to %q", to)
	}
	if status, _ := ann.get("/t/acme/mailboxes/box"); status != http.StatusNotFound {
		t.Errorf("the page of the deleted mailbox answers %d", status)
	}
}
