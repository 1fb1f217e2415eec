package control_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/mailyard/mailyard/pkg/config"
	"github.com/mailyard/mailyard/pkg/control"
	"github.com/mailyard/mailyard/pkg/secret"
	"github.com/mailyard/mailyard/schemas"
)

// published takes everything that waits in the outbox for published.
func (b *bench) published() {
	b.t.Helper()
	if err := control.Exec(b.t, b.store, `DELETE FROM outbox`); err != nil {
		b.t.Fatal(err)
	}
}

// rotate does the rotation of a tenant's key to its end, with a new rotator.
func (b *bench) rotate(tenant string) {
	b.t.Helper()
	r := control.NewRotator(b.store, nil)
	for b.ctx.Err() == nil {
		if must[control.Tenant](b.t)(b.store.GetTenant(b.ctx, landlord, tenant)).Rotation == nil {
			return
		}
		b.published()
		if err := r.Step(b.ctx); err != nil {
			b.t.Fatal(err)
		}
	}
	b.t.Fatal("the rotation does not end")
}

// opens reports whether a wrapped key opens a password.
func (b *bench) opens(wrapped, sealed []byte, tenant, mailbox, want string) bool {
	b.t.Helper()
	got, err := must[*secret.TenantKey](b.t)(b.master.TenantKey(tenant, wrapped)).Open(tenant, mailbox, sealed)
	if err != nil && !errors.Is(err, secret.ErrUndecryptable) {
		b.t.Fatal(err)
	}
	return err == nil && got.Reveal() == want
}

func TestRotationReplacesTheKeyAndKeepsEveryPassword(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		b.tenant("acme")
		m := b.mailbox("acme", "support")
		b.mailbox("acme", "gone")
		if err := b.store.DeleteMailbox(b.ctx, admin, "acme", "gone", 0); err != nil {
			t.Fatal(err)
		}
		before := must[control.Tenant](t)(b.store.GetTenant(b.ctx, landlord, "acme"))
		wrapped, sealed := control.Sealed(t, b.store, "acme", "support")
		b.published()

		begun := must[control.Tenant](t)(b.store.RotateTenantKey(b.ctx, landlord, "acme", before.Revision))
		if r := begun.Rotation; r == nil || r.From != 1 || r.To != 2 || r.Done != 0 || r.Total != 2 || !r.Began.Equal(b.now) {
			t.Fatalf("the rotation that began is %+v", r)
		}
		if begun.KeyVersion != 2 || begun.KeyID == before.KeyID || begun.Revision != before.Revision {
			t.Errorf("the key has version %d and id %s, the tenant revision %d, was %d", begun.KeyVersion, begun.KeyID, begun.Revision, before.Revision)
		}
		_, err := b.store.RotateTenantKey(b.ctx, landlord, "acme", 0)
		if !errors.Is(err, control.ErrRotating) || !strings.Contains(err.Error(), "wait") {
			t.Errorf("a second rotation: %v; want ErrRotating", err)
		}
		// What services hold opens with the key that they are given now.
		if both, _ := control.Sealed(t, b.store, "acme", "support"); !b.opens(both, sealed, "acme", "support", password) {
			t.Error("the key in rotation does not open what the old version sealed")
		}

		r := control.NewRotator(b.store, nil)
		for range 8 { // nobody publishes: it must not come to its end
			if err := r.Step(b.ctx); err != nil {
				t.Fatal(err)
			}
		}
		still := must[control.Tenant](t)(b.store.GetTenant(b.ctx, landlord, "acme")).Rotation
		if still == nil || still.Done != 2 || still.Total != 2 {
			t.Fatalf("before anything was published, the rotation is %+v; want 2 of 2 done, and the old version there", still)
		}
		if both, _ := control.Sealed(t, b.store, "acme", "support"); !b.opens(both, sealed, "acme", "support", password) {
			t.Error("the old version was destroyed while services may need it")
		}
		b.rotate("acme")

		final, fresh := control.Sealed(t, b.store, "acme", "support")
		if !b.opens(final, fresh, "acme", "support", password) {
			t.Error("the new key does not open the password")
		}
		if b.opens(final, sealed, "acme", "support", password) {
			t.Error("the old version is still in the key")
		}
		if b.opens(wrapped, fresh, "acme", "support", password) {
			t.Error("the password is still encrypted with the old version")
		}
		if _, retained := control.Sealed(t, b.store, "acme", "gone"); !b.opens(final, retained, "acme", "gone", password) {
			t.Error("the password of a deleted mailbox was forgotten; its mail in flight needs it")
		}
		// An administrator's open edit goes through.
		doc := m.Document
		doc.Description = "edited meanwhile"
		must[control.Mailbox](t)(b.store.PutMailbox(b.ctx, admin, doc, m.Revision))
		after := must[control.Tenant](t)(b.store.GetTenant(b.ctx, landlord, "acme"))
		if after.KeyVersion != 2 || after.KeyID != begun.KeyID || after.Revision != before.Revision {
			t.Errorf("afterwards: %+v", after)
		}
	})
}

