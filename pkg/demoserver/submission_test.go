package demoserver_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"github.com/mailyard/mailyard/pkg/demoserver"
)

const sentMail = "From: info@demo.example\r\nSubject: sent\r\n\r\ntext\r\n"

// startSubmission starts a server that takes mail of two users with a domain and
// one without.
func startSubmission(t *testing.T, dir string) *demoserver.Server {
	t.Helper()
	s, err := demoserver.Start(t.Context(), demoserver.Options{Dir: dir, SMTPAddr: "127.0.0.1:0", Users: map[string]string{
		"info@demo.example": "demo", "zoe@demo.example": "zoe", "u1": "pw1",
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// submit sends a mail as info@demo.example.
func submit(t *testing.T, s *demoserver.Server, mail string, to ...string) error {
	t.Helper()
	c, err := smtp.Dial(s.SMTPAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.Auth(sasl.NewPlainClient("", "info@demo.example", "demo")); err != nil {
		t.Fatal(err)
	}
	return c.SendMail("info@demo.example", to, strings.NewReader(mail))
}

func TestSentMailArrivesInTheInboxOfItsDomain(t *testing.T) {
	t.Parallel()
	for to, user := range map[string]string{
		"info@demo.example": "info@demo.example", "INFO@Demo.Example": "info@demo.example", "zoe@demo.example": "zoe@demo.example",
		"support@demo.example": "info@demo.example", "u1@localhost": "u1",
	} {
		t.Run(to, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			s := startSubmission(t, dir)
			if err := submit(t, s, sentMail, to); err != nil {
				t.Fatal(err)
			}
			s.Close()
			s = startSubmission(t, dir) // it is kept
			raw, err := s.Raw(user, "INBOX", 1)
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range []string{"\r\nDelivered-To: " + user + "\r\n", "\r\nX-Original-To: " + to + "\r\n", "\r\nReceived: ", "\r\n" + sentMail} {
				if !strings.Contains("\r\n"+string(raw), want) {
					t.Errorf("%q is not in\n%s", want, raw)
				}
			}
		})
	}
}

func TestOneCopyForAllAddressesOfAnInbox(t *testing.T) {
	t.Parallel()
	s := startSubmission(t, t.TempDir())
	if err := submit(t, s, sentMail, "support@demo.example", "sales@demo.example"); err != nil {
		t.Fatal(err)
	}
	if mails, err := s.Messages("info@demo.example", "INBOX"); err != nil || len(mails) != 1 {
		t.Errorf("%v, %v", mails, err)
	}
}

func TestMailForElsewhereIsRefused(t *testing.T) {
	t.Parallel()
	s := startSubmission(t, t.TempDir())
	for _, to := range []string{"somebody@example.org", "nobody@localhost", "@demo.example.org"} {
		var refused *smtp.SMTPError
		if err := submit(t, s, sentMail, to); !errors.As(err, &refused) || refused.Code/100 != 5 {
			t.Errorf("%s: %v", to, err)
		}
	}
}

func TestSubmissionNeedsASignIn(t *testing.T) {
	t.Parallel()
	s := startSubmission(t, t.TempDir())
	c, err := smtp.Dial(s.SMTPAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	var refused *smtp.SMTPError
	if err := c.Mail("info@demo.example", nil); !errors.As(err, &refused) || refused.Code/100 != 5 {
		t.Errorf("%v", err)
	}
	if err := c.Auth(sasl.NewPlainClient("", "info@demo.example", "wrong")); !errors.As(err, &refused) || refused.Code != 535 {
		t.Errorf("%v", err)
	}
}

func TestHugeMailIsRefused(t *testing.T) {
	t.Parallel()
	s := startSubmission(t, t.TempDir())
	line := fmt.Sprintf("%0998d\r\n", 0)
	var refused *smtp.SMTPError
	if err := submit(t, s, sentMail+strings.Repeat(line, 11<<10), "info@demo.example"); !errors.As(err, &refused) || refused.Code != 552 {
		t.Errorf("%v", err)
	}
}

func TestSubmissionIsForLoopbackOnly(t *testing.T) {
	t.Parallel()
	s, err := demoserver.Start(t.Context(), demoserver.Options{Dir: t.TempDir(), SMTPAddr: "0.0.0.0:0"})
	if err == nil {
		s.Close()
	}
	if err == nil || !strings.Contains(err.Error(), "loopback") {
		t.Errorf("%v", err)
	}
}
