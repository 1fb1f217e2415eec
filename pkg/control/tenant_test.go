package control_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/mailyard/mailyard/pkg/config"
	"github.com/mailyard/mailyard/pkg/control"
	"github.com/mailyard/mailyard/pkg/secret"
)

// Every operation, as everybody who must not do it.
func TestNobodyReachesBeyondTheirRole(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		b.tenant("acme")
		b.mailbox("acme", "support")
		s, ctx, pw := b.store, b.ctx, secret.NewString(password)
		nobody := control.Actor{Role: control.RoleLandlord}
		unbound := control.Actor{Name: "u", Role: control.RoleTenantAdmin}
		type operation struct {
			name    string
			run     func(a control.Actor, tenant string) error
			refused []control.Actor
		}
		strangers := []control.Actor{rival, nobody, unbound, {Name: "x", Role: "other", Tenant: "acme"}}
		writers := append([]control.Actor{reader, auditor}, strangers...)
		rulers := append([]control.Actor{admin}, writers...)
		for _, op := range []operation{
			{"get tenant", func(a control.Actor, t string) error { return second2(s.GetTenant(ctx, a, t)) }, strangers},
			{"get folder", func(a control.Actor, t string) error { return second2(s.GetFolder(ctx, a, t, "sales")) }, strangers},
			{"list folders", func(a control.Actor, t string) error { return second2(s.ListFolders(ctx, a, t)) }, strangers},
			{"get mailbox", func(a control.Actor, t string) error { return second2(s.GetMailbox(ctx, a, t, "support")) }, strangers},
			{"list mailboxes", func(a control.Actor, t string) error { return second2(s.ListMailboxes(ctx, a, t)) }, strangers},
			{"audit", func(a control.Actor, t string) error {
				return second2(s.Audit(ctx, a, control.AuditQuery{Tenant: t}))
			}, strangers},
			{"export", func(a control.Actor, t string) error { return second2(s.Export(ctx, a, t)) }, strangers},
			{"put folder", func(a control.Actor, t string) error {
				return second2(s.PutFolder(ctx, a, folderDoc(t, "new"), 0))
			}, writers},
			{"delete folder", func(a control.Actor, t string) error { return s.DeleteFolder(ctx, a, t, "sales", 0, true) }, writers},
			{"put mailbox", func(a control.Actor, t string) error {
				return second2(s.PutMailbox(ctx, a, mailboxDoc(t, "new"), 0))
			}, writers},
			{"put mailbox with password", func(a control.Actor, t string) error {
				return second2(s.PutMailboxWithPassword(ctx, a, mailboxDoc(t, "new"), pw, 0))
			}, writers},
			{"set password", func(a control.Actor, t string) error {
				return second2(s.SetPassword(ctx, a, t, "support", pw, 0))
			}, writers},
			{"enable", func(a control.Actor, t string) error { return second2(s.Enable(ctx, a, t, "support", 0)) }, writers},
			{"disable", func(a control.Actor, t string) error { return second2(s.Disable(ctx, a, t, "support", 0)) }, writers},
			{"delete mailbox", func(a control.Actor, t string) error { return s.DeleteMailbox(ctx, a, t, "support", 0) }, writers},
			{"apply", func(a control.Actor, t string) error {
				return second2(s.Apply(ctx, a, []config.Document{{Kind: "mailbox", Tenant: t, ID: "new"}}, false))
			}, writers},
			{"put tenant", func(a control.Actor, t string) error { return second2(s.PutTenant(ctx, a, tenantDoc(t), 0)) }, rulers},
			{"delete tenant", func(a control.Actor, t string) error { return s.DeleteTenant(ctx, a, t, 0, true) }, rulers},
			{"generate key", func(a control.Actor, t string) error {
				return second2(s.GenerateTenantKey(ctx, a, t, 0))
			}, rulers},
			{"supply key", func(a control.Actor, t string) error {
				return second2(s.SupplyTenantKey(ctx, a, t, pw, 0))
			}, rulers},
			{"rotate key", func(a control.Actor, t string) error { return second2(s.RotateTenantKey(ctx, a, t, 0)) }, rulers},
			{"apply tenant", func(a control.Actor, t string) error {
				return second2(s.Apply(ctx, a, []config.Document{{Kind: "tenant", Tenant: t, ID: t}}, false))
			}, rulers},
		} {
			for _, a := range op.refused {
				here, nowhere := op.run(a, "acme"), op.run(a, "nowhere")
				if !errors.Is(here, control.ErrForbidden) {
					t.Errorf("%s as %s %q: %v; want ErrForbidden", op.name, a.Role, a.Name, here)
					continue
				}
				// Whether the tenant exists cannot be told from the answer.
				if nowhere == nil || strings.ReplaceAll(nowhere.Error(), "nowhere", "acme") != here.Error() {
					t.Errorf("%s as %s %q: %q for one that exists, %q for one that does not", op.name, a.Role, a.Name, here, nowhere)
				}
			}
		}
		for _, a := range []control.Actor{admin, reader} {
			if _, err := s.ListMailboxes(ctx, a, ""); !errors.Is(err, control.ErrForbidden) {
				t.Errorf("%s lists the mailboxes of all tenants: %v", a.Name, err)
			}
		}
		b.tenant("rival")
		if list := must[[]control.Tenant](t)(s.ListTenants(ctx, admin)); len(list) != 1 || list[0].Document.ID != "acme" {
			t.Errorf("a tenant administrator sees the tenants %v", list)
		}
		if list := must[[]control.Tenant](t)(s.ListTenants(ctx, auditor)); len(list) != 2 {
			t.Errorf("a reader of all sees %d tenants", len(list))
		}
	})
}

