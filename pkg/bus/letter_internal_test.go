package bus

import (
	"errors"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/mailyard/mailyard/schemas"
)

func TestErrorText(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ in, want string }{
		{"plain", "plain"},
		{"a\r\nb\tc\x00d\u0085e\u2028f", "a  b c d e f"},
		{"\xff\xfe", "\uFFFD"},
		{strings.Repeat("x", 1000), strings.Repeat("x", 1000)},
		{strings.Repeat("x", 1001), strings.Repeat("x", 997) + "…"},
		{strings.Repeat("é", 501), strings.Repeat("é", 498) + "…"},
	} {
		if got := errorText(errors.New(c.in)); got != c.want {
			t.Errorf("errorText(%q) = %q; want %q", c.in, got, c.want)
		}
	}
}

func TestPublishedOn(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		subject, retry, want string
	}{
		{"mail.v1.fetched.light.t.m", "", "mail.v1.fetched.light.t.m"},
		{"mail.v1.dispose.11.t.m", "", "mail.v1.dispose.t.m"},
		{"mail.v1.dispose.t.m", "", "mail.v1.dispose.t.m"},
		{"mail.v1.dispose.1.2.3", "", "mail.v1.dispose.2.3"},
		{"mail.v1.retry.due.persister.light", "mail.v1.classified.light.t.m", "mail.v1.classified.light.t.m"},
	} {
		header := map[string][]string{HeaderRetrySubject: {c.retry}}
		if got := publishedOn(header, c.subject); got != c.want {
			t.Errorf("%s (retry of %q) was published on %s; want %s", c.subject, c.retry, got, c.want)
		}
	}
}

func TestParkedKey(t *testing.T) {
	t.Parallel()
	k := schemas.MailKey{Tenant: "acme", Mailbox: "support", UIDValidity: 4_294_967_295, UID: 1}
	if got, ok := parseParkedKey(parkedKey(k)); !ok || got != k {
		t.Errorf("%s was read as %v, %t", parkedKey(k), got, ok)
	}
	for _, bad := range []string{"", "parked.", "parked.a.b.1", "parked.a.b.1.0", "parked.a.b.x.1", "parked.a.b.1.4294967296", "pause.a.b.1.2", "parked.a.b.1.2.3"} {
		if k, ok := parseParkedKey(bad); ok {
			t.Errorf("%q was read as %v", bad, k)
		}
	}
}

func TestAbout(t *testing.T) {
	t.Parallel()
	attr := func(kv ...string) map[string][]string {
		h := map[string][]string{}
		for i := 0; i < len(kv); i += 2 {
			h["ce-"+kv[i]] = []string{kv[i+1]}
		}
		return h
	}
	for name, c := range map[string]struct {
		l    letter
		want about
	}{
		"mail": {
			letter{subject: "mail.v1.fetched.light.t.m", header: attr("type", schemas.TypeMailFetched, "tenant", "t", "mailbox", "m", "uidvalidity", "7", "uid", "9")},
			about{"t", "m", 7, []uint32{9}, true},
		},
		"mail without uid": {
			letter{subject: "mail.v1.fetched.light.t.m", header: attr("tenant", "t", "mailbox", "m", "uidvalidity", "7")},
			about{"t", "m", 7, []uint32{}, false},
		},
		"ids that are no tokens": {
			letter{subject: "mail.v1.fetched.light.t.m", header: attr("tenant", "t.>", "mailbox", "*", "uidvalidity", "7", "uid", "9")},
			about{"t", "m", 7, []uint32{9}, true},
		},
		"nothing known": {
			letter{subject: "X"}, about{unknownID, unknownID, 0, []uint32{}, false},
		},
		"disposed": {
			letter{subject: "mail.v1.event.disposed.t.m", header: attr("type", schemas.TypeMailDisposed), payload: []byte(`{"tenant":"t","mailbox":"m","uidvalidity":7,"uids":[1,2],"action":"persisted"}`)},
			about{"t", "m", 7, []uint32{1, 2}, false},
		},
		"dispose that is no JSON": {
			letter{subject: "mail.v1.dispose.t.m", header: attr("type", schemas.TypeMailDispose), payload: []byte("?")},
			about{"t", "m", 0, []uint32{}, false},
		},
	} {
		if diff := cmp.Diff(c.want, aboutMessage(c.l), cmp.AllowUnexported(about{})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// Whatever a message contains, its dead letter can be published.
func FuzzLetter(f *testing.F) {
	f.Add("mail.v1.fetched.light.t.m", schemas.TypeMailFetched, "t", "m", "7", "9", []byte("x"), "error")
	f.Add("mail.v1.dispose.3.t.m", schemas.TypeMailDispose, "", "", "", "", []byte(`{"tenant":"t","mailbox":"m","uidvalidity":7,"uids":[1]}`), "a\r\nb")
	f.Add("", "", "t.>", "\xff", "-1", "4294967296", []byte(nil), strings.Repeat("é", 600))
	f.Fuzz(func(t *testing.T, subject, eventType, tenant, mailbox, uidvalidity, uid string, payload []byte, text string) {
		a := aboutMessage(letter{subject: subject, payload: payload, header: map[string][]string{
			"ce-type": {eventType}, "ce-tenant": {tenant}, "ce-mailbox": {mailbox}, "ce-uidvalidity": {uidvalidity}, "ce-uid": {uid},
		}})
		if !validID(a.tenant) || !validID(a.mailbox) || a.uids == nil {
			t.Errorf("the letter cannot be addressed: %+v", a)
		}
		if a.park && (a.uidvalidity == 0 || len(a.uids) == 0) {
			t.Errorf("no key can be made: %+v", a)
		}
		if s := errorText(errors.New(text)); len(s) > maxErrorText || !utf8.ValidString(s) || strings.ContainsFunc(s, unicode.IsControl) {
			t.Errorf("the text does not fit a header: %q", s)
		}
		if k, ok := parseParkedKey(subject); ok && parkedKey(k) == "" {
			t.Error("a key without a text")
		}
	})
}
