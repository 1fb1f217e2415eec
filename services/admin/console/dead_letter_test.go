package console

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/mailyard/mailyard/pkg/bus"
	"github.com/mailyard/mailyard/schemas"
)

// giveUp makes dead letters of acme and returns the ids of all, the newest first.
func (s ledgerSite) giveUp(stage schemas.Stage, cause string, uids ...uint32) []string {
	s.site.t.Helper()
	for _, uid := range uids {
		if err := s.Conn.GiveUp(s.site.t.Context(), stage, schemas.MailKey{Tenant: "acme", Mailbox: "info", UIDValidity: 7, UID: uid}, 4, errors.New(cause)); err != nil {
			s.site.t.Fatal(err)
		}
	}
	letters, err := s.Conn.DeadLetters(s.site.t.Context(), bus.DeadQuery{Tenant: "acme"})
	if err != nil {
		s.site.t.Fatal(err)
	}
	var ids []string
	for _, l := range letters {
		ids = append(ids, s.Letter("acme", l))
	}
	return ids
}

func TestDeadLettersAreListedAndExplained(t *testing.T) {
	t.Parallel()
	s := newLedgerSite(t)
	ids := s.giveUp(schemas.StageFetcher, "downloading: <b>the server</b> hung up", 200)
	b := s.as(s.Ann)
	page := b.open(http.StatusOK, "/t/acme/dead-letters")
	has(t, page, ">UID 200 of Info<", ids[0], "Fetcher", "UID 200", "&lt;b&gt;the server&lt;/b&gt; hung up", "audit?kind=dead-letter", "data-rows", "/settle/drop")
	has(t, b.open(http.StatusOK, "/t/acme/dead-letters?stage=persister"), "No dead letter matches")
	has(t, b.open(http.StatusUnprocessableEntity, "/t/acme/dead-letters?stage=odd"), `id="field-stage-problem"`)
	one := b.open(http.StatusOK, "/t/acme/dead-letters/"+ids[0])
	has(t, one, "the server", "UID 200 of UIDVALIDITY 7", "ce-type", "Dead letter: UID 200 of Info", "Replay this dead letter?", "Drop this dead letter?", "left alone", "comes back as a new dead letter", "kind=dead-letter")
	b.open(http.StatusNotFound, "/t/acme/dead-letters/"+s.Rival.Dead)
	for _, odd := range []string{"0", "-1", "x", "99999999999999999999999"} {
		b.open(http.StatusNotFound, "/t/acme/dead-letters/"+odd)
	}
}

func TestNoDeadLettersSaysWhatTheyAre(t *testing.T) {
	t.Parallel()
	s := newLedgerSite(t)
	b := s.as(s.Ann)
	answer := b.do(http.MethodPost, "/t/acme/settle/drop", url.Values{"id": {s.Acme.Dead}})
	if answer.StatusCode != http.StatusSeeOther || answer.Header.Get("Location") != "/t/acme/dead-letters" {
		t.Fatalf("dropping answers %d", answer.StatusCode)
	}
	page := b.open(http.StatusOK, "/t/acme/dead-letters")
	has(t, page, "No dead letters", "waits here with its whole context", "The dead letter is dropped.")
	has(t, b.open(http.StatusOK, "/t/acme/audit?kind=dead-letter"), "drop asked for", "ann")
}

func TestChosenDeadLettersAreSettled(t *testing.T) {
	t.Parallel()
	s := newLedgerSite(t)
	ids := s.giveUp(schemas.StageFetcher, "downloading: the server hung up", 200, 201, 202)
	b := s.as(s.Ann)
	chosen := url.Values{"id": {ids[0], ids[1], ids[0]}}
	dialog := b.open(http.StatusOK, "/t/acme/settle/replay?"+chosen.Encode(), "HX-Request", "true")
	has(t, dialog, "Replay 2 dead letters?", "data-modal", `name="id" value="`+ids[0]+`"`)
	b.do(http.MethodPost, "/t/acme/settle/replay", chosen)
	page := b.open(http.StatusOK, "/t/acme/dead-letters")
	has(t, page, "2 dead letters are on the way again.", ids[2])
	hasNot(t, page, ids[0], ids[1])

	b.do(http.MethodPost, "/t/acme/settle/drop", url.Values{"id": {ids[1], ids[2], s.Rival.Dead}, "typed": {"3"}})
	has(t, b.open(http.StatusOK, "/t/acme/dead-letters"), "1 dead letter is dropped.", "2 dead letters were gone already.")
	theirs, err := s.Conn.DeadLetters(t.Context(), bus.DeadQuery{Tenant: "rival"})
	if err != nil || len(theirs) != 1 {
		t.Errorf("the other tenant has %d dead letters, %v", len(theirs), err)
	}

	for query, status := range map[string]int{"": 422, "id=x": 200, "id=1&id=-1": 200, strings.Repeat("id=77&", 3): 200} {
		b.open(status, "/t/acme/settle/drop?"+query, "HX-Request", "true")
	}
	many := url.Values{}
	for i := range 501 {
		many.Add("id", fmt.Sprint(1000+i))
	}
	for path, form := range map[string]url.Values{"drop": many, "replay": {}} {
		if answer := b.do(http.MethodPost, "/t/acme/settle/"+path, form); answer.StatusCode != http.StatusUnprocessableEntity {
			t.Errorf("%s of %d answers %d", path, len(form["id"]), answer.StatusCode)
		}
	}
	if answer := b.do(http.MethodPost, "/t/acme/settle/drop", url.Values{"id": {s.Rival.Dead}}); answer.StatusCode != http.StatusNotFound {
		t.Errorf("dropping a letter of another tenant answers %d", answer.StatusCode)
	}
}

