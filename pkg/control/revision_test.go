package control_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/mailyard/mailyard/pkg/control"
)

func TestAnyRevisionIsOfWhatIsThere(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		put := map[string]func(id string) error{
			"tenant": func(id string) error {
				return second2(b.store.PutTenant(b.ctx, landlord, tenantDoc(id), control.IfThere))
			},
			"folder": func(id string) error {
				return second2(b.store.PutFolder(b.ctx, landlord, folderDoc("acme", id), control.IfThere))
			},
			"mailbox": func(id string) error {
				return second2(b.store.PutMailbox(b.ctx, landlord, mailboxDoc("acme", id), control.IfThere))
			},
		}
		b.tenant("acme")
		for kind, do := range put {
			if err := do("fresh"); !errors.Is(err, control.ErrStale) || !strings.Contains(err.Error(), "it does not exist") {
				t.Errorf("a %s that is not there: %v", kind, err)
			}
		}
		b.mailbox("acme", "support")
		for kind, id := range map[string]string{"tenant": "acme", "mailbox": "support"} {
			if err := put[kind](id); err != nil {
				t.Errorf("the %s that is there: %v", kind, err)
			}
		}
	})
}

// Who reads documents reads them anew when the revision grows. Sign-ins, also
// those that fail, must not make everybody read everything anew.
func TestRevisionTellsOfDocumentsOnly(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		b.tenant("acme")
		b.mailbox("acme", "support")
		revision := func() int64 { t.Helper(); return must[int64](t)(b.store.Revision(b.ctx)) }
		before := revision()
		for range 3 {
			err := b.store.Update(b.ctx, control.Actor{Name: "anonymous"}, func(tx *control.Tx) error {
				return tx.Audit(b.ctx, "session", "", "unknown", "sign-in-failed")
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		if got := revision(); got != before {
			t.Errorf("three failed sign-ins take the revision from %d to %d", before, got)
		}
		m := must[control.Mailbox](t)(b.store.Disable(b.ctx, admin, "acme", "support", 0))
		if got := revision(); got != m.Revision || got <= before {
			t.Errorf("after a change of a document it is %d; want %d", got, m.Revision)
		}
		must[control.Mailbox](t)(b.store.Disable(b.ctx, admin, "acme", "support", 0))
		if got := revision(); got != m.Revision {
			t.Errorf("what changes nothing takes it to %d", got)
		}
		if err := b.store.DeleteMailbox(b.ctx, admin, "acme", "support", 0); err != nil {
			t.Fatal(err)
		}
		deleted := revision()
		if deleted <= m.Revision {
			t.Errorf("after a deletion it is %d", deleted)
		}
		b.now = b.now.Add(control.Retention + time.Hour)
		must[int](t)(b.store.Purge(b.ctx))
		if got := revision(); got != deleted {
			t.Errorf("what nobody sees takes it to %d", got)
		}
	})
}