func TestPasswordNeedsTheTenantEncryptionKey(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		must[control.Tenant](t)(b.store.PutTenant(b.ctx, landlord, tenantDoc("acme"), 0))
		must[control.Mailbox](t)(b.store.PutMailbox(b.ctx, admin, mailboxDoc("acme", "support"), 0))
		_, err := b.store.SetPassword(b.ctx, admin, "acme", "support", secret.NewString(password), 0)
		if !errors.Is(err, control.ErrNoTenantKey) || !strings.Contains(err.Error(), "Tenant Encryption Key") || !strings.Contains(err.Error(), "landlord") {
			t.Errorf("%v; want the parameter and who must act", err)
		}
		if strings.Contains(err.Error(), password) {
			t.Error("the error holds the password")
		}
		key := must[control.Tenant](t)(b.store.GenerateTenantKey(b.ctx, landlord, "acme", 0))
		if key.KeyID == "" || key.KeyVersion != 1 {
			t.Errorf("the key has id %q and version %d", key.KeyID, key.KeyVersion)
		}
		if _, err := b.store.GenerateTenantKey(b.ctx, landlord, "acme", 0); !errors.Is(err, control.ErrExists) {
			t.Errorf("a second key: %v; with it every secret would be lost", err)
		}
		first := must[control.Mailbox](t)(b.store.SetPassword(b.ctx, admin, "acme", "support", secret.NewString(password), 0))
		same := must[control.Mailbox](t)(b.store.SetPassword(b.ctx, admin, "acme", "support", secret.NewString(password), 0))
		if !first.HasPassword || same.Revision != first.Revision {
			t.Errorf("the same password again took revision %d, was %d", same.Revision, first.Revision)
		}
		for bad, want := range map[string]string{"": "password: is empty", "a\nb": "password: holds a control character or a line end"} {
			_, err := b.store.SetPassword(b.ctx, admin, "acme", "support", secret.NewString(bad), 0)
			wantProblems(t, err, want)
		}
		without, err := control.Open(b.ctx, b.url, nil)
		if err == nil {
			defer without.Close()
			_, err = without.SetPassword(b.ctx, admin, "acme", "support", secret.NewString("other"), 0)
		}
		if !errors.Is(err, control.ErrNoMasterKey) {
			t.Errorf("without the master key: %v", err)
		}
	})
}

