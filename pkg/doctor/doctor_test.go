package doctor_test

import (
	"strings"
	"testing"

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

func TestSignInToAGoodServer(t *testing.T) {
	t.Parallel()
	s := imaptest.Demo(t, imaptest.Options{})
	_, steps := examine(t, request(s, "u1"))
	for _, id := range []string{doctor.StepResolve, doctor.StepConnect, doctor.StepGreeting, doctor.StepCapabilities, doctor.StepSignIn, doctor.StepNamespace} {
		if steps[id].Outcome != doctor.OK {
			t.Errorf("%s is %+v", id, steps[id])
		}
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
