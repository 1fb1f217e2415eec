package console

import (
	"net/url"
	"slices"
	"strings"

	"github.com/mailyard/mailyard/pkg/control"
	"github.com/mailyard/mailyard/services/admin/operation"
)

func (c *console) accountRoutes() []route {
	return []route{
		{pattern: "GET /accounts", access: manager, handle: c.accounts},
		{pattern: "GET /accounts/new", access: manager, handle: func(r *request) error {
			return r.page("account-new", page{Title: "New account", Section: sectionAccounts}, accountNewView{accountHeader("New account"), accountForm(r.actor, nil, nil)})
		}},
		{pattern: "POST /accounts", access: manager, handle: c.inviteAccount},
		{pattern: "GET /accounts/at/{account}", access: manager, handle: c.showAccount},
		{pattern: "POST /accounts/at/{account}", access: manager, handle: c.changeAccount},
		{pattern: "POST /accounts/at/{account}/link", access: manager, handle: c.linkAccount},
		{pattern: "POST /accounts/at/{account}/sessions", access: manager, handle: c.endSession},
		{pattern: "POST /accounts/at/{account}/tokens", access: manager, handle: c.endToken},
		{pattern: "POST /accounts/at/{account}/delete", access: manager, handle: c.deleteAccount},
	}
}

// accountsView is the list of accounts.
type accountsView struct {
	Header   header
	Search   string
	Accounts []accountRow
	Total    int
	Empty    empty
}

type accountRow struct {
	operation.Account
	Path  string
	State badge
}

// accountState says whether somebody can sign in.
func accountState(a operation.Account) badge {
	switch {
	case a.Disabled:
		return badge{Tone: toneOff, Text: "Disabled"}
	case !a.HasPassword && !a.External:
		return badge{Tone: toneWarn, Text: "Invited", Title: "No password is set yet"}
	}
	return badge{Tone: toneOK, Text: "Active"}
}

func (c *console) accounts(r *request) error {
	list, err := r.desk.ListAccounts(r.Context(), r.actor, &operation.ListAccounts{})
	if err != nil {
		return err
	}
	v := accountsView{
		Header: header{Title: "Accounts", Text: "Who may sign in, and what they may do.", Actions: []action{{Label: "New account", Icon: "plus", Path: "/accounts/new", Primary: true}}},
		Search: r.FormValue("q"), Total: len(list.Accounts),
		Empty: empty{Icon: "search", Title: "No account matches", Text: "Search for a part of the name or the tenant.", Action: &action{Label: "Show all", Path: "/accounts"}},
	}
	for _, a := range list.Accounts {
		if matches(v.Search, a.Name, a.DisplayName, a.Tenant, roleName(a.Role)) {
			v.Accounts = append(v.Accounts, accountRow{a, accountPath(a.Name), accountState(a)})
		}
	}
	return r.page("accounts", page{Title: "Accounts", Section: sectionAccounts}, v)
}

// matches reports whether a text is part of others, without regard to case.
func matches(search string, texts ...string) bool {
	search = strings.ToLower(strings.TrimSpace(search))
	return slices.ContainsFunc(texts, func(s string) bool { return strings.Contains(strings.ToLower(s), search) })
}

func accountPath(name string, more ...string) string {
	return joinPath(append([]string{"accounts", "at", name}, more...)...)
}

func accountHeader(title string) header {
	return header{Title: title, Back: &link{"Accounts", "/accounts"}}
}

type accountNewView struct {
	Header header
	Form   *form
}

// accountForm is the form of an account: of a new one, or of a, with what was
// typed, if anything was.
func accountForm(actor control.Actor, a *operation.Account, typed url.Values) *form {
	value := func(name, stored string) string {
		if typed != nil {
			return typed.Get(name)
		}
		return stored
	}
	f := &form{Post: "/accounts", Submit: "Create account", Cancel: "/accounts", Guard: true}
	role := field{Name: "role", Label: "Role", Widget: widgetRadio, Value: value("role", string(control.RoleReader)), Wide: true}
	for _, r := range rolesBelow(actor) {
		role.Options = append(role.Options, option{Value: string(r), Label: roleName(r), Help: roleHelp(r)})
	}
	display := field{Name: "display_name", Label: "Called", Value: value("display_name", ""), Help: "As people call this person. Optional."}
	tenant := field{Name: "tenant", Label: "Tenant", Value: value("tenant", ""), Help: "Id of the tenant, of a tenant administrator. A reader without one reads all tenants."}
	if a == nil {
		f.Groups = []fieldset{{Fields: []field{
			{Name: "name", Label: "Name", Value: value("name", ""), Required: true, Help: "To sign in with, such as an email address. It never changes."}, display, role,
		}}}
	} else {
		f.Post, f.Submit, f.Cancel, f.Revision = accountPath(a.Name), "Save account", "", a.Revision
		if typed != nil {
			f.Revision = typed.Get("revision") // what the change was made on
		}
		display.Value = value("display_name", a.DisplayName)
		role.Value, tenant.Value = value("role", string(a.Role)), value("tenant", a.Tenant)
		disabled := "true"
		if !a.Disabled {
			disabled = ""
		}
		off := field{Name: "disabled", Label: "Disabled", Widget: widgetSwitch, Value: value("disabled", disabled), Help: "Neither its sessions nor its API tokens work.", Wide: true}
		f.Groups = []fieldset{{Fields: []field{display, role, off}}}
		if a.External {
			locked := "The identity provider says this at every sign-in."
			f.Groups[0].Fields[0].Disabled, f.Groups[0].Fields[1].Disabled, tenant.Disabled = locked, locked, locked
		}
	}
	if actor.Tenant == "" {
		fields := f.Groups[0].Fields
		f.Groups[0].Fields = slices.Insert(fields, slices.IndexFunc(fields, func(f field) bool { return f.Name == "role" })+1, tenant)
	}
	return f
}

func roleHelp(r control.Role) string {
	switch r {
	case control.RoleLandlord:
		return "Everything: tenants, their keys, all accounts."
	case control.RoleTenantAdmin:
		return "Folders, mailboxes, mail and accounts of one tenant."
	case control.RoleReader:
		return "Sees everything of a tenant, changes nothing."
	}
	return ""
}

// accountSettings reads the form.
func accountSettings(r *request) operation.AccountSettings {
	s := operation.AccountSettings{
		DisplayName: r.PostFormValue("display_name"), Role: control.Role(r.PostFormValue("role")),
		Tenant: strings.TrimSpace(r.PostFormValue("tenant")), Disabled: r.PostFormValue("disabled") == "true",
	}
	if r.actor.Tenant != "" {
		s.Tenant = r.actor.Tenant
	}
	return s
}

// inviteAccount makes an account, and shows the link that its owner needs.
func (c *console) inviteAccount(r *request) error {
	name := strings.TrimSpace(r.PostFormValue("name"))
	in := operation.InAccount{Name: name}
	made, err := r.desk.PutAccount(r.Context(), r.actor, &operation.PutAccount{InAccount: in, Condition: operation.Condition{IfNoneMatch: "*"}, Body: accountSettings(r)})
	if err != nil {
		f := accountForm(r.actor, nil, r.PostForm)
		if !f.refuse(err) {
			return err
		}
		r.invalid()
		return r.page("account-new", page{Title: "New account", Section: sectionAccounts}, accountNewView{accountHeader("New account"), f})
	}
	r.tell(toneOK, "Account %s is created.", made.Name)
	return c.accountLink(r, made.Name)
}
