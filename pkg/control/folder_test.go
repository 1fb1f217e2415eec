package control_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mailyard/mailyard/pkg/control"
)

func TestFolderNamesAndAddressesAreUniqueInTheTenant(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		b.tenant("acme")
		b.tenant("rival")
		first := folderDoc("acme", "help")
		first.Aliases = []string{"bücher@bücher.example"}
		must[control.Folder](t)(b.store.PutFolder(b.ctx, admin, first, 0))

		second := folderDoc("acme", "second")
		second.Name = "FOLDER Help"
		second.Address = "SALES@ACME.example"
		second.Aliases = []string{"free@acme.example", "Bücher@xn--bcher-kva.example"}
		_, err := b.store.PutFolder(b.ctx, admin, second, 0)
		wantProblems(t, err, "name: folder help has this name", "address: SALES@ACME.example is an address of folder sales",
			"aliases[1]: Bücher@xn--bcher-kva.example is an address of folder help")

		second.Tenant = "rival"
		second.Name = "Folder help"
		must[control.Folder](t)(b.store.PutFolder(b.ctx, rival, second, 0))

		// What a folder gives up is free.
		first.Aliases = nil
		must[control.Folder](t)(b.store.PutFolder(b.ctx, admin, first, 0))
		third := folderDoc("acme", "third")
		third.Address = "bücher@bücher.example"
		must[control.Folder](t)(b.store.PutFolder(b.ctx, admin, third, 0))
		if err := b.store.DeleteFolder(b.ctx, admin, "acme", "third", 0, false); err != nil {
			t.Fatal(err)
		}
		fourth := folderDoc("acme", "fourth")
		fourth.Address, fourth.Name = third.Address, third.Name
		must[control.Folder](t)(b.store.PutFolder(b.ctx, admin, fourth, 0))
	})
}

func TestFolderInUseIsNotDeleted(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		b.tenant("acme")
		must[control.Folder](t)(b.store.PutFolder(b.ctx, admin, folderDoc("acme", "help"), 0))
		b.mailbox("acme", "only-sales")
		both := mailboxDoc("acme", "both", "sales", "help")
		both.Unmatched = "sales"
		must[control.Mailbox](t)(b.store.PutMailbox(b.ctx, admin, both, 0))

		err := b.store.DeleteFolder(b.ctx, admin, "acme", "sales", 0, false)
		if !errors.Is(err, control.ErrInUse) || !strings.Contains(err.Error(), "mailbox both, mailbox only-sales") {
			t.Errorf("%v; want both mailboxes named", err)
		}
		if err := b.store.DeleteFolder(b.ctx, admin, "acme", "sales", 0, true); err != nil {
			t.Fatal(err)
		}
		got := must[control.Mailbox](t)(b.store.GetMailbox(b.ctx, admin, "acme", "both")).Document
		if diff := cmp.Diff([]string{"help"}, got.Folders); diff != "" || got.Unmatched != "invalid" {
			t.Errorf("left with the catch-all %q and -want +got:\n%s", got.Unmatched, diff)
		}
		lost := must[control.Mailbox](t)(b.store.GetMailbox(b.ctx, admin, "acme", "only-sales")).Document
		if lost.Enabled || len(lost.Folders) != 0 {
			t.Errorf("a mailbox without a folder is enabled: %+v", lost)
		}
	})
}
