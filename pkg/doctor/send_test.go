package doctor_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"

	"github.com/mailyard/mailyard/pkg/doctor"
	"github.com/mailyard/mailyard/pkg/imapconn/imaptest"
	"github.com/mailyard/mailyard/schemas/config"
)

func TestAGoodMailboxThatSendsPassesEveryStep(t *testing.T) {
	t.Parallel()
	s := mailServer(t, imaptest.Options{})
	for name, security := range map[string]config.Security{"STARTTLS": config.SecurityAuto, "TLS from the first byte": config.SecurityTLS} {
		t.Run(name, func(t *testing.T) {
			req := sending(s)
			if security == config.SecurityTLS {
				req.Document.IMAP.Port, req.Document.SMTP.Port = s.TLS, s.SMTPTLS
			}
			req.Document.IMAP.Security, req.Document.SMTP.Security = security, security
			unchanged(t, s, user, func() {
				report, steps := examine(t, doctor.Doctor{}, req)
				for _, step := range report.Steps {
					// The certificate of the test ends soon.
					if step.ID != doctor.StepTLS && step.ID != doctor.StepSMTPTLS && step.Outcome != doctor.OK {
						t.Errorf("%s is %+v", step.ID, step)
					}
				}
				if report.Outcome != doctor.Warning || !strings.Contains(steps[doctor.StepTLS].Remedy, "ends on") {
					t.Errorf("%+v", steps[doctor.StepTLS])
				}
				if value(steps[doctor.StepSend], "Found in") != "INBOX" || !strings.HasPrefix(value(steps[doctor.StepAddresses], "sales@test.example"), "arrived") {
					t.Errorf("%+v\n%+v", steps[doctor.StepSend], steps[doctor.StepAddresses])
				}
			})
		})
	}
}

func TestAddressesThatAreNotTheMailboxsAreNamed(t *testing.T) {
	t.Parallel()
	s := mailServer(t, imaptest.Options{})
	req := sending(s)
	req.Addresses = []string{"DESK@test.example", "other@test.example", "sales@test.example", "sales@elsewhere.example", "not an address"}
	unchanged(t, s, user, func() {
		report, steps := examine(t, doctor.Doctor{Limit: 20 * time.Second}, req)
		step := steps[doctor.StepAddresses]
		if report.Outcome != doctor.Warning || step.Outcome != doctor.Warning || !strings.Contains(step.Remedy, "other@test.example") {
			t.Errorf("%+v", step)
		}
		for address, want := range map[string]string{
			"DESK@test.example": "arrived", "other@test.example": "did not arrive", "sales@test.example": "arrived", "sales@elsewhere.example": "not tested",
		} {
			if !strings.HasPrefix(value(step, address), want) {
				t.Errorf("%s: %q", address, value(step, address))
			}
		}
	})
}

func TestMoreAddressesThanAreTested(t *testing.T) {
	t.Parallel()
	s := mailServer(t, imaptest.Options{})
	req := sending(s)
	for c := 'a'; c < 'p'; c++ {
		req.Addresses = append(req.Addresses, string(c)+"@test.example")
	}
	unchanged(t, s, user, func() {
		_, steps := examine(t, doctor.Doctor{}, req)
		if step := steps[doctor.StepAddresses]; !strings.HasPrefix(value(step, "a@test.example"), "arrived") || !strings.HasPrefix(value(step, "o@test.example"), "not tested") {
			t.Errorf("%+v", step)
		}
	})
}

// An enabled mailbox's own pipeline may be quicker, and takes the mail to the
// folder for invalid mail.
func TestMailThatThePipelineTookIsFound(t *testing.T) {
	t.Parallel()
	s := mailServer(t, imaptest.Options{})
	req := sending(s)
	req.Document.Enabled = true
	req.Addresses = nil
	c := s.Client(user)
	defer c.Close()
	if err := c.Create("InvalidCCSPItems", nil).Wait(); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Select("INBOX", nil).Wait(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	pipeline := make(chan struct{})
	go func() {
		defer close(pipeline)
		for ctx.Err() == nil {
			if err := c.Noop().Wait(); err != nil {
				t.Error(err)
				return
			}
			if c.Mailbox().NumMessages > 0 {
				if _, err := c.Move(imap.SeqSet{{Start: 1}}, "InvalidCCSPItems").Wait(); err != nil {
					t.Error(err)
					return
				}
			}
		}
	}()
	_, steps := examine(t, doctor.Doctor{Limit: 30 * time.Second}, req)
	cancel()
	<-pipeline
	if step := steps[doctor.StepSend]; step.Outcome != doctor.OK || value(step, "Found in") == "" {
		t.Errorf("%+v", step)
	}
	if n := s.Count(user, "INBOX") + s.Count(user, "InvalidCCSPItems"); n != 0 {
		t.Errorf("%d mails were left", n)
	}
}

func TestMailThatCannotBeDeletedIsNamed(t *testing.T) {
	t.Parallel()
	s := mailServer(t, imaptest.Options{Hide: []string{"MOVE", "UIDPLUS"}})
	req := sending(s)
	req.Addresses = nil
	_, steps := examine(t, doctor.Doctor{}, req)
	if step := steps[doctor.StepSend]; step.Outcome != doctor.Warning || !strings.Contains(step.Remedy, "stays there") {
		t.Errorf("%+v", step)
	}
	if mails := s.Mails(user, "INBOX"); len(mails) != 1 || !strings.Contains(string(mails[0].Raw), "X-Mailyard-Loop: ") {
		t.Errorf("%d mails were left", len(mails))
	}
}

func TestTroubleWithSMTPLeavesTheRestGood(t *testing.T) {
	t.Parallel()
	s := mailServer(t, imaptest.Options{})
	for name, test := range map[string]struct {
		change func(*config.Mailbox)
		failed string
		remedy string
	}{
		"wrong mode": {func(m *config.Mailbox) { m.SMTP.Security = config.SecurityTLS }, doctor.StepSMTPTLS, "start-tls"},
		"unknown CA": {func(m *config.Mailbox) { m.SMTP.CA = "" }, doctor.StepSMTPTLS, "smtp.ca"},
		"IMAP port":  {func(m *config.Mailbox) { m.SMTP.Port = m.IMAP.Port }, doctor.StepSMTPTLS, "not an SMTP server"},
		"POP3 port":  {func(m *config.Mailbox) { m.SMTP.Port = 995 }, doctor.StepSMTPConnect, "POP3"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			req := sending(s)
			test.change(&req.Document)
			report, steps := examine(t, doctor.Doctor{}, req)
			if step := steps[test.failed]; report.Outcome != doctor.Failed || step.Outcome != doctor.Failed || !strings.Contains(step.Remedy+step.Answer, test.remedy) {
				t.Errorf("%+v", step)
			}
			if steps[doctor.StepIdle].Outcome != doctor.OK || steps[doctor.StepSend].Outcome != doctor.Skipped {
				t.Errorf("%+v\n%+v", steps[doctor.StepIdle], steps[doctor.StepSend])
			}
		})
	}
}
