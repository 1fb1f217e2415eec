package operation_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/mailyard/mailyard/pkg/control"
	"github.com/mailyard/mailyard/pkg/doctor"
	"github.com/mailyard/mailyard/pkg/egress"
	"github.com/mailyard/mailyard/pkg/imapconn/imaptest"
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

// refused fails unless err says that there is too much of it, and for how long.
func refused(t *testing.T, err error) {
	t.Helper()
	if p := operation.ProblemOf(err); err == nil || p.Status != http.StatusTooManyRequests || p.RetryAfter <= 0 {
		t.Errorf("got %v; want 429 with a time to wait", err)
	}
}

// However many API tokens a tenant's people have, and through whichever method:
// they examine four mailboxes at once, and leave room for other tenants.
func TestExaminationsOfATenantAreBounded(t *testing.T) {
	t.Parallel()
	o := admintest.New(t)
	inZone(o, zone{"imap.public.example": "93.184.216.34"})
	dialled, release := make(chan struct{}), make(chan struct{})
	o.Desk.Doctor.Dial = func(context.Context, string, string) (net.Conn, error) {
		dialled <- struct{}{}
		<-release
		return nil, errors.New("away")
	}
	examine := func(a control.Actor, ids admintest.Ids) error {
		_, err := o.Desk.RunDoctor(t.Context(), a, new(operation.RunDoctor(draft(ids, "imap.public.example"))))
		return err
	}
	ended := make(chan error)
	for i := range 4 {
		a := o.Ann.Actor
		a.Name = fmt.Sprint("ann by token ", i)
		go func() { ended <- examine(a, o.Acme) }()
		<-dialled
	}
	ann := o.Ann.Actor
	refused(t, examine(ann, o.Acme))
	_, err := o.Desk.TestMailbox(t.Context(), ann, &operation.TestMailbox{InMailbox: mailboxOf(o.Acme)})
	refused(t, err)
	_, err = o.Desk.DryRunMailbox(t.Context(), ann, new(operation.DryRunMailbox(draft(o.Acme, "imap.public.example"))))
	refused(t, err)
	_, err = o.Desk.ListServerFolders(t.Context(), ann, new(operation.ListServerFolders(draft(o.Acme, "imap.public.example"))))
	refused(t, err)
	_, err = o.Desk.RecogniseProvider(t.Context(), ann, &operation.RecogniseProvider{InTenant: operation.InTenant{Tenant: "acme"}, Address: "me@gmail.com"})
	refused(t, err)
	if _, err := o.Desk.RunDoctor(t.Context(), o.Rob.Actor, new(operation.RunDoctor(draft(o.Acme, "imap.public.example")))); operation.ProblemOf(err).Status != http.StatusNotFound {
		t.Errorf("another tenant's people are told %v", err)
	}
	go func() { ended <- examine(o.Rob.Actor, o.Rival) }()
	<-dialled
	close(release)
	for range 5 {
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
	go func() { ended <- examine(ann, o.Acme) }()
	<-dialled
	if err := <-ended; err != nil {
		t.Errorf("when all have ended: %v", err)
	}
}

// A bulk test of many mailboxes takes the places of its tenant, not more, and
// waits for them.
func TestABulkTestTakesItsTurn(t *testing.T) {
	t.Parallel()
	o := admintest.New(t)
	inZone(o, zone{"imap.acme.example": "93.184.216.34"})
	ids := []string{o.Acme.Mailbox}
	for i := range 8 {
		m, err := o.Control.GetMailbox(t.Context(), o.Lena.Actor, "acme", o.Acme.Mailbox)
		if err != nil {
			t.Fatal(err)
		}
		m.Document.ID, m.Document.Name, m.Document.Username = fmt.Sprint("box", i), fmt.Sprint("Box ", i), fmt.Sprintf("box%d@acme.example", i)
		if _, err := o.Control.PutMailboxWithPassword(t.Context(), o.Lena.Actor, m.Document, secret.NewString(admintest.Password), control.IfNew); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, m.Document.ID)
	}
	var running, most atomic.Int32
	dialled, release := make(chan struct{}, 20), make(chan struct{}, 20)
	o.Desk.Doctor.Dial = func(context.Context, string, string) (net.Conn, error) {
		most.Store(max(most.Load(), running.Add(1)))
		defer running.Add(-1)
		dialled <- struct{}{}
		<-release
		return nil, errors.New("away")
	}
	ended := make(chan operation.BulkResult)
	for range 2 {
		go func() {
			out, err := o.Desk.BulkMailboxes(t.Context(), o.Ann.Actor, &operation.BulkMailboxes{InTenant: operation.InTenant{Tenant: "acme"}, Body: operation.Bulk{Action: operation.BulkTest, IDs: ids}})
			if err != nil {
				t.Error(err)
			}
			ended <- out
		}()
	}
	for range 4 {
		<-dialled
	}
	for range 2 * len(ids) {
		release <- struct{}{}
	}
	for range 2 {
		out := <-ended
		for _, r := range out.Results {
			if r.Problem == nil || r.Problem.Status != http.StatusUnprocessableEntity {
				t.Errorf("%s: %v", r.ID, r.Problem)
			}
		}
		if len(out.Results) != len(ids) {
			t.Errorf("%d of %d mailboxes", len(out.Results), len(ids))
		}
	}
	if n := most.Load(); n > 4 {
		t.Errorf("%d were examined at once; want 4 at most", n)
	}
}

// An examination with a password of one's own is no means to guess that of others,
// whichever replica is asked.
func TestPasswordsAreNotGuessedByExaminations(t *testing.T) {
	t.Parallel()
	o := admintest.New(t)
	server := imaptest.NewScript(t, "AUTH=PLAIN SASL-IR", nil, imaptest.Rules{"AUTHENTICATE": func(c *imaptest.ScriptConn, tag, _ string) {
		c.Send("%s NO [AUTHENTICATIONFAILED] wrong", tag)
	}}).Target()
	inZone(o, zone{"imap.public.example": "93.184.216.34", "imap.other.example": "93.184.216.35"})
	o.Desk.Mail.Insecure = func(string, int) bool { return true }
	o.Desk.Doctor.Dial = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, net.JoinHostPort(server.Host, fmt.Sprint(server.Port)))
	}
	one, other, _ := replicas(t, o)
	guess := func(d *operation.Desk, ids admintest.Ids, a control.Actor, host string) error {
		in := draft(ids, host)
		doc := fmt.Sprintf(`{"name":"Draft","username":"boss@public.example","imap":{"host":%q,"port":%d,"ca":%q},"password":"a guess"}`, host, server.Port, server.CA)
		in.Body.Document.RawMessage = json.RawMessage(doc)
		_, err := d.ListServerFolders(t.Context(), a, new(operation.ListServerFolders(in)))
		return err
	}
	for i := range 10 {
		if err := guess([]*operation.Desk{one, other}[i%2], o.Acme, o.Ann.Actor, "imap.public.example"); operation.ProblemOf(err).Status != http.StatusUnprocessableEntity || !strings.Contains(err.Error(), "wrong") {
			t.Fatal(err)
		}
	}
	refused(t, guess(one, o.Acme, o.Ann.Actor, "imap.public.example"))
	refused(t, guess(other, o.Acme, o.Ann.Actor, "IMAP.public.example"))
	for _, err := range []error{guess(one, o.Acme, o.Ann.Actor, "imap.other.example"), guess(other, o.Rival, o.Rob.Actor, "imap.public.example")} {
		if operation.ProblemOf(err).Status != http.StatusUnprocessableEntity {
			t.Errorf("another server, or another tenant: %v", err)
		}
	}
}
