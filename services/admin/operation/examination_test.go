package operation_test

import (
	"context"
	"net"
	"net/netip"
	"strings"
	"testing"

	"github.com/mailyard/mailyard/pkg/control"
	"github.com/mailyard/mailyard/pkg/doctor"
	"github.com/mailyard/mailyard/pkg/egress"
	"github.com/mailyard/mailyard/pkg/secret"
	"github.com/mailyard/mailyard/services/admin/admintest"
	"github.com/mailyard/mailyard/services/admin/operation"
)

// A zone answers for names in place of the name servers.
type zone map[string]string

func (z zone) LookupNetIP(_ context.Context, _, host string) ([]netip.Addr, error) {
	if a, ok := z[host]; ok {
		return []netip.Addr{netip.MustParseAddr(a)}, nil
	}
	return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
}

// inZone makes the desk see the names of a zone, and dial only what is public.
func inZone(o *admintest.Office, z zone) {
	o.Desk.Doctor.LookupNetIP = z.LookupNetIP
	o.Desk.Doctor.Dial = egress.New(egress.Policy{}, egress.Options{Resolver: z}).DialContext
}

// sendThrough makes the mailbox of a tenant send through a server.
func sendThrough(t *testing.T, o *admintest.Office, ids admintest.Ids, host string) {
	t.Helper()
	m, err := o.Control.GetMailbox(t.Context(), o.Lena.Actor, ids.Tenant, ids.Mailbox)
	if err != nil {
		t.Fatal(err)
	}
	m.Document.SMTP.Host = host
	if _, err := o.Control.PutMailboxWithPassword(t.Context(), o.Lena.Actor, m.Document, secret.NewString(admintest.Password), 0); err != nil {
		t.Fatal(err)
	}
}

func mailboxOf(ids admintest.Ids) operation.InMailbox {
	return operation.InMailbox{InTenant: operation.InTenant{Tenant: ids.Tenant}, ID: ids.Mailbox}
}

// What a test said stays with the mailbox for everybody in the tenant to read:
// the landlord's own details do not.
func TestATestOfTheLandlordTellsTheTenantNoAddresses(t *testing.T) {
	t.Parallel()
	o := admintest.New(t)
	inZone(o, zone{"imap.acme.example": "10.1.2.3", "mail.internal.corp": "10.9.8.7"})
	sendThrough(t, o, o.Acme, "mail.internal.corp")
	report, err := o.Desk.TestMailbox(t.Context(), o.Lena.Actor, &operation.TestMailbox{InMailbox: mailboxOf(o.Acme)})
	if err != nil {
		t.Fatal(err)
	}
	var told string
	for _, s := range report.Steps {
		if s.ID == doctor.StepSMTPConnect {
			told = s.Answer
		}
	}
	if !strings.Contains(told, "10.9.8.7") {
		t.Errorf("the landlord is told %q", told)
	}
	for _, a := range []control.Actor{o.Rita.Actor, o.Ann.Actor} {
		row, err := o.Desk.MailboxFacts(t.Context(), a, &operation.MailboxFacts{InMailbox: mailboxOf(o.Acme)})
		if err != nil || row.Out.Status != operation.OutgoingFailed || !strings.Contains(row.Out.Detail, "not allowed here") {
			t.Errorf("%s sees %+v, %v", a.Name, row.Out, err)
		}
		for _, secret := range []string{"10.9.8.7", "mail_networks", "private"} {
			if strings.Contains(row.Out.Detail+row.Problem, secret) {
				t.Errorf("%s is told %q: %q %q", a.Name, secret, row.Out.Detail, row.Problem)
			}
		}
	}
}
