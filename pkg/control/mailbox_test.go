package control_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mailyard/mailyard/pkg/config"
	"github.com/mailyard/mailyard/pkg/control"
	"github.com/mailyard/mailyard/pkg/secret"
	"github.com/mailyard/mailyard/schemas"
)

func TestMailboxIsStoredAsItWasGiven(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		b.tenant("acme")
		doc := mailboxDoc("acme", "support", "sales")
		created := must[control.Mailbox](t)(b.store.PutMailbox(b.ctx, admin, doc, control.IfNew))
		got := must[control.Mailbox](t)(b.store.GetMailbox(b.ctx, reader, "acme", "support"))
		if diff := cmp.Diff(doc, got.Document); diff != "" {
			t.Errorf("-given +stored:\n%s", diff)
		}
		if got.Revision != created.Revision || got.HasPassword || got.EnabledAt != nil || !got.CreatedAt.Equal(b.now) {
			t.Errorf("stored as %+v", got)
		}
		again := must[control.Mailbox](t)(b.store.PutMailbox(b.ctx, admin, doc, 0))
		if again.Revision != created.Revision {
			t.Errorf("a change of nothing took revision %d", again.Revision)
		}
		if list := must[[]control.Mailbox](t)(b.store.ListMailboxes(b.ctx, admin, "acme")); len(list) != 1 {
			t.Errorf("%d mailboxes are listed", len(list))
		}
	})
}

func TestChangeOfAnOldRevisionIsRefused(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		b.tenant("acme")
		first := must[control.Mailbox](t)(b.store.PutMailbox(b.ctx, admin, mailboxDoc("acme", "support"), control.IfNew))
		doc := first.Document
		doc.MaxItems = 7
		second := must[control.Mailbox](t)(b.store.PutMailbox(b.ctx, admin, doc, first.Revision))
		if second.Revision <= first.Revision {
			t.Errorf("revisions %d, then %d", first.Revision, second.Revision)
		}
		doc.MaxItems = 8
		for what, err := range map[string]error{
			"put":      second2(b.store.PutMailbox(b.ctx, admin, doc, first.Revision)),
			"password": second2(b.store.SetPassword(b.ctx, admin, "acme", "support", secret.NewString(password), first.Revision)),
			"disable":  second2(b.store.Disable(b.ctx, admin, "acme", "support", first.Revision)),
			"delete":   b.store.DeleteMailbox(b.ctx, admin, "acme", "support", first.Revision),
			"gone":     second2(b.store.PutMailbox(b.ctx, admin, mailboxDoc("acme", "other"), first.Revision)),
		} {
			if !errors.Is(err, control.ErrStale) {
				t.Errorf("%s on an old revision: %v; want ErrStale", what, err)
			}
		}
		if _, err := b.store.PutMailbox(b.ctx, admin, doc, control.IfNew); !errors.Is(err, control.ErrExists) {
			t.Errorf("creating what exists: %v", err)
		}
		if got := must[control.Mailbox](t)(b.store.GetMailbox(b.ctx, admin, "acme", "support")); got.Document.MaxItems != 7 {
			t.Errorf("a refused change was written: %d", got.Document.MaxItems)
		}
	})
}

func second2[T any](_ T, err error) error { return err }

