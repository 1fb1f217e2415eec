package smtpconn

import (
	"errors"
	"net"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/mailyard/mailyard/pkg/mailhost"
)

func FuzzReply(f *testing.F) {
	for _, s := range []string{"220 hi\r\n", "250-a\r\n250 b\r\n", "250-a\r\n251 b\r\n", "220", "220\n", "999 x\r\n", "\x00\r\n", "* OK IMAP\r\n", "250-" + strings.Repeat("x", 3000)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		ours, theirs := net.Pipe()
		defer ours.Close()
		done := make(chan struct{})
		go func() { defer close(done); theirs.Write([]byte(s)); theirs.Close() }()
		r, err := (&Conn{opts: Options{GreetingTimeout: time.Minute}}).newDialogue(ours).reply()
		ours.Close()
		<-done
		if err == nil && (r.code < 200 || r.code > 599 || len(r.lines) == 0) {
			t.Errorf("%q is %+v", s, r)
		}
		if text := r.refusal(mailhost.Secrets{}).Error(); strings.ContainsFunc(text, unicode.IsControl) || len(text) > 2000 {
			t.Errorf("%q is shown as %q", s, text)
		}
		var other *notSMTPError
		if errors.As(err, &other) && strings.ContainsFunc(other.Error(), unicode.IsControl) {
			t.Errorf("%q is shown as %q", s, other)
		}
		r.offers("STARTTLS")
	})
}