func TestRotationIsAuditedOnceAtEachEnd(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		b.tenant("acme")
		for _, id := range []string{"a", "b", "c"} {
			b.mailbox("acme", id)
		}
		from := must[[]control.AuditEntry](t)(b.store.Audit(b.ctx, landlord, control.AuditQuery{}))[0].ID
		must[control.Tenant](t)(b.store.RotateTenantKey(b.ctx, landlord, "acme", 0))
		b.rotate("acme")
		var got []string
		for _, e := range must[[]control.AuditEntry](t)(b.store.Audit(b.ctx, landlord, control.AuditQuery{Tenant: "acme"})) {
			if e.ID > from {
				got = append(got, e.Actor+" "+string(e.Kind)+" "+e.Change+" "+e.Fields[0].Path+" "+string(e.Fields[0].After))
			}
		}
		want := []string{
			`key rotation tenant updated encryption_key "rotation to version 2 ended: 3 passwords are encrypted with it, version 1 is destroyed"`,
			`lena tenant updated encryption_key "rotation from version 1 to version 2 began"`,
		}
		if !slices.Equal(got, want) {
			t.Errorf("audit:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	})
}

func TestRotationWithoutAKeyOrMasterKey(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		must[control.Tenant](t)(b.store.PutTenant(b.ctx, landlord, tenantDoc("acme"), 0))
		if _, err := b.store.RotateTenantKey(b.ctx, landlord, "acme", 0); !errors.Is(err, control.ErrNoTenantKey) {
			t.Errorf("a tenant without a key: %v", err)
		}
		must[control.Tenant](t)(b.store.GenerateTenantKey(b.ctx, landlord, "acme", 0))
		must[control.Tenant](t)(b.store.RotateTenantKey(b.ctx, landlord, "acme", 0))
		without := must[*control.Store](t)(control.Open(b.ctx, b.url, nil))
		defer without.Close()
		if err := control.NewRotator(without, nil).Step(b.ctx); !errors.Is(err, control.ErrNoMasterKey) || !strings.Contains(err.Error(), "acme") {
			t.Errorf("a rotator without the master key: %v", err)
		}
		b.rotate("acme") // there is nothing to encrypt anew
	})
}

func TestPasswordsSetDuringARotationAreKept(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		b.tenant("acme")
		for _, id := range []string{"changed", "same", "later"} {
			b.mailbox("acme", id)
		}
		must[control.Tenant](t)(b.store.RotateTenantKey(b.ctx, landlord, "acme", 0))
		must[control.Mailbox](t)(b.store.SetPassword(b.ctx, admin, "acme", "changed", secret.NewString("another"), 0))
		must[control.Mailbox](t)(b.store.SetPassword(b.ctx, admin, "acme", "same", secret.NewString(password), 0))
		b.mailbox("acme", "new")
		if r := must[control.Tenant](t)(b.store.GetTenant(b.ctx, landlord, "acme")).Rotation; r.Done != 2 || r.Total != 4 {
			t.Errorf("with one password changed and one new, %d of %d are done", r.Done, r.Total)
		}
		r := control.NewRotator(b.store, nil)
		for range 2 { // everything is encrypted anew, not yet published
			if err := r.Step(b.ctx); err != nil {
				t.Fatal(err)
			}
		}
		must[control.Mailbox](t)(b.store.SetPassword(b.ctx, admin, "acme", "later", secret.NewString("third"), 0))
		b.rotate("acme")
		for id, want := range map[string]string{"changed": "another", "same": password, "later": "third", "new": password} {
			if key, sealed := control.Sealed(t, b.store, "acme", id); !b.opens(key, sealed, "acme", id, want) {
				t.Errorf("the password of %s is lost", id)
			}
		}
	})
}

func TestTenantDeletedDuringARotation(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		for _, id := range []string{"acme", "rival"} {
			b.tenant(id)
			b.mailbox(id, "support")
			must[control.Tenant](t)(b.store.RotateTenantKey(b.ctx, landlord, id, 0))
		}
		r := control.NewRotator(b.store, nil)
		if err := r.Step(b.ctx); err != nil {
			t.Fatal(err)
		}
		if err := b.store.DeleteTenant(b.ctx, landlord, "acme", 0, true); err != nil {
			t.Fatal(err)
		}
		b.rotate("rival") // the other one goes on
		for range 3 {
			if err := r.Step(b.ctx); err != nil {
				t.Errorf("the rotation of a deleted tenant: %v", err)
			}
		}
		if n := control.Ciphertexts(t, b.store); n != 2 {
			t.Errorf("%d ciphertexts are left, want those of the other tenant", n)
		}
	})
}

func TestUnreadablePasswordOfADeletedMailboxEndsNoRotation(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		b.tenant("acme")
		b.mailbox("acme", "support")
		b.mailbox("acme", "victim")
		if err := control.Exec(t, b.store, `UPDATE mailboxes SET password = (SELECT password FROM mailboxes WHERE id = 'victim') WHERE id = 'support'`); err != nil {
			t.Fatal(err)
		}
		if err := b.store.DeleteMailbox(b.ctx, admin, "acme", "support", 0); err != nil {
			t.Fatal(err)
		}
		must[control.Tenant](t)(b.store.RotateTenantKey(b.ctx, landlord, "acme", 0))
		b.rotate("acme")
	})
}

func TestAllRotationsHappenOneAfterTheOther(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		b.tenant("acme")
		b.mailbox("acme", "support")
		var old [][]byte
		for range 3 {
			_, sealed := control.Sealed(t, b.store, "acme", "support")
			old = append(old, sealed)
			must[control.Tenant](t)(b.store.RotateTenantKey(b.ctx, landlord, "acme", 0))
			b.rotate("acme")
		}
		final, sealed := control.Sealed(t, b.store, "acme", "support")
		for _, ciphertext := range old {
			if b.opens(final, ciphertext, "acme", "support", password) {
				t.Error("an old version is still in the key")
			}
		}
		tenant := must[control.Tenant](t)(b.store.GetTenant(b.ctx, landlord, "acme"))
		if !b.opens(final, sealed, "acme", "support", password) || tenant.KeyVersion != 4 {
			t.Errorf("after three rotations the key has version %d", tenant.KeyVersion)
		}
		docs := must[[]config.Document](t)(b.store.Export(b.ctx, landlord, "acme"))
		if len(docs) == 0 || docs[0].Kind != schemas.KindTenant {
			t.Error("the tenant is not exported")
		}
	})
}