func TestMailboxIsCheckedAgainstOtherDocuments(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		b.tenant("acme")
		b.tenant("rival")
		b.mailbox("acme", "support")
		b.mailbox("rival", "secret")

		doc := mailboxDoc("acme", "second", "sales", "help")
		doc.Name = "MAILBOX Support"
		doc.Username = "ＳＵＰＰＯＲＴ@ACME.example"
		doc.IMAP.Port = 70000
		_, err := b.store.PutMailbox(b.ctx, admin, doc, 0)
		wantProblems(t, err, "imap.port: 70000 is not a port (1-65535)", "folders[1]: there is no folder help", "name: mailbox support has this name", "username: ＳＵＰＰＯＲＴ@ACME.example is in use")
		doc.IMAP.Port = 993
		_, err = b.store.PutMailbox(b.ctx, admin, doc, 0)
		wantProblems(t, err, "folders[1]: there is no folder help", "name: mailbox support has this name", "username: ＳＵＰＰＯＲＴ@ACME.example is in use")

		// A username of another tenant gives the same answer as one's own.
		_, err = b.store.PutMailbox(b.ctx, admin, func() config.Mailbox {
			d := mailboxDoc("acme", "third")
			d.Username = "Secret@Rival.example"
			return d
		}(), 0)
		wantProblems(t, err, "username: Secret@Rival.example is in use")

		limited := tenantDoc("acme")
		limited.Limits.Mailboxes = 1
		must[control.Tenant](t)(b.store.PutTenant(b.ctx, landlord, limited, 0))
		_, err = b.store.PutMailbox(b.ctx, admin, mailboxDoc("acme", "third"), 0)
		wantProblems(t, err, "the tenant has 1 mailboxes, and the limit is 1; the landlord sets it")

		if _, err := b.store.PutMailbox(b.ctx, landlord, mailboxDoc("nobody", "m"), 0); !errors.Is(err, control.ErrNotFound) || !strings.Contains(err.Error(), "tenant nobody") {
			t.Errorf("a mailbox of no tenant: %v", err)
		}
	})
}

func TestUsernamesAreComparedWithoutCaseAndForm(t *testing.T) {
	t.Parallel()
	for _, same := range [][]string{
		{"Support@Example.com", "support@example.COM", "ｓｕｐｐｏｒｔ@example.com", "sup\u00adport@example.com", "support\u200b@example.com"},
		{"jos\u00e9", "jose\u0301", "JOSE\u0301"},
		{"straße", "STRASSE"},
		{"ΣΑΣ", "σας"},
		{"\ufb01n", "fin"},
		{"İx", "i\u0307x"},
	} {
		for _, other := range same[1:] {
			if control.UsernameKey(same[0]) != control.UsernameKey(other) {
				t.Errorf("%q and %q differ: %q, %q", same[0], other, control.UsernameKey(same[0]), control.UsernameKey(other))
			}
		}
	}
	for _, pair := range [][2]string{{"a.b@example.com", "ab@example.com"}, {"a+x@example.com", "a@example.com"}, {"a", "á"}} {
		if control.UsernameKey(pair[0]) == control.UsernameKey(pair[1]) {
			t.Errorf("%q and %q are the same", pair[0], pair[1])
		}
	}
}

func FuzzUsernameKey(f *testing.F) {
	f.Add("Support@Example.com")
	f.Add("\u0345\u0345ᾳİ\u200d")
	f.Fuzz(func(t *testing.T, s string) {
		if key := control.UsernameKey(s); control.UsernameKey(key) != key {
			t.Errorf("the key %q of %q is compared as %q", key, s, control.UsernameKey(key))
		}
	})
}

// Several handles on the database, as several processes have: each username is
// given to exactly one mailbox, whoever comes first.
func TestConcurrentWritersCannotGiveOneUsernameTwice(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		b.tenant("acme")
		b.tenant("rival")
		const handles, names = 4, 5
		var mu sync.Mutex
		won := map[string]int{}
		var wg sync.WaitGroup
		for h := range handles {
			store := b.open()
			tenant := []string{"acme", "rival"}[h%2]
			wg.Go(func() {
				for n := range names {
					doc := mailboxDoc(tenant, fmt.Sprintf("m-%d-%d", h, n))
					doc.Username = []string{"One%d@example.com", "ONE%d@EXAMPLE.com", "one%d@Example.com", "oNe%d@example.COM"}[h]
					doc.Username = fmt.Sprintf(doc.Username, n)
					_, err := store.PutMailbox(b.ctx, landlord, doc, control.IfNew)
					var problems config.Problems
					switch {
					case err == nil:
						mu.Lock()
						won[strings.ToLower(doc.Username)]++
						mu.Unlock()
					case !errors.As(err, &problems) || problems[0].Path != "username":
						t.Errorf("%s: %v", doc.Username, err)
					}
				}
			})
		}
		wg.Wait()
		if len(won) != names {
			t.Errorf("%d usernames were given, want %d", len(won), names)
		}
		for username, times := range won {
			if times != 1 {
				t.Errorf("%s was given %d times", username, times)
			}
		}
	})
}

