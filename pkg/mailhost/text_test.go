package mailhost_test

import (
	"encoding/base64"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/mailyard/mailyard/pkg/mailhost"
)

func TestThrottles(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		code, text string
		want       time.Duration // 0: none
	}{
		{"", "Request is throttled. Suggested Backoff Time: 89117 milliseconds", 89117 * time.Millisecond},
		{"", "Request is throttled. Suggested Backoff Time: 5 milliseconds", time.Second},
		{"", "Request is throttled. Suggested Backoff Time: 999999999 milliseconds", time.Hour},
		{"", "Request is throttled.", 2 * time.Minute},
		{"ALERT", "Too many simultaneous connections. (Failure)", time.Minute},
		{"UNAVAILABLE", "Maximum number of connections from user+IP exceeded (mail_max_userip_connections=10)", time.Minute},
		{"LIMIT", "", 2 * time.Minute},
		{"LIMIT", "Rate limit hit, try again in 30 seconds", 30 * time.Second},
		{"INUSE", "mailbox locked", time.Minute},
		{"OVERQUOTA", "Account exceeded command or bandwidth limits. (Failure)", 30 * time.Minute},
		{"", "User is authenticated but not connected.", 5 * time.Minute},
		{"", "Server busy, try again after 2 minutes", 2 * time.Minute},
		{"", "Server busy, try again after 200000000 minutes", time.Hour},
		{"AUTHENTICATIONFAILED", "Invalid credentials (Failure)", 0},
		{"OVERQUOTA", "Quota exceeded (mailbox for user is full)", 0},
		{"TRYCREATE", "Mailbox doesn't exist: Done", 0},
		{"", "wait 5 seconds", 0},
	} {
		got, ok := mailhost.Throttled(test.code, test.text)
		if got != test.want || ok != (test.want > 0) {
			t.Errorf("[%s] %s: %v, %v; want %v", test.code, test.text, got, ok, test.want)
		}
	}
}

func FuzzServerText(f *testing.F) {
	for _, s := range []string{
		"Request is throttled. Suggested Backoff Time: 89117 milliseconds", "\x1b[2Jtext\x00\u202e", "try again in 99999999999 seconds", "",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		clean := mailhost.CleanText(s)
		if !utf8.ValidString(clean) || strings.ContainsFunc(clean, unicode.IsControl) || utf8.RuneCountInString(clean) > 300+2 {
			t.Errorf("cleaned: %q", clean)
		}
		if mailhost.CleanText(clean) != clean {
			t.Errorf("cleaned twice: %q is not %q", mailhost.CleanText(clean), clean)
		}
		for _, code := range []string{"", "LIMIT"} {
			if wait, ok := mailhost.Throttled(code, s); ok && (wait < time.Second || wait > time.Hour) {
				t.Errorf("waits %v", wait)
			}
		}
		mailhost.LoginHint("imap.gmail.com", s)
	})
}

func TestSecretsAreHiddenInEveryForm(t *testing.T) {
	t.Parallel()
	s := mailhost.HideSecrets("user", `pass "word"`)
	plain := base64.StdEncoding.EncodeToString([]byte("\x00user\x00pass \"word\""))
	for _, said := range []string{`BAD LOGIN user pass "word"`, `BAD LOGIN user "pass \"word\""`, "BAD AUTHENTICATE PLAIN " + plain, "BAD " + base64.StdEncoding.EncodeToString([]byte(`pass "word"`))} {
		if got := s.Redact(said); strings.Contains(got, "word") || strings.Contains(got, plain) || got == said {
			t.Errorf("%q is shown as %q", said, got)
		}
	}
	if got := mailhost.HideSecrets("user", "").Redact("nothing to hide"); got != "nothing to hide" {
		t.Errorf("became %q", got)
	}
}
