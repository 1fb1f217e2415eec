package control_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mailyard/mailyard/pkg/control"
)

// Whoever edited an old revision is shown what differs from the new one.
func TestStaleChangeCanBeCompared(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		b.tenant("acme")
		mine := b.mailbox("acme", "support")
		theirs := mine.Document
		theirs.Description, theirs.MaxItems = "theirs", 10
		must[control.Mailbox](t)(b.store.PutMailbox(b.ctx, admin, theirs, mine.Revision))
		mine.Document.MaxItems, mine.Document.Folders = 20, nil
		now := must[control.Mailbox](t)(b.store.GetMailbox(b.ctx, admin, "acme", "support"))
		got := must[[]control.FieldChange](t)(control.Diff(now.Document, mine.Document))
		want := []control.FieldChange{
			{Path: "description", Before: json.RawMessage(`"theirs"`)},
			{Path: "folders", Before: json.RawMessage(`["sales"]`), After: json.RawMessage(`null`)},
			{Path: "max_items", Before: json.RawMessage(`10`), After: json.RawMessage(`20`)},
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
	})
}

// Lists are read again only when this number has changed.
func TestRevisionChangesWithEveryChange(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		b.tenant("acme")
		before := must[int64](t)(b.store.Revision(b.ctx))
		must[control.Folder](t)(b.store.PutFolder(b.ctx, admin, folderDoc("acme", "sales"), 0))
		if same := must[int64](t)(b.store.Revision(b.ctx)); same != before {
			t.Errorf("what changed nothing took revision %d, after %d", same, before)
		}
		m := b.mailbox("acme", "support")
		if now := must[int64](t)(b.replica().Revision(b.ctx)); now != m.Revision || now <= before {
			t.Errorf("revision %d after a change to %d", now, m.Revision)
		}
		for tenant, want := range map[string]int{"acme": 1, "": 1, "other": 0} {
			if n := must[int](t)(b.store.CountMailboxes(b.ctx, landlord, tenant)); n != want {
				t.Errorf("%q has %d mailboxes, want %d", tenant, n, want)
			}
		}
		if _, err := b.store.CountMailboxes(b.ctx, rival, "acme"); err == nil {
			t.Error("another tenant's mailboxes are counted")
		}
	})
}