func TestEnablingNamesEveryPrerequisite(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		must[control.Tenant](t)(b.store.PutTenant(b.ctx, landlord, tenantDoc("acme"), 0))
		doc := mailboxDoc("acme", "support")
		doc.Username = ""
		must[control.Mailbox](t)(b.store.PutMailbox(b.ctx, admin, doc, 0))
		const tail = ", without which the mailbox cannot be enabled"
		_, err := b.store.Enable(b.ctx, admin, "acme", "support", 0)
		wantProblems(t, err,
			"encryption_key: the tenant has no Tenant Encryption Key (the landlord sets it in the Tenant Parameters)"+tail,
			"password: the Password is not set"+tail,
			"username: the Username is not set"+tail,
			"folders: no folder is chosen"+tail)

		must[control.Tenant](t)(b.store.GenerateTenantKey(b.ctx, landlord, "acme", 0))
		must[control.Folder](t)(b.store.PutFolder(b.ctx, admin, folderDoc("acme", "sales"), 0))
		must[control.Mailbox](t)(b.store.PutMailbox(b.ctx, admin, mailboxDoc("acme", "support", "sales"), 0))
		must[control.Mailbox](t)(b.store.SetPassword(b.ctx, admin, "acme", "support", secret.NewString(password), 0))
		m := must[control.Mailbox](t)(b.store.Enable(b.ctx, admin, "acme", "support", 0))
		if !m.Document.Enabled || m.EnabledAt == nil || !m.EnabledAt.Equal(b.now) {
			t.Errorf("enabled: %v at %v", m.Document.Enabled, m.EnabledAt)
		}
		// An enabled mailbox cannot lose what it needs.
		bare := m.Document
		bare.Folders = nil
		_, err = b.store.PutMailbox(b.ctx, admin, bare, 0)
		wantProblems(t, err, "folders: no folder is chosen"+tail)

		first := *m.EnabledAt
		b.now = b.now.Add(time.Hour)
		off := must[control.Mailbox](t)(b.store.Disable(b.ctx, admin, "acme", "support", 0))
		if off.Document.Enabled || !off.EnabledAt.Equal(first) {
			t.Errorf("disabled: %v, enabled at %v", off.Document.Enabled, off.EnabledAt)
		}
		if m = must[control.Mailbox](t)(b.store.Enable(b.ctx, admin, "acme", "support", 0)); !m.EnabledAt.Equal(first) {
			t.Errorf("enabled again at %v, want %v: what arrived meanwhile is new mail", m.EnabledAt, first)
		}
		// To ask for new mail alone counts from when it is asked.
		doc = m.Document
		doc.ImportSince = "new"
		if m = must[control.Mailbox](t)(b.store.PutMailbox(b.ctx, admin, doc, 0)); !m.EnabledAt.Equal(b.now) {
			t.Errorf("new counts from %v, want %v", m.EnabledAt, b.now)
		}
		first, b.now = b.now, b.now.Add(time.Hour)
		must[control.Mailbox](t)(b.store.Disable(b.ctx, admin, "acme", "support", 0))
		if m = must[control.Mailbox](t)(b.store.Enable(b.ctx, admin, "acme", "support", 0)); !m.EnabledAt.Equal(first) {
			t.Errorf("enabled again, new counts from %v, want %v", m.EnabledAt, first)
		}
	})
}

