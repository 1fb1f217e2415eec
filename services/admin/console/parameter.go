package console

import (
	"fmt"

	"github.com/mailyard/mailyard/services/admin/operation"
)

func (c *console) parameterRoutes() []route {
	return []route{
		{pattern: "GET /t/{tenant}/parameters", access: landlord, handle: func(r *request) error { return c.parametersPage(r, nil, nil) }},
		{pattern: "POST /t/{tenant}/parameters", access: landlord, handle: c.changeParameters},
		{pattern: "GET /t/{tenant}/key", access: landlord, handle: func(r *request) error { return r.part("tenant-key", keyOf(r, nil)) }},
		{pattern: "POST /t/{tenant}/key/generate", access: landlord, handle: c.generateKey},
		{pattern: "POST /t/{tenant}/key/supply", access: landlord, handle: c.supplyKey},
		{pattern: "POST /t/{tenant}/key/rotate", access: landlord, handle: c.rotateKey},
		{pattern: "GET /t/{tenant}/delete", access: landlord, handle: c.confirmDeleteTenant},
		{pattern: "POST /t/{tenant}/delete", access: landlord, handle: c.deleteTenant},
	}
}

// parametersView is the page of the Tenant Parameters.
type parametersView struct {
	Header header
	Form   *form
	Key    keyView
	Facts  []fact
}

// keyView is the card of the Tenant Encryption Key. It refreshes itself while a
// rotation goes on.
type keyView struct {
	Key      *operation.TenantKey
	State    badge
	Path     string
	Supply   *form
	Generate action
	Rotate   confirm
	Done     int // of the rotation
	Total    int
	Wait     string // what it waits for
}

func keyOf(r *request, supply *form) keyView {
	t := r.tenant
	v := keyView{Key: t.Key, State: keyState(t.Key), Path: r.path("key"), Supply: supply}
	if t.Key == nil {
		v.Generate = action{Label: "Generate a key", Icon: "key", Primary: true, Post: r.path("key", "generate"), Hidden: revisionOf(t.Revision)}
		if supply == nil {
			v.Supply = supplyForm(r)
		}
		return v
	}
	v.Rotate = confirm{
		ID: "rotate-key", Title: "Rotate the key of " + t.Document.Name + "?",
		Effect: []string{
			fmt.Sprintf("Version %d is made. New passwords are encrypted with it at once.", t.Key.Version+1),
			"Every stored password is encrypted anew, while mail flows.",
			fmt.Sprintf("Version %d is destroyed when all are done.", t.Key.Version),
		},
		Post: r.path("key", "rotate"), Hidden: revisionOf(t.Revision), Submit: "Rotate key",
	}
	if rotation := t.Key.Rotation; rotation != nil {
		v.Done, v.Total = rotation.Done, rotation.Total
		if v.Done >= v.Total {
			v.Wait = fmt.Sprintf("All passwords are encrypted anew. Version %d is destroyed in a moment, when no service needs it any more.", rotation.From)
		}
	}
	return v
}

func supplyForm(r *request) *form {
	return &form{Post: r.path("key", "supply"), Revision: r.tenant.Revision, Submit: "Use this key", Groups: []fieldset{{Fields: []field{
		{Name: "key", Label: "Key", Widget: widgetPassword, Required: true, Wide: true, Complete: "off", Help: "32 random bytes in base64, such as openssl rand -base64 32 prints. It is never shown again."},
	}}}}
}

func (c *console) parametersPage(r *request, f *form, supply *form) error {
	t := r.tenant
	v := parametersView{Header: tenantHeader(t.Document.Name), Form: f, Key: keyOf(r, supply)}
	if f == nil {
		v.Form = c.tenantForm(t.Document, t.Revision)
	}
	v.Header.Text = "Tenant parameters"
	v.Header.Actions = []action{
		{Label: "Mailboxes", Icon: "route", Path: r.path("mailboxes")},
		{Label: "Delete", Icon: "trash", Danger: true, Load: r.path("delete")},
	}
	v.Facts = []fact{{Name: "Id", Text: t.Document.ID, Code: true}, {Name: "Created", Time: t.CreatedAt}, {Name: "Changed", Time: t.UpdatedAt}}
	return r.page("parameters", page{Title: t.Document.Name + ": parameters", Section: sectionTenants}, v)
}

