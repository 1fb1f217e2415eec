package control_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mailyard/mailyard/pkg/config"
	"github.com/mailyard/mailyard/pkg/control"
	"github.com/mailyard/mailyard/pkg/secret"
	"github.com/mailyard/mailyard/schemas"
)

const installation = `
kind: mailbox
tenant: acme
id: support
name: Support
folders: [sales, help]
enabled: true
imap: {host: imap.example.com}
username: support@acme.example
password: {env: SUPPORT}
---
kind: folder
tenant: acme
id: sales
name: Sales
address: sales@acme.example
aliases: [info@acme.example]
---
kind: folder
tenant: acme
id: help
name: Help
address: help@acme.example
---
kind: tenant
id: acme
name: Acme
encryption_key: generate
limits: {mailboxes: 5}
`

func parse(t *testing.T, text string) []config.Document {
	t.Helper()
	docs, err := config.ParseDocuments(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if err := config.ResolvePasswords(docs, func(string) (string, bool) { return password, true }, nil); err != nil {
		t.Fatal(err)
	}
	return docs
}

func actions(p control.Plan) (list []string) {
	for _, c := range p.Changes {
		list = append(list, strings.TrimSpace(string(c.Action)+" "+string(c.Kind)+" "+c.ID+" "+strings.Join(c.Fields, ",")))
	}
	return list
}

func TestApplyIsIdempotent(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		docs := parse(t, installation)
		created := []string{"create tenant acme", "create folder sales", "create folder help", "create mailbox support"}
		trial := must[control.Plan](t)(b.store.Apply(b.ctx, landlord, docs, true))
		if diff := cmp.Diff(created, actions(trial)); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
		if list := must[[]control.Tenant](t)(b.store.ListTenants(b.ctx, landlord)); len(list) != 0 {
			t.Fatal("the trial run left something")
		}
		plan := must[control.Plan](t)(b.store.Apply(b.ctx, landlord, docs, false))
		if diff := cmp.Diff(created, actions(plan)); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
		m := must[control.Mailbox](t)(b.store.GetMailbox(b.ctx, admin, "acme", "support"))
		if !m.Document.Enabled || !m.HasPassword {
			t.Errorf("applied as %+v", m)
		}
		before := control.Dump(t, b.store)
		again := must[control.Plan](t)(b.store.Apply(b.ctx, landlord, docs, false))
		if !again.Empty() || len(again.Changes) != 4 {
			t.Errorf("the second time: %v", actions(again))
		}
		if diff := cmp.Diff(before, control.Dump(t, b.store)); diff != "" {
			t.Errorf("the second time something was written:\n%s", diff)
		}

		// A key that is left out has its default again.
		changed := strings.Replace(strings.Replace(installation, "enabled: true\n", "max_items: 7\n", 1), "name: Sales", "name: Sale", 1)
		plan = must[control.Plan](t)(b.store.Apply(b.ctx, landlord, parse(t, changed), false))
		want := []string{"unchanged tenant acme", "update folder sales name", "unchanged folder help", "update mailbox support enabled,max_items"}
		if diff := cmp.Diff(want, actions(plan)); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
		secondPassword := parse(t, changed)
		secondPassword[0].Password = &config.PasswordRef{Plain: secret.NewString("another")}
		plan = must[control.Plan](t)(b.store.Apply(b.ctx, landlord, secondPassword, false))
		if got := actions(plan)[3]; got != "update mailbox support password" {
			t.Errorf("another password: %s", got)
		}
		secondPassword[0].Password = nil
		if plan = must[control.Plan](t)(b.store.Apply(b.ctx, landlord, secondPassword, false)); !plan.Empty() {
			t.Errorf("without the password: %v", actions(plan))
		}
	})
}

func TestApplyIsAllOrNothing(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		b.tenant("rival")
		taken := mailboxDoc("rival", "taken")
		taken.Username = "support@acme.example"
		must[control.Mailbox](t)(b.store.PutMailbox(b.ctx, rival, taken, 0))
		before := control.Dump(t, b.store)
		broken := strings.Replace(installation, "folders: [sales, help]", "folders: [sales, nowhere]", 1)
		_, err := b.store.Apply(b.ctx, landlord, parse(t, broken), false)
		wantProblems(t, err, "line 6: folders[1]: there is no folder nowhere", "line 9: username: support@acme.example is in use")
		if diff := cmp.Diff(before, control.Dump(t, b.store)); diff != "" {
			t.Errorf("something of the refused documents was written:\n%s", diff)
		}

		noKey := strings.Replace(installation, "encryption_key: generate\n", "", 1)
		_, err = b.store.Apply(b.ctx, landlord, parse(t, strings.Replace(noKey, "username: support", "username: free", 1)), false)
		wantProblems(t, err, "line 2: encryption_key: the tenant has no Tenant Encryption Key (the landlord sets it in the Tenant Parameters), without which the mailbox cannot be enabled")

		_, err = b.store.Apply(b.ctx, admin, parse(t, "kind: folder\ntenant: acme\nid: a\nname: A\naddress: a@b.example\n"), false)
		wantProblems(t, err, "line 2: tenant: there is no tenant acme")
	})
}

