package console

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/mailyard/mailyard/pkg/mailstore"
	"github.com/mailyard/mailyard/schemas"
)

const plainMail = "From: Zoe <zoe@example.net>\r\nTo: support+vip@acme.example\r\nSubject: Spare part 4711\r\nMessage-ID: <two@example.net>\r\n" +
	"Authentication-Results: mx.acme.example; spf=pass smtp.mailfrom=example.net; dkim=fail; dmarc=none\r\n\r\nWhere is it?\r\n"

func TestTheLedgerIsFiltered(t *testing.T) {
	t.Parallel()
	s := newLedgerSite(t)
	s.persist(2, plainMail, nil)
	s.persist(3, strings.Replace(plainMail, "4711", "4712", 1), invalid("nobody@acme.example"))
	err := s.Store.RecordDisposed(t.Context(), schemas.Disposed{Tenant: "acme", Mailbox: "info", UIDValidity: 7, UIDs: []uint32{2}, Action: schemas.ActionPersisted, Method: "move", Destination: "PersistedCCSPItems", DisposedAt: time.Now().UTC()})
	if err != nil {
		t.Fatal(err)
	}
	b := s.as(s.Rita)
	page := b.open(http.StatusOK, "/t/acme/mails")
	has(t, page, "Spare part 4711", "Spare part 4712", "Invoice &lt;b&gt;", "Support", "No folder", "In the inbox", "Moved", "/t/acme/mails/"+s.Acme.Mail, "data-live")
	hasNot(t, page, "\x1b", "<b>", "rival")
	for query, want := range map[string][2]bool{ // whether 4711 and 4712 are there
		"address=zoe%40example.net":             {true, true},
		"subject=4711":                          {true, false},
		"message_id=%3Ctwo%40example.net%3E":    {true, true},
		"folder=support":                        {true, false},
		"mailbox=info":                          {true, true},
		"mailbox=gone":                          {false, false},
		"state=disposed":                        {true, false},
		"state=undisposed&subject=Spare":        {false, true},
		"verdict=invalid":                       {false, true},
		"verdict=invalid/no-matching-folder":    {false, true},
		"verdict=invalid/oversize":              {false, false},
		"reason=no-matching-folder":             {false, true},
		"verdict=accepted":                      {true, false},
		"since=2020-01-01":                      {true, true},
		"since=2020-01-01T08:00&until=2999-1-1": {false, false}, // see below
		"until=2020-01-01":                      {false, false},
	} {
		status := http.StatusOK
		if strings.HasSuffix(query, "2999-1-1") {
			status = http.StatusUnprocessableEntity
		}
		page := b.open(status, "/t/acme/mails?"+query)
		if got := [2]bool{strings.Contains(page, ">Spare part 4711<"), strings.Contains(page, ">Spare part 4712<")}; got != want {
			t.Errorf("%s shows %v, want %v", query, got, want)
		}
	}
	has(t, b.open(http.StatusOK, "/t/acme/mails?mailbox=gone"), "No mail matches", "gone (deleted)", "Show all")
}

func TestBadFiltersAreAnsweredBesideTheField(t *testing.T) {
	t.Parallel()
	s := newLedgerSite(t)
	b := s.as(s.Rita)
	for query, want := range map[string]string{
		"since=yesterday":                      `id="field-since-problem"`,
		"until=%3Cscript%3E":                   `id="field-until-problem"`,
		"verdict=nice":                         `id="field-verdict-problem"`,
		"reason=nice":                          `id="field-verdict-problem"`,
		"state=nowhere":                        `id="field-state-problem"`,
		"subject=" + strings.Repeat("ä", 1000): `id="field-subject-problem"`,
		"verdict=nice&since=yesterday":         `id="field-since-problem"`,
		"text=" + strings.Repeat("x", 2000):    `id="field-text-problem"`,
	} {
		page := b.open(http.StatusUnprocessableEntity, "/t/acme/mails?"+query)
		has(t, page, want, `aria-invalid="true"`)
		hasNot(t, page, "<script>")
	}
	if page := b.open(http.StatusOK, "/t/acme/mails?subject=%00%ff&address=%0d%0aX:+y&text=%27%22%3E"); !strings.Contains(page, "No mail matches") {
		t.Error("odd filters match something")
	}
}

func TestTheLedgerHasPages(t *testing.T) {
	t.Parallel()
	s := newLedgerSite(t)
	for uid := range uint32(55) {
		s.persist(100+uid, plainMail, nil)
	}
	b := s.as(s.Ann)
	first := b.open(http.StatusOK, "/t/acme/mails?subject=Spare")
	_, rest, ok := strings.Cut(first, `rel="next" href="`)
	next, _, _ := strings.Cut(rest, `"`)
	if !ok || strings.Count(first, " data-open>") != 50 {
		t.Fatalf("the first page has %d rows, the next is %q", strings.Count(first, " data-open>"), next)
	}
	second := b.open(http.StatusOK, strings.ReplaceAll(next, "&amp;", "&"))
	if n := strings.Count(second, " data-open>"); n != 5 || strings.Contains(second, `rel="next"`) || !strings.Contains(second, ">Newest<") {
		t.Errorf("the second page has %d rows", n)
	}
	b.open(http.StatusUnprocessableEntity, "/t/acme/mails?before=first")
}

