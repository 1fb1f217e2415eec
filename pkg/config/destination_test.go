package config

import (
	"slices"
	"testing"

	"github.com/mailyard/mailyard/schemas/config"
)

func TestPasswordGoesOnlyWhereItWasEnteredFor(t *testing.T) {
	t.Parallel()
	before := DefaultMailbox()
	before.IMAP.Host, before.SMTP.Host, before.Username = "imap.example.org", "smtp.example.org", "info@example.org"
	before.SMTP.Port = 465
	for name, c := range map[string]struct {
		change func(*Mailbox)
		want   []string
	}{
		"nothing":             {func(*Mailbox) {}, nil},
		"name and folders":    {func(m *Mailbox) { m.Name, m.Folders, m.Enabled, m.Inbox = "Other", []string{"a"}, true, "Orders" }, nil},
		"case of the host":    {func(m *Mailbox) { m.IMAP.Host = "IMAP.example.org" }, nil},
		"IMAP host":           {func(m *Mailbox) { m.IMAP.Host = "imap.attacker.example" }, []string{"imap.host"}},
		"IMAP port":           {func(m *Mailbox) { m.IMAP.Port = 143 }, []string{"imap.port", "imap.security"}},
		"SMTP host":           {func(m *Mailbox) { m.SMTP.Host = "smtp.attacker.example" }, []string{"smtp.host"}},
		"SMTP port":           {func(m *Mailbox) { m.SMTP.Port = 587 }, []string{"smtp.port", "smtp.security"}},
		"no SMTP":             {func(m *Mailbox) { m.SMTP = DefaultMailbox().SMTP }, nil},
		"auto to at once":     {func(m *Mailbox) { m.IMAP.Security = config.SecurityTLS }, nil},
		"at once to STARTTLS": {func(m *Mailbox) { m.IMAP.Security = config.SecuritySTARTTLS }, []string{"imap.security"}},
		"SMTP to STARTTLS":    {func(m *Mailbox) { m.SMTP.Security = config.SecuritySTARTTLS }, []string{"smtp.security"}},
		"another authority":   {func(m *Mailbox) { m.IMAP.CA = "PEM" }, []string{"imap.ca"}},
		"username":            {func(m *Mailbox) { m.Username = "sales@example.org" }, []string{"username"}},
	} {
		after := before
		c.change(&after)
		if got := NewDestination(before, after); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
	without := before
	without.SMTP.Host = ""
	if got := NewDestination(without, before); !slices.Equal(got, []string{"smtp.host"}) {
		t.Errorf("SMTP that was added: %v", got)
	}
	clear := before
	clear.IMAP.Port, clear.IMAP.Security = 143, config.SecuritySTARTTLS
	raised := clear
	raised.IMAP.Security = config.SecurityTLS
	if got := NewDestination(clear, raised); got != nil {
		t.Errorf("more protection: %v", got)
	}
}