func TestApplySwapsNamesAddressesAndUsernames(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		const two = `
kind: tenant
id: acme
name: Acme
---
{kind: folder, tenant: acme, id: a, name: NAME1, address: ADDRESS1@acme.example}
---
{kind: folder, tenant: acme, id: b, name: NAME2, address: ADDRESS2@acme.example}
---
{kind: mailbox, tenant: acme, id: a, name: NAME1, username: USER1, imap: {host: h}}
---
{kind: mailbox, tenant: acme, id: b, name: NAME2, username: USER2, imap: {host: h}}
`
		one := strings.NewReplacer("NAME1", "x", "NAME2", "y", "ADDRESS1", "x", "ADDRESS2", "y", "USER1", "x", "USER2", "y").Replace(two)
		other := strings.NewReplacer("NAME1", "y", "NAME2", "x", "ADDRESS1", "y", "ADDRESS2", "x", "USER1", "y", "USER2", "x").Replace(two)
		must[control.Plan](t)(b.store.Apply(b.ctx, landlord, parse(t, one), false))
		must[control.Plan](t)(b.store.Apply(b.ctx, landlord, parse(t, other), false))
		m := must[control.Mailbox](t)(b.store.GetMailbox(b.ctx, landlord, "acme", "a"))
		f := must[control.Folder](t)(b.store.GetFolder(b.ctx, landlord, "acme", "b"))
		if m.Document.Username != "y" || f.Document.Address != "x@acme.example" {
			t.Errorf("not swapped: %s, %s", m.Document.Username, f.Document.Address)
		}
		// Nobody has lost what the uniqueness is checked by.
		third := mailboxDoc("acme", "third")
		third.Username, third.Name = "Y", "X"
		_, err := b.store.PutMailbox(b.ctx, landlord, third, 0)
		wantProblems(t, err, "name: mailbox b has this name", "username: Y is in use")
	})
}

func TestWhatIsExportedAppliesWithoutAChange(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		must[control.Plan](t)(b.store.Apply(b.ctx, landlord, parse(t, installation), false))
		odd := mailboxDoc("acme", "odd", "help")
		odd.Name, odd.Description, odd.Username, odd.ImportSince = "yes", "# 12: 'it'", "0123", "2024-02-29"
		odd.PlusAddressing, odd.Unmatched = false, "help"
		must[control.Mailbox](t)(b.store.PutMailbox(b.ctx, admin, odd, 0))
		for _, actor := range []control.Actor{landlord, admin} {
			docs := must[[]config.Document](t)(b.store.Export(b.ctx, actor, "acme"))
			if direct := must[control.Plan](t)(b.store.Apply(b.ctx, actor, docs, false)); !direct.Empty() {
				t.Errorf("%s, directly: %v", actor.Name, actions(direct))
			}
			var text bytes.Buffer
			if err := config.WriteDocuments(&text, docs); err != nil {
				t.Fatal(err)
			}
			for _, hidden := range []string{password, "wrapped"} {
				if strings.Contains(text.String(), hidden) {
					t.Errorf("the export holds %q", hidden)
				}
			}
			if !strings.Contains(text.String(), "# password: {env: MAILYARD_PASSWORD_SUPPORT}") {
				t.Errorf("the export does not show how to set the password:\n%s", text.String())
			}
			plan := must[control.Plan](t)(b.store.Apply(b.ctx, actor, parse(t, text.String()), false))
			want := 5
			if actor.Role != control.RoleLandlord {
				want = 4 // the tenant is not the administrator's
			}
			if !plan.Empty() || len(plan.Changes) != want {
				t.Errorf("%s: %v\n%s", actor.Name, actions(plan), text.String())
			}
		}
		if _, err := b.store.Export(b.ctx, landlord, "nobody"); err == nil {
			t.Error("a tenant that does not exist was exported")
		}
		if docs := must[[]config.Document](t)(b.store.Export(b.ctx, landlord, "")); len(docs) != 5 || docs[0].Kind != schemas.KindTenant {
			t.Errorf("all tenants: %d documents", len(docs))
		}
	})
}
