package config_test

import (
	"testing"

	"github.com/mailyard/mailyard/schemas/config"
)

func TestOriginTellsAccountsApart(t *testing.T) {
	t.Parallel()
	m := config.DefaultMailbox()
	m.IMAP.Host, m.Username = "imap.example.org", "info@example.org"
	before := m.Origin()
	same := m
	same.IMAP.Host, same.Username, same.IMAP.Port, same.Name = "IMAP.Example.org", "Info@example.org", 143, "Renamed"
	if same.Origin() != before || len(before) != 16 {
		t.Errorf("origin %s of the same account, want %s", same.Origin(), before)
	}
	for what, change := range map[string]func(*config.Mailbox){
		"host":     func(m *config.Mailbox) { m.IMAP.Host = "mail.example.org" },
		"username": func(m *config.Mailbox) { m.Username = "sales@example.org" },
		"inbox":    func(m *config.Mailbox) { m.Inbox = "Orders" },
	} {
		other := m
		change(&other)
		if other.Origin() == before {
			t.Errorf("another %s has the same origin", what)
		}
	}
}