func (c *console) changeParameters(r *request) error {
	doc, problems := tenantOf(r, r.tenant.Document)
	if _, err := putTenant(r, doc, problems); err != nil {
		f := c.tenantForm(r.tenant.Document, r.tenant.Revision)
		f.retype(r.PostForm)
		if !f.refuse(err) {
			return err
		}
		r.invalid()
		return c.parametersPage(r, f, nil)
	}
	r.tell(toneOK, "The parameters of %s are saved.", doc.Name)
	return r.redirect(r.path("parameters"))
}

func (c *console) generateKey(r *request) error {
	t, err := r.desk.GenerateKey(r.Context(), r.actor, &operation.GenerateKey{InTenant: r.inTenant(), Condition: r.based()})
	if err != nil {
		return err
	}
	r.tell(toneOK, "%s has a Tenant Encryption Key now: mailbox passwords can be saved.", t.Document.Name)
	return r.redirect(r.path("parameters"))
}

func (c *console) supplyKey(r *request) error {
	in := operation.SupplyKey{InTenant: r.inTenant(), Condition: r.based(), Body: operation.KeyMaterial{Key: r.PostFormValue("key")}}
	if _, err := r.desk.SupplyKey(r.Context(), r.actor, &in); err != nil {
		f := supplyForm(r)
		if !f.refuse(err) {
			return err
		}
		r.invalid()
		return c.parametersPage(r, nil, f)
	}
	r.tell(toneOK, "%s has a Tenant Encryption Key now: mailbox passwords can be saved.", r.tenant.Document.Name)
	return r.redirect(r.path("parameters"))
}

func (c *console) rotateKey(r *request) error {
	if _, err := r.desk.RotateKey(r.Context(), r.actor, &operation.RotateKey{InTenant: r.inTenant(), Condition: r.based()}); err != nil {
		return err
	}
	r.tell(toneInfo, "The rotation has begun. Mail goes on.")
	return r.redirect(r.path("parameters"))
}

// confirmDeleteTenant says what goes with the tenant.
func (c *console) confirmDeleteTenant(r *request) error {
	mailboxes, err := r.desk.ListMailboxes(r.Context(), r.actor, &operation.ListMailboxes{InTenant: r.inTenant(), Limit: 1})
	if err != nil {
		return err
	}
	folders, err := r.desk.ListFolders(r.Context(), r.actor, &operation.ListFolders{InTenant: r.inTenant()})
	if err != nil {
		return err
	}
	name := r.tenant.Document.Name
	return r.part("confirm", confirm{
		Open: true, Title: "Delete tenant " + name + "?", Danger: true, Submit: "Delete tenant",
		Effect: []string{
			fmt.Sprintf("%s and %s are deleted.", plural(mailboxes.Total, "mailbox", "mailboxes"), plural(len(folders.Folders), "folder", "folders")),
			"The Tenant Encryption Key is destroyed, and every password with it, for good.",
			"Mail in flight ends well. What is in the messaging database stays there.",
		},
		Post: r.path("delete"), Hidden: revisionOf(r.tenant.Revision), Typed: name, What: "the name of the tenant",
	})
}

func (c *console) deleteTenant(r *request) error {
	if err := r.typed(r.tenant.Document.Name); err != nil {
		return err
	}
	done, err := r.desk.DeleteTenant(r.Context(), r.actor, &operation.DeleteTenant{InTenant: r.inTenant(), Condition: r.based(), Force: true})
	if err != nil {
		return err
	}
	r.dropCookie(tenantCookie)
	r.tell(toneOK, "%s", done.Message)
	return r.redirect("/tenants")
}
