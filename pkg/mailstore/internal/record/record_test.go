package record

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/mailyard/mailyard/pkg/mailstore"
	"github.com/mailyard/mailyard/schemas"
)

func FuzzText(f *testing.F) {
	for _, s := range []string{"", "plain", "a\x00b", "\xff\xfe", "ä€🎉", "\xed\xa0\x80", strings.Repeat("\xff", 100), strings.Repeat("🎉", 30), "a\xf0\x9f"} {
		for _, limit := range []int{0, 1, 3, 4, 16, 1000} {
			f.Add(s, limit)
		}
	}
	f.Fuzz(func(t *testing.T, s string, limit int) {
		limit = max(0, limit)
		got, short := text(s, limit)
		if !utf8.ValidString(got) || strings.ContainsRune(got, 0) || len(got) > limit {
			t.Errorf("text(%q, %d) = %q", s, limit, got)
		}
		clean := utf8.ValidString(s) && !strings.ContainsRune(s, 0)
		if clean && !strings.HasPrefix(s, got) {
			t.Errorf("text(%q, %d) = %q changes clean text", s, limit, got)
		}
		if clean && short != (len(s) > limit) {
			t.Errorf("text(%q, %d) is short: %v", s, limit, short)
		}
	})
}

func TestMoment(t *testing.T) {
	t.Parallel()
	for _, absurd := range []time.Time{{}, time.Date(0, 12, 31, 23, 59, 59, 0, time.UTC), time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC), time.Unix(1<<60, 0)} {
		if got := moment(absurd); got != nil {
			t.Errorf("moment(%v) = %v, want nil", absurd, got)
		}
	}
	local := time.Date(2026, 3, 1, 2, 0, 0, 123_456_789, time.FixedZone("", 3600))
	want := time.Date(2026, 3, 1, 1, 0, 0, 123_456_000, time.UTC)
	if got := moment(local); got == nil || *got != want {
		t.Errorf("moment(%v) = %v, want %v", local, got, want)
	}
}

func TestCandidatesAreTakenOnce(t *testing.T) {
	t.Parallel()
	at := func(hour int) *time.Time {
		v := time.Date(2026, 3, 1, hour, 0, 0, 0, time.UTC)
		return &v
	}
	row := func(seq int64, uidvalidity, uid uint32, fetched *time.Time) *Candidate {
		return &Candidate{Seq: seq, UIDValidity: uidvalidity, UID: uid, SHA256: "a", Size: 1, FetchedAt: fetched}
	}
	mail := func(uidvalidity uint32, fetched *time.Time) *Record {
		return &Record{Key: schemas.MailKey{UIDValidity: uidvalidity}, SHA256: "a", Size: 1, FetchedAt: fetched}
	}
	c := NewCandidates([]*Candidate{row(3, 2, 1, at(5)), row(2, 1, 9, at(1)), row(1, 1, 8, nil)})
	for i, test := range []struct {
		mail  *Record
		seq   int64
		rekey bool
	}{
		{mail(2, at(3)), 1, true},  // lowest UID first
		{mail(2, at(3)), 2, true},  // the next one
		{mail(2, at(3)), 0, false}, // what is left has the same UIDVALIDITY
		{mail(1, at(5)), 3, false}, // fetched no later than the row: late
		{mail(1, at(6)), 0, false}, // none is left
	} {
		got, rekey := c.Take(test.mail)
		if test.seq == 0 && got != nil || test.seq != 0 && (got == nil || got.Seq != test.seq) || rekey != test.rekey {
			t.Errorf("%d: took %+v, %v; want row %d, %v", i, got, rekey, test.seq, test.rekey)
		}
	}
}

func TestBatchIsSortedAndDistinct(t *testing.T) {
	t.Parallel()
	key := func(tenant string, uid uint32) mailstore.Mail {
		return mailstore.Mail{Key: schemas.MailKey{Tenant: tenant, Mailbox: "m", UIDValidity: 1, UID: uid}, Decision: schemas.Decision{Verdict: schemas.Accepted}, Size: 10}
	}
	b := NewBatch([]mailstore.Mail{key("b", 2), key("a", 10), key("b", 2), key("a", 9)})
	if len(b.Records) != 3 || b.Records[0].Key.UID != 9 || b.Records[1].Key.UID != 10 || b.Records[2].Key.Tenant != "b" {
		t.Errorf("records are %v", b.Records)
	}
	for i := range b.Outcomes {
		b.Outcomes[i] = mailstore.Outcome{MailID: b.Records[i].MailID, New: true}
	}
	out := b.Result()
	if !out[0].New || out[2].New || out[0].MailID != out[2].MailID || out[3].MailID != b.Records[0].MailID {
		t.Errorf("result is %+v", out)
	}
	ts := b.Tallies([]int{0, 1, 2})
	if len(ts) != 2 || ts[0].Tenant != "a" || ts[0].Mails != 2 || ts[0].Bytes != 20 || ts[1].Mails != 1 {
		t.Errorf("tallies are %+v", ts)
	}
}

func TestRounds(t *testing.T) {
	t.Parallel()
	mail := func(mailbox string, uidvalidity, uid uint32, sum string) mailstore.Mail {
		return mailstore.Mail{Key: schemas.MailKey{Tenant: "a", Mailbox: mailbox, UIDValidity: uidvalidity, UID: uid}, SHA256: sum}
	}
	b := NewBatch([]mailstore.Mail{
		mail("m", 1, 1, "x"), mail("m", 1, 2, "x"), mail("m", 2, 1, "x"), mail("m", 2, 2, "y"), mail("m", 3, 1, "x"), mail("n", 2, 1, "x"),
	})
	if diff := cmp.Diff([][]int{{0, 1, 3, 5}, {2}, {4}}, b.Rounds()); diff != "" {
		t.Errorf("Rounds (-want +got):\n%s", diff)
	}
	if rounds := NewBatch(nil).Rounds(); len(rounds) != 0 {
		t.Errorf("an empty batch has %d rounds", len(rounds))
	}
}
