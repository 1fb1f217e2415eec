package console

import (
	"strings"

	"github.com/mailyard/mailyard/pkg/config"
	"github.com/mailyard/mailyard/services/admin/operation"
)

func (c *console) tenantRoutes() []route {
	return []route{
		{pattern: "GET /tenants", access: landlord, handle: c.tenants},
		{pattern: "GET /tenants/new", access: landlord, handle: func(r *request) error {
			return r.page("tenant-new", page{Title: "New tenant", Section: sectionTenants}, tenantNewView{tenantHeader("New tenant"), c.tenantForm(config.DefaultTenant(), "")})
		}},
		{pattern: "POST /tenants", access: landlord, handle: c.createTenant},
	}
}

// tenantsView is the list of tenants.
type tenantsView struct {
	Header  header
	Search  string
	Tenants []tenantRow
	Total   int
	Empty   empty
}

type tenantRow struct {
	operation.Tenant
	Key        badge
	Parameters string
	Mailboxes  string
}

// keyState says whether a tenant's passwords can be kept.
func keyState(k *operation.TenantKey) badge {
	switch {
	case k == nil:
		return badge{Tone: toneWarn, Text: "No key", Title: "No mailbox password can be saved"}
	case k.Rotation != nil:
		return badge{Tone: toneBusy, Text: "Rotating"}
	}
	return badge{Tone: toneOK, Text: "Key set"}
}

func (c *console) tenants(r *request) error {
	list, err := r.desk.ListTenants(r.Context(), r.actor, &operation.ListTenants{})
	if err != nil {
		return err
	}
	add := action{Label: "New tenant", Icon: "plus", Path: "/tenants/new", Primary: true}
	v := tenantsView{Header: header{Title: "Tenants", Actions: []action{add}}, Search: r.FormValue("q"), Total: len(list.Tenants)}
	for _, t := range list.Tenants {
		if matches(v.Search, t.Document.ID, t.Document.Name, t.Document.MessagingDatabase) {
			v.Tenants = append(v.Tenants, tenantRow{t, keyState(t.Key), tenantPath(t.Document.ID, "parameters"), tenantPath(t.Document.ID, "mailboxes")})
		}
	}
	switch {
	case v.Total == 0:
		v.Header.Actions = nil
		v.Empty = empty{Icon: "building", Title: "No tenants yet", Text: "A tenant is a customer with folders and mailboxes of its own. Create the first one, then set its Tenant Encryption Key.", Action: &add}
	case len(v.Tenants) == 0:
		v.Empty = empty{Icon: "search", Title: "No tenant matches", Text: "Search for a part of the name or the id.", Action: &action{Label: "Show all", Path: "/tenants"}}
	}
	return r.page("tenants", page{Title: "Tenants", Section: sectionTenants}, v)
}

func tenantHeader(title string) header {
	return header{Title: title, Back: &link{"Tenants", "/tenants"}}
}

type tenantNewView struct {
	Header header
	Form   *form
}

// tenantForm is the form of the parameters of a tenant, of a new one if there
// is no revision.
func (c *console) tenantForm(t config.Tenant, revision string) *form {
	limit := func(n int) string {
		if n == 0 {
			return ""
		}
		return countText(n)
	}
	database := field{Name: "messaging_database", Label: "Tenant Messaging Database", Widget: widgetSelect, Value: t.MessagingDatabase, Help: "Where the tenant's mail is stored. The deployment's settings say which databases there are."}
	known := false
	for _, name := range c.Desk.Databases {
		database.Options = append(database.Options, option{Value: name, Label: name})
		known = known || name == t.MessagingDatabase
	}
	if !known {
		database.Options = append(database.Options, option{Value: t.MessagingDatabase, Label: t.MessagingDatabase + " (not configured)"})
	}
	basics := []field{{Name: "name", Label: "Name", Value: t.Name, Required: true, Attributes: []pair{{"data-slug", "field-id"}}}, database}
	f := &form{Post: tenantPath(t.ID, "parameters"), Submit: "Save parameters", Revision: revision, Guard: true}
	if revision == "" {
		f.Post, f.Submit, f.Cancel = "/tenants", "Create tenant", "/tenants"
		basics = append(basics[:1:1], field{Name: "id", Label: "Id", Value: t.ID, Required: true, Code: true, Range: "1 to 63 of a-z, 0-9 and -", Help: "Stands in addresses and events. It never changes."}, database)
	}
	f.Groups = []fieldset{
		{Fields: basics},
		{Title: "Fair use", Text: "Empty is no limit.", Fields: []field{
			{Name: "limits.mailboxes", Label: "Mailbox limit", Widget: widgetNumber, Value: limit(t.Limits.Mailboxes), Unit: "mailboxes"},
			{Name: "limits.mail_per_day", Label: "Mail per day", Widget: widgetNumber, Value: limit(t.Limits.MailPerDay), Unit: "mails"},
		}},
	}
	return f
}

// tenantOf reads the form into a document.
func tenantOf(r *request, doc config.Tenant) (config.Tenant, config.Problems) {
	var problems config.Problems
	limit := func(path string) int {
		text := strings.TrimSpace(r.PostFormValue(path))
		if text == "" {
			return 0
		}
		n, p := formNumber(path, text)
		problems = append(problems, p...)
		return n
	}
	doc.Name, doc.MessagingDatabase = r.PostFormValue("name"), r.PostFormValue("messaging_database")
	doc.Limits.Mailboxes, doc.Limits.MailPerDay = limit("limits.mailboxes"), limit("limits.mail_per_day")
	return doc, problems
}

func (c *console) createTenant(r *request) error {
	doc := config.DefaultTenant()
	doc.ID = strings.TrimSpace(r.PostFormValue("id"))
	doc, problems := tenantOf(r, doc)
	if !config.IsSlug(doc.ID) {
		problems = append(problems, config.Problem{Path: "id", Message: "must be of a-z, 0-9 and hyphens, at most 63 characters, and neither begin nor end with a hyphen"})
	}
	t, err := putTenant(r, doc, problems)
	if err != nil {
		f := c.tenantForm(doc, "")
		f.retype(r.PostForm)
		if !f.refuse(err) {
			return err
		}
		r.invalid()
		return r.page("tenant-new", page{Title: "New tenant", Section: sectionTenants}, tenantNewView{tenantHeader("New tenant"), f})
	}
	r.tell(toneOK, "Tenant %s is created. Set its Tenant Encryption Key next.", t.Document.Name)
	return r.redirect(tenantPath(t.Document.ID, "parameters"))
}

func putTenant(r *request, doc config.Tenant, problems config.Problems) (operation.Tenant, error) {
	if err := problems.Err(); err != nil {
		return operation.Tenant{}, err
	}
	raw, err := documentJSON(doc)
	if err != nil {
		return operation.Tenant{}, err
	}
	return r.desk.PutTenant(r.Context(), r.actor, &operation.PutTenant{InTenant: operation.InTenant{Tenant: doc.ID}, Condition: r.based(), Body: operation.TenantJSON{RawMessage: raw}})
}
