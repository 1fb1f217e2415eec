package operation_test

import (
	"context"
	"encoding/json"
	"fmt"
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

// LookupMX finds none.
func (zone) LookupMX(context.Context, string) ([]*net.MX, error) { return nil, nil }

// LookupSRV finds the record that is in the zone as "_imaps.firm.example".
func (z zone) LookupSRV(_ context.Context, service, _, name string) (string, []*net.SRV, error) {
	if target, ok := z["_"+service+"."+name]; ok {
		return name, []*net.SRV{{Target: target, Port: 993}}, nil
	}
	return name, nil, nil
}

// inZone makes the desk see the names of a zone, and dial only what is public.
func inZone(o *admintest.Office, z zone) {
	dialer := egress.New(egress.Policy{}, egress.Options{Resolver: z})
	o.Desk.Resolver = z
	o.Desk.Doctor.LookupNetIP, o.Desk.Doctor.Dial, o.Desk.Doctor.Allows = z.LookupNetIP, dialer.DialContext, dialer.Allows
}

// draft is a mailbox that is not saved.
func draft(ids admintest.Ids, host string) operation.MailboxDraft {
	doc := fmt.Sprintf(`{"name":"Draft","username":"q@%s.example","imap":{"host":%q},"password":"whatever it is"}`, ids.Tenant, host)
	return operation.MailboxDraft{InTenant: operation.InTenant{Tenant: ids.Tenant}, Body: operation.Draft{Document: operation.MailboxJSON{RawMessage: json.RawMessage(doc)}}}
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
		if err != nil || row.Out.Status != operation.OutgoingFailed || !strings.Contains(row.Out.Detail, "that may be used here") {
			t.Errorf("%s sees %+v, %v", a.Name, row.Out, err)
		}
		for _, secret := range []string{"10.9.8.7", "mail_networks", "private"} {
			if strings.Contains(row.Out.Detail+row.Problem, secret) {
				t.Errorf("%s is told %q: %q %q", a.Name, secret, row.Out.Detail, row.Problem)
			}
		}
	}
}

// Whether a name exists in the landlord's network is nothing for tenants.
func TestATenantDoesNotLearnWhichNamesExistInside(t *testing.T) {
	t.Parallel()
	o := admintest.New(t)
	inZone(o, zone{"mail.internal.corp": "10.9.8.7", "imap.internal.corp": "10.9.8.7", "imap.public.example": "93.184.216.34", "_imaps.evil.example": "mail.internal.corp.", "_imaps.firm.example": "imap.public.example."})
	examine := func(host string) string {
		report, err := o.Desk.RunDoctor(t.Context(), o.Ann.Actor, new(operation.RunDoctor(draft(o.Acme, host))))
		if err != nil {
			t.Fatal(err)
		}
		var told strings.Builder
		for _, s := range report.Steps {
			fmt.Fprintln(&told, s.ID, s.Outcome, s.Tried, s.Answer, s.Remedy, s.Facts)
		}
		_, err = o.Desk.ListServerFolders(t.Context(), o.Ann.Actor, new(operation.ListServerFolders(draft(o.Acme, host))))
		return strings.ReplaceAll(told.String()+fmt.Sprint(err), host, "HOST")
	}
	if inside, nowhere := examine("mail.internal.corp"), examine("nothere.internal.corp"); inside != nowhere || !strings.Contains(inside, "There is no mail server of the name HOST that may be used here.") {
		t.Errorf("a name inside: %s\na name that is not: %s", inside, nowhere)
	}
	if public := examine("imap.public.example"); !strings.Contains(public, "has 1 address") {
		t.Errorf("a name on the internet: %s", public)
	}
	sendThrough(t, o, o.Acme, "")
	kept := func(host string) string {
		sendThrough(t, o, o.Acme, host)
		m, err := o.Control.GetMailbox(t.Context(), o.Lena.Actor, o.Acme.Tenant, o.Acme.Mailbox)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := o.Desk.TestMailbox(t.Context(), o.Lena.Actor, &operation.TestMailbox{InMailbox: mailboxOf(o.Acme)}); err != nil {
			t.Fatal(err)
		}
		states, err := o.Desk.Leases.Outgoing(t.Context(), o.Acme.Tenant)
		if err != nil || len(states) != 1 || states[0].Revision != m.Revision {
			t.Fatalf("%+v, %v", states, err)
		}
		return strings.ReplaceAll(states[0].Detail, host, "HOST")
	}
	if inside, nowhere := kept("mail.internal.corp"), kept("nothere.internal.corp"); inside != nowhere {
		t.Errorf("after the landlord's test of a name inside: %q\nof one that is not: %q", inside, nowhere)
	}
	for address, want := range map[string]bool{"me@internal.corp": false, "me@evil.example": false, "me@nowhere.example": false, "me@public.example": true, "me@firm.example": true} {
		found, err := o.Desk.RecogniseProvider(t.Context(), o.Ann.Actor, &operation.RecogniseProvider{InTenant: operation.InTenant{Tenant: "acme"}, Address: address})
		if err != nil || found.Found != want {
			t.Errorf("%s: %+v, %v", address, found, err)
		}
	}
}
