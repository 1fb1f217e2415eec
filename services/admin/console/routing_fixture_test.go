package console

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/mailyard/mailyard/pkg/config"
	"github.com/mailyard/mailyard/pkg/control"
	"github.com/mailyard/mailyard/pkg/lease"
	"github.com/mailyard/mailyard/pkg/secret"
	"github.com/mailyard/mailyard/schemas"
	"github.com/mailyard/mailyard/services/admin/admintest"
	"github.com/mailyard/mailyard/services/admin/operation"
)

// get returns the status and the HTML of a page.
func (b *browser) get(path string, headers ...string) (int, string) {
	b.t.Helper()
	answer := b.do(http.MethodGet, path, nil, headers...)
	return answer.StatusCode, text(b.t, answer)
}

// partOf are the headers of htmx that asks for a part of a page.
func partOf(target string) []string { return []string{"HX-Request", "true", "HX-Target", target} }

// putMailbox stores a mailbox of acme.
func putMailbox(t testing.TB, o *admintest.Office, id string, change func(*config.Mailbox)) control.Mailbox {
	t.Helper()
	doc := config.DefaultMailbox()
	doc.Tenant, doc.ID, doc.Name, doc.Username, doc.Folders = "acme", id, "Mailbox "+id, id+"@acme.example", []string{"support"}
	doc.IMAP.Host = "imap.acme.example"
	if change != nil {
		change(&doc)
	}
	m, err := o.Control.PutMailboxWithPassword(t.Context(), o.Ann.Actor, doc, secret.NewString(admintest.Password), control.IfNew)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// tell makes a mailbox of acme one of which a replica says something.
func tell(t testing.TB, o *admintest.Office, s schemas.MailboxState) {
	t.Helper()
	s.Tenant = "acme"
	if s.ObservedAt == nil {
		now := time.Now()
		s.ObservedAt = &now
	}
	if s.Since.IsZero() {
		s.Since = s.ObservedAt.Add(-time.Hour)
	}
	if err := o.Desk.Leases.SetState(t.Context(), s, ""); err != nil {
		t.Fatal(err)
	}
}

// inAllStates stores n mailboxes of acme, in every state that there is.
func inAllStates(t testing.TB, o *admintest.Office, n int) {
	t.Helper()
	details := map[schemas.MailboxStatus]string{
		schemas.StatusAuthFailed:    "The server refused the username or the password: AUTHENTICATIONFAILED Invalid credentials. Set the Password of the mailbox; for Gmail it must be an app password. Until then it is tried once an hour.",
		schemas.StatusTLSFailed:     "The certificate of imap.acme.example has expired. Renew it on the mail server.",
		schemas.StatusUnreachable:   "No connection to imap.acme.example:993 could be made: connection refused.",
		schemas.StatusFolderMissing: "The folder PersistedCCSPItems does not exist, and the server does not let us create it: Permission denied.",
		schemas.StatusThrottled:     "The provider asked us to wait: Too many simultaneous connections.",
		schemas.StatusFailed:        "The server closed the connection in the middle of an answer, 4 times in a row.",
		schemas.StatusBlocked:       "The Password is not set, without which the mailbox cannot be enabled.",
	}
	statuses := mailboxStatuses()
	for i := range n {
		id := fmt.Sprintf("box-%05d", i)
		status := statuses[i%len(statuses)]
		m := putMailbox(t, o, id, func(d *config.Mailbox) {
			d.Name = []string{"Support desk", "Sales", "Billing and invoices for all of Europe and the United Kingdom", "Returns", "Press"}[i%5] + fmt.Sprintf(" %d", i)
			d.Description = "What customers write to."
			if i%3 > 0 {
				d.SMTP.Host = "smtp.acme.example"
			}
			d.Enabled = status != schemas.StatusDraft && status != schemas.StatusDisabled
		})
		now := time.Now()
		success, next := now.Add(-time.Duration(i%50+1)*time.Second), now.Add(time.Duration(i%9+1)*time.Minute)
		s := schemas.MailboxState{Mailbox: id, Status: status, Detail: details[status], LastSuccess: &success, Waiting: i * 37 % 1300, InFlight: i % 7, Replica: "fetcher-1", Revision: m.Revision}
		if s.Detail != "" {
			s.NextAttempt, s.Parked = &next, i%3
		}
		if i%11 == 9 {
			old := now.Add(-10 * time.Minute)
			s.ObservedAt = &old
		}
		if m.Document.Enabled {
			tell(t, o, s)
		}
		if i%3 == 1 || i%12 == 2 {
			state := lease.OutgoingState{Tenant: "acme", Mailbox: id, OK: i%3 == 1, At: now.Add(-time.Hour), Revision: m.Revision}
			if !state.OK {
				state.Detail = "SMTP sign-in: 535 5.7.8 Authentication credentials invalid."
			}
			if err := o.Desk.Leases.SetOutgoing(t.Context(), state); err != nil {
				t.Fatal(err)
			}
		}
		if status == schemas.StatusDisabled {
			if _, err := o.Desk.EnableMailbox(t.Context(), o.Ann.Actor, &operation.EnableMailbox{InMailbox: operation.InMailbox{InTenant: operation.InTenant{Tenant: "acme"}, ID: id}}); err != nil {
				t.Fatal(err)
			}
			if _, err := o.Desk.DisableMailbox(t.Context(), o.Ann.Actor, &operation.DisableMailbox{InMailbox: operation.InMailbox{InTenant: operation.InTenant{Tenant: "acme"}, ID: id}}); err != nil {
				t.Fatal(err)
			}
		}
	}
}