func TestDeletingATenantDestroysItsKey(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		b.tenant("acme")
		b.mailbox("acme", "support")
		b.mailbox("acme", "second")
		if err := b.store.DeleteMailbox(b.ctx, admin, "acme", "second", 0); err != nil {
			t.Fatal(err)
		}
		err := b.store.DeleteTenant(b.ctx, landlord, "acme", 0, false)
		if !errors.Is(err, control.ErrInUse) || !strings.Contains(err.Error(), "mailbox support") || strings.Contains(err.Error(), "second") {
			t.Errorf("deleting a tenant with a mailbox: %v", err)
		}
		if err := b.store.DeleteTenant(b.ctx, landlord, "acme", 0, true); err != nil {
			t.Fatal(err)
		}
		if _, err := b.store.GetTenant(b.ctx, landlord, "acme"); !errors.Is(err, control.ErrNotFound) {
			t.Errorf("the tenant is read: %v", err)
		}
		if left := control.Ciphertexts(t, b.store); left != 0 {
			t.Errorf("%d wrapped keys and passwords are left in the database", left)
		}
	})
}

// What is stored under the id of a tenant outlives it: mails, dead letters, the
// audit. A new tenant of the id would get them.
func TestIDOfADeletedTenantIsNeverUsedAgain(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		b.tenant("acme")
		b.tenant("rival")
		if err := b.store.DeleteTenant(b.ctx, landlord, "acme", 0, true); err != nil {
			t.Fatal(err)
		}
		const why = "id: acme was the id of a tenant that was deleted, whose mails and audit are kept under it; choose another id"
		refused := func() {
			t.Helper()
			for _, based := range []int64{0, control.IfNew} {
				_, err := b.store.PutTenant(b.ctx, landlord, tenantDoc("acme"), based)
				wantProblems(t, err, why)
			}
			for _, dryRun := range []bool{true, false} {
				_, err := b.store.Apply(b.ctx, landlord, parse(t, "kind: tenant\nid: acme\nname: Acme\n"), dryRun)
				if err == nil || !strings.Contains(err.Error(), why) {
					t.Errorf("applying it: %v", err)
				}
			}
			if gone := must[bool](t)(b.store.TenantGone(b.ctx, landlord, "acme")); !gone {
				t.Error("acme is not told to be gone")
			}
		}
		refused()
		b.now = b.now.Add(control.Retention + time.Hour)
		if n := must[int](t)(b.store.Purge(b.ctx)); n != 2 {
			t.Errorf("%d were purged; want the tenant and its folder", n)
		}
		refused()
		for _, id := range []string{"rival", "nobody", "", "a b"} {
			if must[bool](t)(b.store.TenantGone(b.ctx, landlord, id)) {
				t.Errorf("%q is told to be gone", id)
			}
		}
		if _, err := b.store.TenantGone(b.ctx, admin, "acme"); !errors.Is(err, control.ErrForbidden) {
			t.Errorf("a tenant's administrator asks: %v", err)
		}
		// The name is free.
		doc := tenantDoc("acme-2")
		doc.Name = tenantDoc("acme").Name
		must[control.Tenant](t)(b.store.PutTenant(b.ctx, landlord, doc, control.IfNew))
	})
}

func TestTenantNamesAreUnique(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		b.tenant("acme")
		doc := tenantDoc("second")
		doc.Name = "TENANT Acme"
		_, err := b.store.PutTenant(b.ctx, landlord, doc, 0)
		wantProblems(t, err, "name: tenant acme has this name")
	})
}

func TestUnknownMessagingDatabaseIsRefused(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		store := b.open(control.WithMessagingDatabases("default", "big"))
		doc := tenantDoc("acme")
		doc.MessagingDatabase = "bigger"
		_, err := store.PutTenant(b.ctx, landlord, doc, 0)
		wantProblems(t, err, "messaging_database: bigger is not configured; there is default, big")
	})
}
