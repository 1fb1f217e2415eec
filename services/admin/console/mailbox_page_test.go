package console

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/mailyard/mailyard/pkg/lease"
	"github.com/mailyard/mailyard/schemas"
	"github.com/mailyard/mailyard/services/admin/operation"
)

func TestMailboxPageSaysHowItIs(t *testing.T) {
	t.Parallel()
	s, o := newOfficeSite(t)
	if _, err := s.control.Enable(t.Context(), o.Ann.Actor, "acme", "info", 0); err != nil {
		t.Fatal(err)
	}
	next := time.Now().Add(15 * time.Minute)
	tell(t, o, schemas.MailboxState{Mailbox: "info", Status: schemas.StatusAuthFailed, Detail: "The server refused the Password. Set it anew.", NextAttempt: &next, Waiting: 12, InFlight: 3, Parked: 1, Replica: "fetcher-7"})
	_, html := s.as(o.Ann).get("/t/acme/mailboxes/info")
	for _, want := range []string{"Sign-in failed", "The server refused the Password. Set it anew.", "fetcher-7", "Next attempt", "in 14 min", "imap.acme.example:993", "States of the last 72 hours", "Mail stored", "From download to stored", `href="/t/acme/mailboxes/info/edit"`, `href="/t/acme/mailboxes/info/doctor"`, `action="/t/acme/mailboxes/info/disable"`, `hx-get="/t/acme/mailboxes/info/delete"`} {
		if !strings.Contains(html, want) {
			t.Errorf("%q is not on the page", want)
		}
	}
	status, head := s.as(o.Ann).get("/t/acme/mailboxes/info", partOf("mailbox-head")...)
	if status != http.StatusOK || !strings.HasPrefix(head, `<div id="mailbox-head" hx-get="/t/acme/mailboxes/info"`) || strings.Contains(head, "mailbox-history") || !strings.Contains(head, "Sign-in failed") {
		t.Error(status, head)
	}
	if _, history := s.as(o.Ann).get("/t/acme/mailboxes/info/history?hours=72", partOf("mailbox-history")...); !strings.HasPrefix(history, `<div id="mailbox-history" hx-get="/t/acme/mailboxes/info/history?hours=72"`) {
		t.Error(history)
	}
}

func TestEveryTabShowsItsMailboxAlone(t *testing.T) {
	t.Parallel()
	s, o := newOfficeSite(t)
	putMailbox(t, o, "quiet", nil)
	ann := s.as(o.Ann)
	for path, want := range map[string]string{
		"info/mail": "Invoice &lt;b&gt;", "quiet/mail": "No mail yet", "info/dead-letters": "the server hung up", "quiet/dead-letters": "No dead letters",
		"info/audit": "created", "quiet/settings": "quiet@acme.example", "info/settings": "/api/v1/tenants/acme/mailboxes/info", "info/protocol": "The log is off",
	} {
		if status, html := ann.get("/t/acme/mailboxes/" + path); status != http.StatusOK || !strings.Contains(html, want) {
			t.Errorf("%s answers %d without %q: %s", path, status, want, html)
		}
	}
	for _, path := range []string{"mail", "dead-letters"} {
		if _, html := ann.get("/t/acme/mailboxes/info/"+path, partOf("mailbox-tab")...); !strings.HasPrefix(html, `<div id="mailbox-tab" hx-get="/t/acme/mailboxes/info/`+path) {
			t.Errorf("%s refreshes itself with %s", path, html)
		}
	}
	if _, html := ann.get("/t/acme/mailboxes/quiet/settings"); strings.Count(html, "default-mark") < 15 || !strings.Contains(html, "max_email_bytes") || strings.Contains(html, "correct horse") {
		t.Error("the settings do not say what is a default")
	}
}

