package imapconn_test

import (
	"strings"
	"testing"
	"time"

	"github.com/mailyard/mailyard/pkg/imapconn"
	"github.com/mailyard/mailyard/pkg/imapconn/imaptest"
	"github.com/mailyard/mailyard/pkg/secret"
	"github.com/mailyard/mailyard/schemas/config"
)

// testSecurity goes through the secure connection types, right and wrong.
func testSecurity(t *testing.T, s *imaptest.Server) {
	other := imaptest.NewCertificate(t, time.Time{})
	for name, test := range map[string]struct {
		change func(*imapconn.Target)
		kind   imapconn.Kind
		says   []string // empty: it works
	}{
		"auto":                     {change: func(*imapconn.Target) {}},
		"start-tls":                {change: func(t *imapconn.Target) { t.Security = config.SecuritySTARTTLS }},
		"ssl-on-connect":           {change: func(t *imapconn.Target) { t.Security, t.Port = config.SecurityTLS, s.TLS }},
		"by name":                  {change: func(t *imapconn.Target) { t.Host = "localhost" }},
		"TLS on the plain port":    {func(t *imapconn.Target) { t.Security = config.SecurityTLS }, imapconn.KindTLS, []string{"start-tls", "imap.security"}},
		"STARTTLS on the TLS port": {func(t *imapconn.Target) { t.Port = s.TLS }, imapconn.KindTLS, []string{"ssl-on-connect", "imap.security"}},
		"system's authorities":     {func(t *imapconn.Target) { t.CA = "" }, imapconn.KindTLS, []string{"mailyard test authority", "imap.ca"}},
		"another authority":        {func(t *imapconn.Target) { t.CA = other.CA }, imapconn.KindTLS, []string{"mailyard test authority", "imap.ca"}},
		"no authority":             {func(t *imapconn.Target) { t.CA = "x" }, imapconn.KindTLS, []string{"imap.ca", "PEM"}},
		"wrong password":           {func(t *imapconn.Target) { t.Password = secret.NewString("hush-hush") }, imapconn.KindCredentials, []string{"username and password"}},
		"unknown user":             {func(t *imapconn.Target) { t.Username = `nobody "at" ü` }, imapconn.KindCredentials, nil},
		"nothing listens":          {func(t *imapconn.Target) { t.Port = 1 }, imapconn.KindUnreachable, []string{"imap.port"}},
		"no such host":             {func(t *imapconn.Target) { t.Host = "mail.invalid" }, imapconn.KindUnreachable, []string{"imap.host"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			target := s.Target("u9")
			target.AllowInsecure = false
			test.change(&target)
			c, err := imapconn.Dial(t.Context(), target, imapconn.Options{GreetingTimeout: 2 * time.Second})
			if test.kind == imapconn.KindOther {
				if err != nil {
					t.Fatal(err)
				}
				if _, err := c.Select(t.Context(), "inbox"); err != nil {
					t.Error(err)
				}
				c.Close()
				return
			}
			if err == nil {
				c.Close()
				t.Fatal("connected")
			}
			if got := imapconn.KindOf(err); got != test.kind {
				t.Errorf("kind = %v, want %v: %v", got, test.kind, err)
			}
			for _, s := range append(test.says, "acme/u9") {
				if !strings.Contains(err.Error(), s) {
					t.Errorf("error does not say %q: %v", s, err)
				}
			}
			if strings.Contains(err.Error(), "hush-hush") || strings.Contains(err.Error(), "pw9") {
				t.Errorf("error shows the password: %v", err)
			}
		})
	}
}
