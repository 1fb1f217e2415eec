package doctor_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/mailyard/mailyard/pkg/doctor"
	"github.com/mailyard/mailyard/pkg/imapconn/imaptest"
	"github.com/mailyard/mailyard/pkg/routing"
	"github.com/mailyard/mailyard/schemas/config"
)

// The pipeline is told of the mails before they are sent, by a token that is
// theirs alone.
func TestTestMailsAreAnnounced(t *testing.T) {
	t.Parallel()
	s := mailServer(t, imaptest.Options{Hide: []string{"MOVE", "UIDPLUS"}}) // they stay
	var tokens []string
	d := doctor.Doctor{Announce: func(_ context.Context, token string) error {
		if n := s.Count(user, "INBOX"); n != 2*len(tokens) {
			t.Errorf("%d mails were sent before they were announced", n-2*len(tokens))
		}
		tokens = append(tokens, token)
		return nil
	}}
	req := sending(s)
	req.Addresses = req.Addresses[:1] // with that of the mailbox two mails
	for range 2 {
		examine(t, d, req)
	}
	if len(tokens) != 2 || tokens[0] == tokens[1] {
		t.Fatalf("the tokens are %q", tokens)
	}
	for i, m := range s.Mails(user, "INBOX") {
		if want := routing.ProbeHeader + ": " + tokens[i/2] + "\r\n"; !strings.Contains(string(m.Raw), want) {
			t.Errorf("mail %d lacks %q", i, want)
		}
	}
}

func TestNoMailIsSentThatThePipelineDoesNotKnow(t *testing.T) {
	t.Parallel()
	s := mailServer(t, imaptest.Options{})
	d := doctor.Doctor{Announce: func(context.Context, string) error { return errors.New("NATS is away") }}
	unchanged(t, s, user, func() {
		report, steps := examine(t, d, sending(s))
		if step := steps[doctor.StepSend]; step.Outcome != doctor.Skipped || !strings.Contains(step.Answer, "Try again") || strings.Contains(step.Answer, "NATS") {
			t.Errorf("%+v", step)
		}
		if report.Outcome == doctor.Failed || steps[doctor.StepSMTPSignIn].Outcome != doctor.OK {
			t.Errorf("it is %s: %+v", report.Outcome, steps[doctor.StepSMTPSignIn])
		}
	})
}

// What came to another mailbox is told with its name, and not waited for.
func TestMailThatCameToAnotherMailboxIsNamed(t *testing.T) {
	t.Parallel()
	s := mailServer(t, imaptest.Options{})
	req := sending(s)
	req.Addresses = []string{"sales@test.example", "other@test.example"}
	req.Taken = func(_ context.Context, id string) (doctor.Taker, error) {
		for _, m := range s.Mails("other@test.example", "INBOX") {
			if strings.Contains(string(m.Raw), "Message-ID: "+id+"\r\n") {
				return doctor.Taker{ID: "other", Name: "Other desk"}, nil
			}
		}
		return doctor.Taker{}, nil
	}
	unchanged(t, s, user, func() {
		_, steps := examine(t, doctor.Doctor{Limit: time.Hour}, req)
		step := steps[doctor.StepAddresses]
		if step.Outcome != doctor.Warning || !strings.Contains(step.Remedy, "Mail to other@test.example comes to the mailbox Other desk.") || !strings.Contains(value(step, "other@test.example"), "Other desk") {
			t.Errorf("%+v", step)
		}
		if step.Answer != "1 arrived, 1 did not, 0 not tested." {
			t.Errorf("%+v", step)
		}
	})
	req.Document.Username, req.Password = user, s.Target(user).Password
	req.Taken = func(context.Context, string) (doctor.Taker, error) {
		return doctor.Taker{}, errors.New("the database is away")
	}
	req.Addresses = nil
	if _, steps := examine(t, doctor.Doctor{}, req); steps[doctor.StepSend].Outcome != doctor.OK {
		t.Errorf("while the messaging database is away: %+v", steps[doctor.StepSend])
	}
}

// The pipeline may have taken a mail before the doctor looks, and where invalid
// mail is deleted it leaves nothing to be found. What it stored did arrive.
func TestMailThatThePipelineStoredHasArrived(t *testing.T) {
	t.Parallel()
	s, elsewhere := mailServer(t, imaptest.Options{}), mailServer(t, imaptest.Options{})
	for method, limit := range map[config.Method]time.Duration{
		config.MethodDelete: time.Hour, // nothing to wait for
		config.MethodMove:   15 * time.Second,
	} {
		t.Run(string(method), func(t *testing.T) {
			t.Parallel()
			req := sending(s)
			// As if it was gone at once: what is sent never comes into this inbox.
			req.Document.SMTP = config.Server{Host: elsewhere.Host, Port: elsewhere.SMTP, Security: config.SecurityAuto, CA: elsewhere.CA}
			req.Document.Enabled, req.Document.InvalidMethod = true, method
			req.Addresses = req.Addresses[:1]
			req.Taken = func(context.Context, string) (doctor.Taker, error) {
				return doctor.Taker{ID: req.Document.ID, Name: "Desk"}, nil
			}
			_, steps := examine(t, doctor.Doctor{Limit: limit}, req)
			if step := steps[doctor.StepSend]; step.Outcome != doctor.OK || !strings.Contains(value(step, "Taken by"), "ledger") {
				t.Errorf("%+v", step)
			}
			if step := steps[doctor.StepAddresses]; step.Outcome != doctor.OK || !strings.HasPrefix(value(step, req.Addresses[0]), "arrived") {
				t.Errorf("%+v", step)
			}
		})
	}
}