func TestDeadLetterIsReplayedOrDropped(t *testing.T) {
	t.Parallel()
	s, o := newOfficeSite(t)
	ann := s.as(o.Ann)
	path := "/t/acme/mailboxes/info/dead-letters"
	if _, html := ann.get(path+"/drop?letter="+o.Acme.Dead, partOf("dialog")...); !strings.Contains(html, "Drop this dead letter?") {
		t.Error(html)
	}
	for _, form := range []url.Values{{"do": {"replay"}, "letter": {"many"}}, {"do": {"eat"}, "letter": {o.Acme.Dead}}, {"do": {"drop"}, "letter": {o.Rival.Dead}}} {
		if answer := ann.do(http.MethodPost, path, form); answer.StatusCode < 400 || answer.StatusCode >= 500 {
			t.Errorf("%v answers %d", form, answer.StatusCode)
		}
	}
	if to := ann.do(http.MethodPost, path, url.Values{"do": {"drop"}, "letter": {o.Acme.Dead}}).Header.Get("Location"); to != path {
		t.Errorf("leads to %q", to)
	}
	if _, html := ann.get(path); !strings.Contains(html, "No dead letters") || !strings.Contains(html, "is deleted") {
		t.Error(html)
	}
}

func TestProtocolLogIsFollowed(t *testing.T) {
	t.Parallel()
	s, o := newOfficeSite(t)
	ann := s.as(o.Ann)
	path := "/t/acme/mailboxes/info/protocol"
	if to := ann.do(http.MethodPost, path, url.Values{"minutes": {"15"}}).Header.Get("Location"); to != path {
		t.Fatalf("leads to %q", to)
	}
	_, html := ann.get(path)
	tail := links(strings.ReplaceAll(html, "hx-get", "href"), "/protocol/lines")
	if len(tail) != 1 || !strings.Contains(html, "The log is on") {
		t.Fatal(tail, html)
	}
	line := lease.ProtocolLine{At: time.Now(), Replica: "fetcher-1", Connection: "watch", Direction: "S", Text: "* OK <ready>"}
	if err := o.Desk.Leases.AppendProtocol(t.Context(), "acme", "info", []lease.ProtocolLine{line}); err != nil {
		t.Fatal(err)
	}
	_, more := ann.get(tail[0], partOf("protocol-tail")...)
	if !strings.Contains(more, "* OK &lt;ready&gt;") || !strings.Contains(more, `hx-swap-oob="beforeend:#protocol-log-lines"`) {
		t.Error(more)
	}
	next := links(strings.ReplaceAll(more, "hx-get", "href"), "/protocol/lines")
	if _, again := ann.get(next[0], partOf("protocol-tail")...); strings.Contains(again, "ready") || !strings.Contains(again, "hx-trigger") {
		t.Error("a line comes twice, or the tail ends")
	}
	ann.do(http.MethodPost, path, url.Values{"minutes": {"0"}})
	if _, over := ann.get(next[0], partOf("protocol-tail")...); strings.Contains(over, "hx-trigger") || !strings.Contains(over, "The log has ended.") {
		t.Error(over)
	}
	for _, minutes := range []string{"61", "-1", "soon", ""} {
		if answer := ann.do(http.MethodPost, path, url.Values{"minutes": {minutes}}); answer.StatusCode != http.StatusUnprocessableEntity {
			t.Errorf("%q minutes answer %d", minutes, answer.StatusCode)
		}
	}
}

func TestStripOfStates(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	at := func(hours int) time.Time { return now.Add(-time.Duration(hours) * time.Hour) }
	var v historyView
	v.states([]operation.MailboxState{
		{MailboxState: schemas.MailboxState{Status: schemas.StatusLive, Since: at(18)}},
		{MailboxState: schemas.MailboxState{Status: schemas.StatusUnreachable, Since: at(36), Detail: "no route"}},
		{MailboxState: schemas.MailboxState{Status: schemas.StatusLive, Since: at(100)}},
	}, now)
	var got []string
	for _, p := range v.Strip {
		got = append(got, strings.Join([]string{p.X, p.Width, string(p.Tone)}, " "))
	}
	if want := "0 500 ok,500 250 bad,750 250 ok"; strings.Join(got, ",") != want {
		t.Errorf("the strip is %v", got)
	}
	if !strings.Contains(v.Summary, "75 % of the last 3 d") || len(v.Newest) != 3 || v.Newest[1].Text != "no route" {
		t.Errorf("%s, %+v", v.Summary, v.Newest)
	}
	var none historyView
	if none.states(nil, now); len(none.Strip) != 0 || none.Summary == "" {
		t.Error(none)
	}
}
