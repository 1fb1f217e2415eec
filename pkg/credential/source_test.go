package credential_test

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mailyard/mailyard/pkg/configwatch"
	"github.com/mailyard/mailyard/pkg/credential"
	"github.com/mailyard/mailyard/pkg/deployment"
	"github.com/mailyard/mailyard/pkg/egress"
	"github.com/mailyard/mailyard/pkg/imapconn"
	"github.com/mailyard/mailyard/pkg/secret"
	"github.com/mailyard/mailyard/schemas/config"
)

const password = "hunter2-secret"

// sealed returns a mailbox's view with its password, and the source that opens it.
func sealed(t *testing.T) (configwatch.View, credential.Source) {
	t.Helper()
	master, err := secret.GenerateMasterKey()
	if err != nil {
		t.Fatal(err)
	}
	wrapped, err := master.NewTenantKey("acme")
	if err != nil {
		t.Fatal(err)
	}
	key, err := master.TenantKey("acme", wrapped)
	if err != nil {
		t.Fatal(err)
	}
	m := config.DefaultMailbox()
	m.Tenant, m.ID, m.Username = "acme", "info", "Info@Example.com"
	m.IMAP.Host = "IMAP.example.com"
	v := configwatch.View{Mailbox: config.MailboxRecord{Document: m}, Tenant: config.TenantRecord{WrappedKey: wrapped}}
	if v.Mailbox.Password, err = key.Seal("acme", "info", secret.NewString(password)); err != nil {
		t.Fatal(err)
	}
	return v, credential.Source{MasterKey: master, Insecure: func(host string, port int) bool { return port == 10143 }, Connections: 3}
}

func TestTargetIsWhatTheMailboxSays(t *testing.T) {
	t.Parallel()
	v, s := sealed(t)
	target, err := s.Target(v)
	if err != nil {
		t.Fatal(err)
	}
	if target.Password.Reveal() != password || target.AllowInsecure || target.Port != 993 || target.Tenant != "acme" || target.Mailbox != "info" || target.Username != "Info@Example.com" {
		t.Errorf("target = %+v", target)
	}
	v.Mailbox.Document.IMAP.Port = 10143
	if target, err := s.Target(v); err != nil || !target.AllowInsecure {
		t.Errorf("clear text that the landlord allowed: %+v, %v", target, err)
	}
}

func TestPasswordThatCannotBeOpened(t *testing.T) {
	t.Parallel()
	other, err := secret.GenerateMasterKey()
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		change func(*configwatch.View, *credential.Source)
		say    string
	}{
		"no tenant key":     {func(v *configwatch.View, _ *credential.Source) { v.Tenant.WrappedKey = nil }, "Tenant Encryption Key"},
		"no password":       {func(v *configwatch.View, _ *credential.Source) { v.Mailbox.Password = nil }, "none is set"},
		"other master key":  {func(_ *configwatch.View, s *credential.Source) { s.MasterKey = other }, "acme/info"},
		"another mailbox's": {func(v *configwatch.View, _ *credential.Source) { v.Mailbox.Document.ID = "copied" }, "acme/copied"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v, s := sealed(t)
			test.change(&v, &s)
			_, err := s.Target(v)
			if err == nil || !strings.Contains(err.Error(), test.say) || strings.Contains(err.Error(), password) {
				t.Errorf("Target = %v; want an error that says %q", err, test.say)
			}
		})
	}
}

func TestBudgetIsOfTheAccount(t *testing.T) {
	t.Parallel()
	var s credential.Source
	a := s.BudgetKey(imapconn.Target{Mailbox: "a", Host: "IMAP.example.com", Port: 993, Username: "Info@example.com"})
	b := s.BudgetKey(imapconn.Target{Mailbox: "b", Host: "imap.example.com", Port: 993, Username: "info@example.com"})
	c := s.BudgetKey(imapconn.Target{Mailbox: "a", Host: "imap.example.com", Port: 993, Username: "sales@example.com"})
	if a != b || a == c {
		t.Errorf("budgets %q, %q, %q", a, b, c)
	}
}

func TestOpenReadsTheMasterKey(t *testing.T) {
	t.Parallel()
	key, err := secret.GenerateMasterKey()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "master.key")
	if err := key.Save(path); err != nil {
		t.Fatal(err)
	}
	s, err := credential.Open(deployment.Settings{MasterKeyFile: path, InsecureHosts: []string{"demo:143"}, MailNetworks: []string{"127.0.0.1:1"}})
	if err != nil || s.MasterKey == nil || s.Connections != credential.DefaultConnections || !s.Insecure("demo", 143) {
		t.Errorf("Open = %+v, %v", s, err)
	}
	var refused *egress.RefusedError
	if _, err := s.Dial(t.Context(), "tcp", "127.0.0.1:1"); err == nil || errors.As(err, &refused) {
		t.Errorf("what the landlord allowed: %v", err)
	}
	if _, err := (credential.Source{}).Dial(t.Context(), "tcp", "127.0.0.1:143"); !errors.As(err, &refused) {
		t.Errorf("what nobody allowed: %v", err)
	}
	if _, err := credential.Open(deployment.Settings{MasterKeyFile: path, MailPorts: []int{0}}); err == nil || !strings.Contains(err.Error(), "mail_ports") {
		t.Errorf("with a port that is none: %v", err)
	}
	if _, err := credential.Open(deployment.Settings{}); err == nil || !strings.Contains(err.Error(), "mailyard key generate") {
		t.Errorf("without a file: %v", err)
	}
	if _, err := credential.Open(deployment.Settings{MasterKeyFile: path + "x"}); err == nil || !strings.Contains(err.Error(), path+"x") {
		t.Errorf("with a missing file: %v", err)
	}
}
