package control_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mailyard/mailyard/pkg/control"
	"github.com/mailyard/mailyard/pkg/secret"
	"github.com/mailyard/mailyard/schemas"
)

func TestAuditTellsWhoChangedWhat(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		b.tenant("acme")
		m := b.mailbox("acme", "support")
		m.Document.IMAP.Port, m.Document.Folders = 143, []string{"sales"}
		m.Document.Description = "new"
		changed := must[control.Mailbox](t)(b.store.PutMailboxWithPassword(b.ctx, admin, m.Document, secret.NewString(password), m.Revision))
		must[control.Mailbox](t)(b.store.SetPassword(b.ctx, admin, "acme", "support", secret.NewString("another"), 0))
		if err := b.store.DeleteMailbox(b.ctx, admin, "acme", "support", 0); err != nil {
			t.Fatal(err)
		}
		list := must[[]control.AuditEntry](t)(b.store.Audit(b.ctx, reader, control.AuditQuery{Tenant: "acme", Kind: schemas.KindMailbox, ID: "support"}))
		var got []string
		for _, e := range list {
			if !e.At.Equal(b.now) || e.Kind != schemas.KindMailbox {
				t.Errorf("entry %+v", e)
			}
			got = append(got, e.Actor+" "+e.From+" "+e.Change)
		}
		if diff := cmp.Diff([]string{"ann 192.0.2.1 deleted", "ann 192.0.2.1 updated", "ann 192.0.2.1 updated", "lena console created"}, got); diff != "" {
			t.Fatalf("-want +got:\n%s", diff)
		}
		want := []control.FieldChange{
			{Path: "description", After: json.RawMessage(`"new"`)},
			{Path: "imap.port", Before: json.RawMessage(`993`), After: json.RawMessage(`143`)},
		}
		if diff := cmp.Diff(want, list[2].Fields); diff != "" || list[2].Revision != changed.Revision {
			t.Errorf("revision %d, -want +got:\n%s", list[2].Revision, diff)
		}
		if diff := cmp.Diff([]control.FieldChange{{Path: "password", After: json.RawMessage(`"changed"`)}}, list[1].Fields); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
		page := must[[]control.AuditEntry](t)(b.store.Audit(b.ctx, landlord, control.AuditQuery{Before: list[1].ID, Limit: 1}))
		if len(page) != 1 || page[0].ID != list[2].ID {
			t.Errorf("the page before entry %d is %+v", list[1].ID, page)
		}
	})
}

// Whatever is done, the password stands nowhere in the database, and its
// ciphertext nowhere but in its place.
func TestDatabaseNeverHoldsAPassword(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		b.tenant("acme")
		b.mailbox("acme", "support")
		must[control.Mailbox](t)(b.store.SetPassword(b.ctx, admin, "acme", "support", secret.NewString(password+"2"), 0))
		must[control.Tenant](t)(b.store.RotateTenantKey(b.ctx, landlord, "acme", 0))
		if dump := control.Dump(t, b.store); strings.Contains(dump, password) {
			t.Errorf("the database holds the password:\n%s", dump)
		} else if !strings.Contains(dump, "support@acme.example") {
			t.Fatal("the dump does not show what the database holds")
		}
	})
}

func TestCopiedCiphertextDoesNotOpenElsewhere(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		b.tenant("acme")
		b.mailbox("acme", "support")
		b.mailbox("acme", "victim")
		if err := control.Exec(t, b.store, `UPDATE mailboxes SET password = (SELECT password FROM mailboxes WHERE id = 'victim') WHERE id = 'support'`); err != nil {
			t.Fatal(err)
		}
		must[control.Tenant](t)(b.store.RotateTenantKey(b.ctx, landlord, "acme", 0))
		r := control.NewRotator(b.store, nil)
		for range 6 {
			b.published()
			if err := r.Step(b.ctx); err != nil {
				t.Fatal(err)
			}
		}
		waits := must[control.Tenant](t)(b.store.GetTenant(b.ctx, landlord, "acme")).Rotation
		if waits == nil || !slices.Equal(waits.Unreadable, []string{"support"}) || waits.Done != 1 || waits.Total != 2 {
			t.Fatalf("rotation with a copied ciphertext: %+v; want it to wait for the mailbox", waits)
		}
		// Setting the password mends it.
		must[control.Mailbox](t)(b.store.SetPassword(b.ctx, admin, "acme", "support", secret.NewString(password), 0))
		b.rotate("acme")
	})
}

func TestAuditIsFiltered(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		b.tenant("acme")
		b.mailbox("acme", "first")
		noon := b.now
		b.now = noon.Add(time.Hour)
		must[control.Folder](t)(b.store.PutFolder(b.ctx, admin, folderDoc("acme", "later"), 0))
		b.now = noon.Add(2 * time.Hour)
		if err := b.store.DeleteFolder(b.ctx, admin, "acme", "later", 0, false); err != nil {
			t.Fatal(err)
		}
		for name, c := range map[string]struct {
			query control.AuditQuery
			want  []string
		}{
			"by ann":    {control.AuditQuery{Actor: "ann"}, []string{"deleted later", "created later"}},
			"deletions": {control.AuditQuery{Change: schemas.ChangeDeleted}, []string{"deleted later"}},
			"since one": {control.AuditQuery{Since: noon.Add(time.Hour)}, []string{"deleted later", "created later"}},
			"until two": {control.AuditQuery{Since: noon.Add(time.Hour), Until: noon.Add(2 * time.Hour)}, []string{"created later"}},
			"mailboxes": {control.AuditQuery{Kind: schemas.KindMailbox, Until: noon.Add(time.Minute)}, []string{"created first"}},
			"nobody":    {control.AuditQuery{Actor: "nobody"}, nil},
		} {
			c.query.Tenant = "acme"
			var got []string
			for _, e := range must[[]control.AuditEntry](t)(b.store.Audit(b.ctx, reader, c.query)) {
				got = append(got, e.Change+" "+e.Document)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("%s: -want +got:\n%s", name, diff)
			}
		}
	})
}

// A tenant's people see what concerns their tenant and nothing else; what
// concerns no tenant is the landlord's.
func TestAuditOfATenantShowsNothingElse(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		b.tenant("acme")
		b.tenant("rival")
		b.mailbox("rival", "secretive")
		err := b.store.Update(b.ctx, landlord, func(tx *control.Tx) error {
			return tx.Audit(b.ctx, "account", "", "lena", "signed-in")
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range []control.Actor{admin, reader} {
			for _, e := range must[[]control.AuditEntry](t)(b.store.Audit(b.ctx, a, control.AuditQuery{Tenant: "acme"})) {
				if e.Tenant != "acme" {
					t.Errorf("%s sees %+v", a.Name, e)
				}
			}
			if _, err := b.store.Audit(b.ctx, a, control.AuditQuery{}); !errors.Is(err, control.ErrForbidden) {
				t.Errorf("%s asks for the audit of all: %v", a.Name, err)
			}
		}
		for _, a := range []control.Actor{landlord, auditor} {
			if list := must[[]control.AuditEntry](t)(b.store.Audit(b.ctx, a, control.AuditQuery{Kind: "account"})); len(list) != 1 {
				t.Errorf("%s sees %d entries without a tenant", a.Name, len(list))
			}
		}
	})
}
