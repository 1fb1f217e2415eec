package doctor_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/mailyard/mailyard/pkg/doctor"
	"github.com/mailyard/mailyard/pkg/imapconn/imaptest"
	"github.com/mailyard/mailyard/pkg/secret"
	"github.com/mailyard/mailyard/schemas/config"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// request returns a mailbox of a test server.
func request(s *imaptest.Server, user string) doctor.Request {
	t := s.Target(user)
	doc := config.DefaultMailbox()
	doc.Tenant, doc.ID, doc.Username = t.Tenant, "desk", t.Username
	doc.IMAP = config.Server{Host: t.Host, Port: t.Port, Security: t.Security, CA: t.CA}
	return doctor.Request{Document: doc, Password: t.Password, AllowInsecureIMAP: t.AllowInsecure, Detailed: true}
}

const user = "desk@test.example"

// mailServer starts a demo server with a mailbox that takes mail of its domain.
func mailServer(t *testing.T, opts imaptest.Options) *imaptest.Server {
	t.Helper()
	opts.Users = map[string]string{user: "pass-word"}
	return imaptest.Demo(t, opts)
}

// sending returns a mailbox that also sends.
func sending(s *imaptest.Server) doctor.Request {
	req := request(s, user)
	req.Document.SMTP = config.Server{Host: s.Host, Port: s.SMTP, Security: config.SecurityAuto, CA: s.CA}
	req.AllowInsecureSMTP = s.CA == ""
	req.Addresses = []string{"support@test.example", "sales@test.example"}
	return req
}

// examine runs a doctor and returns its steps by ID.
func examine(t *testing.T, req doctor.Request) (doctor.Report, map[string]doctor.Step) {
	t.Helper()
	report := doctor.Doctor{}.Run(t.Context(), req, nil)
	steps := make(map[string]doctor.Step)
	for _, s := range report.Steps {
		t.Logf("%-13s %-8s %s | %s | %s | %v", s.ID, s.Outcome, s.Tried, s.Answer, s.Remedy, s.Facts)
		steps[s.ID] = s
	}
	return report, steps
}

func TestAGoodMailboxPassesEveryStep(t *testing.T) {
	t.Parallel()
	s := mailServer(t, imaptest.Options{})
	before := s.Folders(user)
	report, steps := examine(t, sending(s))
	for _, step := range report.Steps {
		if step.ID != doctor.StepTLS && step.ID != doctor.StepSMTPTLS && step.Outcome != doctor.OK {
			t.Errorf("%s is %+v", step.ID, step)
		}
	}
	if report.Outcome != doctor.Warning || steps[doctor.StepTLS].Outcome != doctor.Warning {
		t.Errorf("a certificate that ends tomorrow makes it %s", report.Outcome)
	}
	if diff := cmp.Diff(before, s.Folders(user)); diff != "" || s.Count(user, "INBOX") != 0 {
		t.Errorf("it left something behind: %s, %d mails", diff, s.Count(user, "INBOX"))
	}
}

func TestAWrongPasswordIsNamed(t *testing.T) {
	t.Parallel()
	s := imaptest.Demo(t, imaptest.Options{})
	req := request(s, "u1")
	req.Password = secret.NewString("a-wrong-one")
	report, steps := examine(t, req)
	if report.Outcome != doctor.Failed || steps[doctor.StepSignIn].Outcome != doctor.Failed || !strings.Contains(steps[doctor.StepSignIn].Remedy, "password") {
		t.Errorf("%+v", steps[doctor.StepSignIn])
	}
}
