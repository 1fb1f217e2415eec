package control_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

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
		changed := must[control.Mailbox](t)(b.store.PutMailbox(b.ctx, admin, m.Document, m.Revision))
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