func TestAMailTellsItsWayAndWhy(t *testing.T) {
	t.Parallel()
	s := newLedgerSite(t)
	id := s.persist(2, plainMail, nil)
	b := s.as(s.Rita)
	page := b.open(http.StatusOK, "/t/acme/mails/"+id)
	has(t, page, "Spare part 4711", "Arrived on the mail server", "Fetched", "Classified", "Stored", "Still in the inbox", "1 s after it was fetched",
		"<strong>Support</strong> because To: support&#43;vip@acme.example matched without its &#43;tag", "Delivered-To", "The header addresses decided.",
		"mx.acme.example", "SPF pass", "DKIM fail", "DMARC none", "Where is it?", "UIDVALIDITY 7, UID 2", "zoe@example.net")
	has(t, b.open(http.StatusOK, "/t/acme/mails/"+id+"?view=source"), "Message-ID: &lt;two@example.net&gt;")
	has(t, b.open(http.StatusOK, "/t/acme/mails/"+s.Acme.Mail), "attachments/1", "text/html", "never opened here")

	bounce := s.persist(4, "From: MAILER-DAEMON@x\r\nSubject: Failed\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\r\nAuto-Submitted: auto-replied\r\n\r\n"+
		"--b\r\nContent-Type: text/plain\r\n\r\nSorry\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; x\r\n\r\nFinal-Recipient: rfc822; gone@x.example\r\nAction: failed\r\nStatus: 5.1.1\r\nDiagnostic-Code: smtp; 550 no such user\r\n", invalid("nobody@acme.example"))
	has(t, b.open(http.StatusOK, "/t/acme/mails/"+bounce), "Bounce", "gone@x.example", "5.1.1", "550 no such user", "It is in no folder:", "No folder of the mailbox has this address.", "boundary-unclosed", "simulator?mail=")
}

func TestMailIsOnlyDownloaded(t *testing.T) {
	t.Parallel()
	s := newLedgerSite(t)
	b := s.as(s.Rita)
	for _, path := range []string{"/raw", "/attachments/1"} {
		answer := b.do(http.MethodGet, "/t/acme/mails/"+s.Acme.Mail+path, nil)
		if d := answer.Header.Get("Content-Disposition"); answer.StatusCode != http.StatusOK || !strings.HasPrefix(d, "attachment; filename") || strings.Contains(d, "/") {
			t.Errorf("%s answers %d, %q", path, answer.StatusCode, d)
		}
		if answer.Header.Get("Content-Type") != "application/octet-stream" || answer.Header.Get("X-Content-Type-Options") != "nosniff" || !strings.Contains(answer.Header.Get("Content-Security-Policy"), "sandbox") {
			t.Errorf("%s has the headers %v", path, answer.Header)
		}
	}
	if d := b.do(http.MethodGet, "/t/acme/mails/"+s.Acme.Mail+"/attachments/1", nil).Header.Get("Content-Disposition"); !strings.Contains(strings.ToLower(d), "filename*=utf-8''") || !strings.Contains(d, "M%C3%A4rz") {
		t.Errorf("the name of the attachment is %q", d)
	}
	for _, path := range []string{"/attachments/9", "/attachments/0", "/attachments/x", "/attachments/-1", "/attachments/99999999999999999999"} {
		b.open(http.StatusNotFound, "/t/acme/mails/"+s.Acme.Mail+path)
	}
}

func TestMailOfOthersDoesNotExist(t *testing.T) {
	t.Parallel()
	s := newLedgerSite(t)
	for _, who := range []*browser{s.as(s.Rita), s.as(s.Ann)} {
		for _, path := range []string{"", "/html", "/raw", "/attachments/1"} {
			own := who.open(http.StatusNotFound, "/t/acme/mails/"+strings.Repeat("a", 26)+path)
			theirs := who.open(http.StatusNotFound, "/t/acme/mails/"+s.Rival.Mail+path)
			if strings.ReplaceAll(theirs, s.Rival.Mail, strings.Repeat("a", 26)) != own {
				t.Errorf("the mail of another tenant answers otherwise than one that does not exist: %s", theirs)
			}
			who.open(http.StatusNotFound, "/t/rival/mails/"+s.Rival.Mail+path)
		}
		who.open(http.StatusNotFound, "/t/rival/mails")
		who.open(http.StatusNotFound, "/t/rival/dead-letters")
		who.open(http.StatusNotFound, "/t/rival/simulator")
		for _, odd := range []string{"%00", "%ff", "..%2f..%2fetc", strings.Repeat("x", 5000), url.PathEscape("<script>")} {
			hasNot(t, who.open(http.StatusNotFound, "/t/acme/mails/"+odd), "<script>alert", "<script>\"")
		}
	}
}

func TestWaysWithoutEveryTime(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	way := wayOf(mailstore.Summary{PersistedAt: now, DisposedAt: &now, DisposedMethod: "delete", Verdict: schemas.Invalid, Reason: schemas.ReasonOversize})
	if len(way) != 5 || !way[0].At.IsZero() || way[3].Took != "" || way[4].Text != "It was deleted from the mail server." || way[2].Text != "Invalid: too large." {
		t.Errorf("the way is %+v", way)
	}
	earlier := now.Add(-time.Hour) // the clock of the mail server is ahead
	if way := wayOf(mailstore.Summary{InternalAt: &now, FetchedAt: &earlier, PersistedAt: now}); way[1].Took != "" {
		t.Errorf("it took %q", way[1].Took)
	}
}
