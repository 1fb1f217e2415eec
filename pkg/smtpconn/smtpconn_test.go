package smtpconn_test

import (
	"crypto/tls"
	"errors"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/mailyard/mailyard/pkg/fault"
	"github.com/mailyard/mailyard/pkg/imapconn/imaptest"
	"github.com/mailyard/mailyard/pkg/mailhost"
	"github.com/mailyard/mailyard/pkg/secret"
	"github.com/mailyard/mailyard/pkg/smtpconn"
	"github.com/mailyard/mailyard/schemas/config"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const mail = "From: a@test.example\nTo: b@test.example\nSubject: hello\n\n.\nThe end\n"

// server starts a demo server with the user a@test.example.
func server(t *testing.T, opts imaptest.Options) *imaptest.Server {
	t.Helper()
	opts.Users = map[string]string{"a@test.example": "pass-word"}
	return imaptest.Demo(t, opts)
}

// target returns how the demo server is reached for sending.
func target(s *imaptest.Server, port int, security config.Security) smtpconn.Target {
	return smtpconn.Target{
		Tenant: "acme", Mailbox: "desk", Host: s.Host, Port: port, Security: security, CA: s.CA,
		AllowInsecure: s.CA == "", Username: "a@test.example", Password: secret.NewString("pass-word"),
	}
}

// quick are timeouts for servers that greet and then do not answer.
func quick() smtpconn.Options {
	return smtpconn.Options{CommandTimeout: 2 * time.Second, SendTimeout: 2 * time.Second}
}

func TestSendOverEverySecureConnectionType(t *testing.T) {
	t.Parallel()
	encrypted, clear := server(t, imaptest.Options{}), server(t, imaptest.Options{NoTLS: true})
	for name, target := range map[string]smtpconn.Target{
		"auto with STARTTLS":     target(encrypted, encrypted.SMTP, config.SecurityAuto),
		"start-tls":              target(encrypted, encrypted.SMTP, config.SecuritySTARTTLS),
		"ssl-on-connect":         target(encrypted, encrypted.SMTPTLS, config.SecurityTLS),
		"clear text, if allowed": target(clear, clear.SMTP, config.SecurityAuto),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var state *tls.ConnectionState
			var stages []mailhost.Stage
			c, err := smtpconn.Dial(t.Context(), target, smtpconn.Options{Observe: func(p mailhost.Progress) {
				if p.Stage == mailhost.StageTLS && p.Ended {
					state = p.TLS
				}
				if p.Ended {
					stages = append(stages, p.Stage)
				}
			}})
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			if target.CA != "" && (state == nil || state.Version < tls.VersionTLS12) {
				t.Errorf("TLS is %+v", state)
			}
			if len(stages) != 5 {
				t.Errorf("stages are %v", stages)
			}
			for range 2 {
				if err := c.Send(t.Context(), "a@test.example", []string{"b@test.example"}, strings.NewReader(mail)); err != nil {
					t.Fatal(err)
				}
			}
			if !strings.HasPrefix(c.Answer(), "250 ") {
				t.Errorf("answer is %q", c.Answer())
			}
		})
	}
}

func TestTextArrivesAsItWas(t *testing.T) {
	t.Parallel()
	s := server(t, imaptest.Options{})
	c, err := smtpconn.Dial(t.Context(), target(s, s.SMTP, config.SecurityAuto), smtpconn.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.Send(t.Context(), "a@test.example", []string{"jörg@test.example"}, strings.NewReader(mail)); err != nil {
		t.Fatal(err)
	}
	got := s.Mails("a@test.example", "INBOX")
	if len(got) != 1 || !strings.HasSuffix(string(got[0].Raw), strings.ReplaceAll(mail, "\n", "\r\n")) {
		t.Errorf("%v", got)
	}
}

func TestRefusedRecipientLeavesTheConnectionGood(t *testing.T) {
	t.Parallel()
	s := server(t, imaptest.Options{})
	c, err := smtpconn.Dial(t.Context(), target(s, s.SMTP, config.SecurityAuto), smtpconn.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	err = c.Send(t.Context(), "a@test.example", []string{"b@test.example", "x@elsewhere.example"}, strings.NewReader(mail))
	if err == nil || !strings.Contains(err.Error(), "x@elsewhere.example") || !strings.Contains(err.Error(), "550") || !fault.IsPermanent(err) {
		t.Errorf("%v", err)
	}
	if n := s.Count("a@test.example", "INBOX"); n != 0 {
		t.Errorf("%d mails were sent", n)
	}
	if err := c.Send(t.Context(), "a@test.example", []string{"b@test.example"}, strings.NewReader(mail)); err != nil {
		t.Error(err)
	}
	for _, bad := range []string{"b@test.example\r\nRCPT TO:<c@test.example>", "b@test.example>\n"} {
		if err := c.Send(t.Context(), "a@test.example", []string{bad}, strings.NewReader(mail)); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}

func TestHalfAMailIsNotSent(t *testing.T) {
	t.Parallel()
	s := server(t, imaptest.Options{})
	c, err := smtpconn.Dial(t.Context(), target(s, s.SMTP, config.SecurityAuto), smtpconn.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	broken := errors.New("the disk is broken")
	if err := c.Send(t.Context(), "a@test.example", []string{"b@test.example"}, &failing{strings.NewReader(mail), broken}); !errors.Is(err, broken) {
		t.Errorf("%v", err)
	}
	if n := s.Count("a@test.example", "INBOX"); n != 0 {
		t.Errorf("%d mails were sent", n)
	}
}

type failing struct {
	r   *strings.Reader
	err error
}

func (f *failing) Read(p []byte) (int, error) {
	if n, _ := f.r.Read(p); n > 0 {
		return n, nil
	}
	return 0, f.err
}
