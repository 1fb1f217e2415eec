package control_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/mailyard/mailyard/pkg/config"
	"github.com/mailyard/mailyard/pkg/control"
	"github.com/mailyard/mailyard/pkg/secret"
	"github.com/mailyard/mailyard/schemas"
)

// hostile is what no text may be; package config tests each field with more.
var hostile = map[string]string{
	"header injection": "x\r\nBcc: all@example.org", "NUL": "a\x00b", "invalid UTF-8": "a\xffb",
	"bidi override": "a\u202eb", "over-long": strings.Repeat("a", 300_000), "zero width": "a\u200bb",
}

// eachText calls f with the path of every string of a document, set to a value.
func eachText(v reflect.Value, path, value string, f func(path string)) {
	switch v.Kind() {
	case reflect.String:
		old := v.String()
		v.SetString(value)
		f(strings.TrimPrefix(path, "."))
		v.SetString(old)
	case reflect.Struct:
		for i := range v.NumField() {
			key, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
			eachText(v.Field(i), path+"."+key, value, f)
		}
	case reflect.Slice:
		for i := range v.Len() {
			eachText(v.Index(i), path+"[0]", value, f)
		}
	}
}

// Nothing of a document with one bad text is stored, whatever the field.
func TestNothingHostileIsStored(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		b.tenant("acme")
		must[control.Tenant](t)(b.store.PutTenant(b.ctx, landlord, tenantDoc("keyless"), 0))
		revision := must[int64](t)(b.store.Revision(b.ctx))
		folder, mailbox, tenant := folderDoc("acme", "new"), mailboxDoc("acme", "new", "sales"), tenantDoc("new")
		folder.Aliases = []string{"alias@acme.example"}
		for what, value := range hostile {
			refused := func(path string, err error) {
				t.Helper()
				var problems config.Problems
				switch {
				case errors.As(err, &problems):
					for _, p := range problems {
						if p.Path == path {
							return
						}
					}
				case (path == "tenant" || path == "id") && (errors.Is(err, control.ErrForbidden) || errors.Is(err, control.ErrNotFound)):
					return
				}
				t.Errorf("%s in %s: %.300v", what, path, err)
			}
			eachText(reflect.ValueOf(&folder).Elem(), "", value, func(path string) {
				refused(path, second2(b.store.PutFolder(b.ctx, admin, folder, 0)))
			})
			eachText(reflect.ValueOf(&mailbox).Elem(), "", value, func(path string) {
				refused(path, second2(b.store.PutMailboxWithPassword(b.ctx, admin, mailbox, secret.NewString(password), 0)))
			})
			eachText(reflect.ValueOf(&tenant).Elem(), "", value, func(path string) {
				refused(path, second2(b.store.PutTenant(b.ctx, landlord, tenant, 0)))
			})
			named := landlord
			named.Name = value
			refused("actor.name", second2(b.store.PutFolder(b.ctx, named, folder, 0)))
			refused("actor.name", b.store.Update(b.ctx, named, func(*control.Tx) error { return nil }))
			from := landlord
			from.From = value
			refused("actor.from", b.store.DeleteFolder(b.ctx, from, "acme", "sales", 0, true))
			for path, query := range map[string]control.AuditQuery{
				"tenant": {Tenant: value}, "kind": {Kind: schemas.Kind(value)}, "id": {ID: value}, "actor": {Actor: value}, "change": {Change: value},
			} {
				refused(path, second2(b.store.Audit(b.ctx, landlord, query)))
			}
			refused("key", second2(b.store.SupplyTenantKey(b.ctx, landlord, "keyless", secret.NewString(value), 0)))
		}
		if now := must[int64](t)(b.store.Revision(b.ctx)); now != revision {
			t.Errorf("revision %d, was %d: something was stored", now, revision)
		}
		if n := must[int](t)(b.store.CountMailboxes(b.ctx, landlord, "")); n != 0 {
			t.Errorf("%d mailboxes were stored", n)
		}
	})
}

// What is no id names nothing. It comes from URLs.
func TestHostileIDsNameNothing(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		b.tenant("acme")
		s, ctx := b.store, b.ctx
		for what, id := range hostile {
			for name, err := range map[string]error{
				"get tenant":      second2(s.GetTenant(ctx, landlord, id)),
				"get folder":      second2(s.GetFolder(ctx, admin, "acme", id)),
				"get mailbox":     second2(s.GetMailbox(ctx, admin, "acme", id)),
				"enable":          second2(s.Enable(ctx, admin, "acme", id, 0)),
				"set password":    second2(s.SetPassword(ctx, admin, "acme", id, secret.NewString(password), 0)),
				"delete mailbox":  s.DeleteMailbox(ctx, admin, "acme", id, 0),
				"delete folder":   s.DeleteFolder(ctx, admin, "acme", id, 0, true),
				"delete tenant":   s.DeleteTenant(ctx, landlord, id, 0, true),
				"rotate":          second2(s.RotateTenantKey(ctx, landlord, id, 0)),
				"export":          second2(s.Export(ctx, landlord, id)),
				"stored password": second2(s.StoredPassword(ctx, landlord, mailboxDoc(id, "a"))),
			} {
				if !errors.Is(err, control.ErrNotFound) || len(err.Error()) > 400 || strings.ContainsAny(err.Error(), "\r\n\x00\u202e\u200b") {
					t.Errorf("%s, %s: %.500v", what, name, err)
				}
			}
			if list, err := s.ListMailboxes(ctx, landlord, id); err != nil || len(list) != 0 {
				t.Errorf("%s: listing mailboxes: %v", what, err)
			}
			if list, err := s.ListFolders(ctx, landlord, id); err != nil || len(list) != 0 {
				t.Errorf("%s: listing folders: %v", what, err)
			}
			if err := second2(s.GetMailbox(ctx, admin, id, "a")); !errors.Is(err, control.ErrForbidden) || strings.ContainsAny(err.Error(), "\r\n\x00\u202e") {
				t.Errorf("%s as a tenant: %.500v", what, err)
			}
		}
	})
}

// A document is applied as what it was authorised as, whatever stands in it.
func TestApplyTakesNoDocumentForAnother(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		b.tenant("acme")
		b.tenant("rival")
		for kind, document := range map[schemas.Kind]any{schemas.KindFolder: folderDoc("acme", "planted"), schemas.KindMailbox: mailboxDoc("acme", "planted")} {
			raw := must[[]byte](t)(json.Marshal(document))
			_, err := b.store.Apply(b.ctx, rival, []config.Document{{Kind: kind, Tenant: "rival", ID: "planted", JSON: raw}}, false)
			wantProblems(t, err, "id: is not that of "+string(kind)+" rival/planted")
		}
		if list := must[[]control.Folder](t)(b.store.ListFolders(b.ctx, landlord, "acme")); len(list) != 1 {
			t.Errorf("acme has %d folders", len(list))
		}
	})
}

// That a username is in use is all that another tenant learns.
func TestUsernameInUseElsewhereSaysNoMore(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		b.tenant("acme")
		b.tenant("rival")
		b.mailbox("rival", "secretive")
		doc := mailboxDoc("acme", "support")
		doc.Username = "secretive@rival.example"
		_, err := b.store.PutMailbox(b.ctx, admin, doc, 0)
		wantProblems(t, err, "username: secretive@rival.example is in use")
		doc.Username = "SECRETIVE@rival.example"
		_, err = b.store.PutMailbox(b.ctx, admin, doc, 0)
		wantProblems(t, err, "username: SECRETIVE@rival.example is in use")
	})
}
