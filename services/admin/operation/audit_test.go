package operation_test

import (
	"testing"
	"time"

	"github.com/mailyard/mailyard/pkg/account"
	"github.com/mailyard/mailyard/pkg/control"
	"github.com/mailyard/mailyard/services/admin/admintest"
	"github.com/mailyard/mailyard/services/admin/operation"
)

// From where the landlord works is nothing for tenants, not even when an API token
// of the landlord's may do only what they may.
func TestTheAuditTellsTenantsNotWhereTheLandlordIs(t *testing.T) {
	t.Parallel()
	o := admintest.New(t)
	text, _, err := o.Accounts.CreateToken(t.Context(), o.Lena.Actor, account.TokenSpec{Name: "ci", Role: control.RoleTenantAdmin, Tenant: "acme", Expires: time.Now().Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	token, err := o.Accounts.Token(t.Context(), text.Reveal(), "203.0.113.99")
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range []control.Actor{o.Lena.Actor, token, o.Ann.Actor} {
		if _, err := o.Desk.SwitchProtocol(t.Context(), a, &operation.SwitchProtocol{InMailbox: mailboxOf(o.Acme)}); err != nil {
			t.Fatal(err)
		}
	}
	where := func(a control.Actor) map[string]string {
		page, err := o.Desk.ListAudit(t.Context(), a, &operation.ListAudit{Tenant: "acme", ID: o.Acme.Mailbox, Limit: 3})
		if err != nil {
			t.Fatal(err)
		}
		from := map[string]string{}
		for _, e := range page.Entries {
			from[e.Actor] = e.From
		}
		return from
	}
	for _, a := range []control.Actor{o.Rita.Actor, o.Ann.Actor} {
		if from := where(a); len(from) != 3 || from["lena"] != "" || from["token ci of lena"] != "" || from["ann"] != admintest.From {
			t.Errorf("%s reads %v", a.Name, from)
		}
	}
	if from := where(o.Lena.Actor); from["lena"] != admintest.From || from["token ci of lena"] != "203.0.113.99" {
		t.Errorf("the landlord reads %v", from)
	}
}