func TestDeletedMailboxFreesItsUsernameAtOnce(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		b.tenant("acme")
		b.tenant("rival")
		b.mailbox("acme", "support")
		if err := b.store.DeleteMailbox(b.ctx, admin, "acme", "support", 0); err != nil {
			t.Fatal(err)
		}
		if _, err := b.store.GetMailbox(b.ctx, admin, "acme", "support"); !errors.Is(err, control.ErrNotFound) {
			t.Errorf("a deleted mailbox is read: %v", err)
		}
		taker := mailboxDoc("rival", "taker")
		taker.Username = "support@acme.example"
		must[control.Mailbox](t)(b.store.PutMailbox(b.ctx, rival, taker, 0))

		// The same id again is a new mailbox: the old password does not come with it.
		fresh := mailboxDoc("acme", "support", "sales")
		fresh.Username = "new@acme.example"
		m := must[control.Mailbox](t)(b.store.PutMailbox(b.ctx, admin, fresh, control.IfNew))
		if m.HasPassword || m.EnabledAt != nil {
			t.Errorf("the deleted mailbox came back: %+v", m)
		}
	})
}

// Who may edit a mailbox need not know its password, and must not get it by
// having it sent to a server of their own.
func TestStoredPasswordIsNotSentElsewhere(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		b.tenant("acme")
		m := b.mailbox("acme", "support")
		_, sealed := control.Sealed(t, b.store, "acme", "support")
		for path, change := range map[string]func(*config.Mailbox){
			"imap.host": func(d *config.Mailbox) { d.IMAP.Host = "imap.attacker.example" },
			"imap.port": func(d *config.Mailbox) { d.IMAP.Port = 1993 },
			"smtp.host": func(d *config.Mailbox) { d.SMTP.Host = "smtp.attacker.example" },
			"username":  func(d *config.Mailbox) { d.Username = "other@acme.example" },
		} {
			doc := m.Document
			change(&doc)
			_, put := b.store.PutMailbox(b.ctx, admin, doc, 0)
			_, byLandlord := b.store.PutMailbox(b.ctx, landlord, doc, 0)
			raw := must[[]byte](t)(json.Marshal(doc))
			_, applied := b.store.Apply(b.ctx, landlord, []config.Document{{Kind: schemas.KindMailbox, Tenant: "acme", ID: "support", JSON: raw}}, false)
			_, dry := b.store.Apply(b.ctx, admin, []config.Document{{Kind: schemas.KindMailbox, Tenant: "acme", ID: "support", JSON: raw}}, true)
			_, tried := b.store.StoredPassword(b.ctx, admin, doc)
			for door, err := range map[string]error{"put": put, "by the landlord": byLandlord, "apply": applied, "trial apply": dry, "try": tried} {
				var problems config.Problems
				if !errors.As(err, &problems) || len(problems) != 1 || problems[0].Path != "password" ||
					!strings.Contains(problems[0].Message, "must be entered again, because "+path) {
					t.Errorf("%s, %s: %v", path, door, err)
				}
			}
		}
		now := must[control.Mailbox](t)(b.store.GetMailbox(b.ctx, admin, "acme", "support"))
		if _, kept := control.Sealed(t, b.store, "acme", "support"); now.Revision != m.Revision || !bytes.Equal(kept, sealed) {
			t.Error("what was refused was stored")
		}

		doc := m.Document
		doc.Description = "the same server"
		must[control.Mailbox](t)(b.store.PutMailbox(b.ctx, admin, doc, 0))
		if got := must[secret.String](t)(b.store.StoredPassword(b.ctx, admin, doc)); got.Reveal() != password {
			t.Error("the stored password cannot be tried with its own server")
		}
		if _, err := b.store.StoredPassword(b.ctx, reader, doc); !errors.Is(err, control.ErrForbidden) {
			t.Errorf("a reader gets the password: %v", err)
		}
		doc.IMAP.Host = "imap2.example.com"
		must[control.Mailbox](t)(b.store.PutMailboxWithPassword(b.ctx, admin, doc, secret.NewString(password), 0))
		// Without a stored password there is nothing to protect.
		doc = mailboxDoc("acme", "empty")
		must[control.Mailbox](t)(b.store.PutMailbox(b.ctx, admin, doc, 0))
		doc.IMAP.Host = "imap2.example.com"
		must[control.Mailbox](t)(b.store.PutMailbox(b.ctx, admin, doc, 0))
		if _, err := b.store.StoredPassword(b.ctx, admin, doc); err == nil || err.Error() != "password: is not set; enter it first" {
			t.Errorf("no stored password: %v", err)
		}
	})
}
