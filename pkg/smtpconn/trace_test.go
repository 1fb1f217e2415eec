package smtpconn_test

import (
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mailyard/mailyard/pkg/imapconn/imaptest"
	"github.com/mailyard/mailyard/pkg/mailhost"
	"github.com/mailyard/mailyard/pkg/smtpconn"
	"github.com/mailyard/mailyard/schemas/config"
)

func TestTraceShowsNoSignInAndNoMail(t *testing.T) {
	t.Parallel()
	s := server(t, imaptest.Options{})
	var on atomic.Bool
	on.Store(true)
	var lines []string
	trace := &mailhost.Trace{On: &on, Take: func(d mailhost.Direction, text string) {
		if d == mailhost.ToServer {
			lines = append(lines, text)
		}
		if strings.Contains(text, "pass-word") || strings.Contains(text, "The end") {
			t.Errorf("%s %s", d, text)
		}
	}}
	c, err := smtpconn.Dial(t.Context(), target(s, s.SMTP, config.SecurityAuto), smtpconn.Options{Trace: trace})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Send(t.Context(), "a@test.example", []string{"b@test.example"}, strings.NewReader(mail)); err != nil {
		t.Fatal(err)
	}
	c.Close()
	want := []string{"EHLO localhost", "STARTTLS", "EHLO localhost", "(sign-in)", "MAIL FROM:<a@test.example> BODY=8BITMIME", "RCPT TO:<b@test.example>", "DATA", "(mail)", "QUIT"}
	for i := range lines {
		lines[i], _, _ = strings.Cut(lines[i], " SMTPUTF8")
	}
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