// All that the list selects are settled, over its pages, and only those that the
// dialog named.
func TestAllDeadLettersThatMatchAreSettled(t *testing.T) {
	t.Parallel()
	s := newLedgerSite(t)
	var uids []uint32
	for uid := range uint32(120) {
		uids = append(uids, 200+uid)
	}
	s.giveUp(schemas.StageFetcher, "downloading: the server hung up", uids...)
	s.giveUp(schemas.StagePersister, "persisting: it is full", 500)
	b := s.as(s.Ann)
	has(t, b.open(http.StatusOK, "/t/acme/dead-letters?stage=fetcher"), "that match</button>", `type="hidden" name="stage" value="fetcher"`)
	dialog := b.open(http.StatusOK, "/t/acme/settle/drop?all=1&stage=fetcher", "HX-Request", "true")
	has(t, dialog, "Drop 121 dead letters?", "UID 319 of Info, UID 318 of Info", "and 116 more", `data-typed="121"`, `name="stage" value="fetcher"`)
	form := url.Values{"stage": {"fetcher"}}
	for _, part := range strings.Split(dialog, `name="id" value="`)[1:] {
		id, _, _ := strings.Cut(part, `"`)
		form.Add("id", id)
	}
	if len(form["id"]) != 121 {
		t.Fatalf("the dialog holds %d", len(form["id"]))
	}
	s.giveUp(schemas.StageFetcher, "downloading: the server hung up", 400)
	if answer := b.do(http.MethodPost, "/t/acme/settle/drop", form); answer.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("without their number it answers %d", answer.StatusCode)
	}
	form.Set("typed", "121")
	if answer := b.do(http.MethodPost, "/t/acme/settle/drop", form); answer.Header.Get("Location") != "/t/acme/dead-letters?stage=fetcher" {
		t.Errorf("it answers %d and leads to %q", answer.StatusCode, answer.Header.Get("Location"))
	}
	left, err := s.Conn.DeadLetters(t.Context(), bus.DeadQuery{Tenant: "acme"})
	if err != nil || len(left) != 2 || left[0].UIDs != "400" || left[1].UIDs != "500" {
		t.Errorf("%d are left, %v", len(left), err)
	}
	b.open(http.StatusConflict, "/t/acme/settle/drop?all=1&stage=classifier", "HX-Request", "true")
}

func TestReadersSettleNoDeadLetters(t *testing.T) {
	t.Parallel()
	s := newLedgerSite(t)
	b := s.as(s.Rita)
	own := s.Acme.Dead
	hasNot(t, b.open(http.StatusOK, "/t/acme/dead-letters"), "data-row", "/drop", "/replay")
	hasNot(t, b.open(http.StatusOK, "/t/acme/dead-letters/"+own), "/drop", "/replay")
	for _, do := range []string{"drop", "replay"} {
		b.open(http.StatusForbidden, "/t/acme/settle/"+do+"?id="+own, "HX-Request", "true")
		if answer := b.do(http.MethodPost, "/t/acme/settle/"+do, url.Values{"id": {own}}); answer.StatusCode != http.StatusForbidden {
			t.Errorf("%s answers %d to a reader", do, answer.StatusCode)
		}
	}
	has(t, b.open(http.StatusOK, "/t/acme/dead-letters"), own)
}

func TestWhatIsNamedSecretIsHidden(t *testing.T) {
	t.Parallel()
	list := messageHeaders(map[string][]string{"x-api-token": {"abc"}, "Authorization": {"Bearer abc"}, "ce-id": {"a\x1b[31m", "b"}})
	want := []pair{{"Authorization", "hidden"}, {"ce-id", "a[31m, b"}, {"x-api-token", "hidden"}}
	if len(list) != 3 || list[0] != want[0] || list[1] != want[1] || list[2] != want[2] {
		t.Errorf("the headers are %q", list)
	}
}
