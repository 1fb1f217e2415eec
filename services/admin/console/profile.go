package console

import (
	"cmp"
	"net/url"
	"slices"
	"time"

	"github.com/mailyard/mailyard/pkg/account"
	"github.com/mailyard/mailyard/pkg/control"
	"github.com/mailyard/mailyard/pkg/secret"
	"github.com/mailyard/mailyard/services/admin/operation"
)

func (c *console) profileRoutes() []route {
	return []route{
		{pattern: "GET /account", handle: func(r *request) error { return c.profilePage(r, profileView{}) }},
		{pattern: "POST /account/password", handle: c.changePassword},
		{pattern: "POST /account/sessions", handle: c.revokeSessions},
		{pattern: "POST /account/tokens", handle: c.createToken},
		{pattern: "POST /account/tokens/revoke", handle: c.revokeToken},
	}
}

// profileView is the page of one's own account.
type profileView struct {
	Header   header
	Facts    []fact
	Password *form // nil: the identity provider has it
	Provider bool
	Sessions []sessionView
	Others   int // sessions besides this one
	Tokens   []tokenView
	Token    *form
	Made     *madeSecret // just now, shown once
}

type sessionView struct {
	operation.Session
	This bool
}

type tokenView struct {
	operation.Token
	Expired bool
	Revoke  confirm
}

// A madeSecret is shown once and never again.
type madeSecret struct {
	Title, Text, Value string
}

// profilePage shows the account; v holds what a form left to show.
func (c *console) profilePage(r *request, v profileView) error {
	name := r.session.Account.Name
	sessions, err := r.desk.ListSessions(r.Context(), r.actor, &operation.ListSessions{InAccount: operation.InAccount{Name: name}})
	if err != nil {
		return err
	}
	tokens, err := r.desk.ListTokens(r.Context(), r.actor, &operation.ListTokens{InAccount: operation.InAccount{Name: name}})
	if err != nil {
		return err
	}
	a := r.session.Account
	v.Header = header{Title: "Your account"}
	v.Provider = a.External()
	v.Facts = accountFacts(a)
	for _, s := range sessions.Sessions {
		this := s.ID == r.session.ID
		if !this {
			v.Others++
		}
		v.Sessions = append(v.Sessions, sessionView{s, this})
	}
	now := time.Now()
	for _, t := range tokens.Tokens {
		v.Tokens = append(v.Tokens, tokenView{Token: t, Expired: t.Expires.Before(now), Revoke: confirm{
			ID: elementID("revoke", t.ID), Title: "Revoke API token " + t.Name + "?", Effect: []string{"Programs that use it are refused from now on."},
			Post: "/account/tokens/revoke", Hidden: []pair{{"id", t.ID}}, Submit: "Revoke token", Danger: true,
		}})
	}
	if v.Password == nil && !v.Provider {
		v.Password = passwordForm(r.session.Account.Name)
	}
	if v.Token == nil {
		v.Token = tokenForm(r.actor, nil)
	}
	return r.page("profile", page{Title: "Your account"}, v)
}

// accountFacts tells what an account is.
func accountFacts(a account.Account) []fact {
	facts := []fact{{Name: "Name", Text: a.Name}}
	if a.DisplayName != "" {
		facts = append(facts, fact{Name: "Called", Text: a.DisplayName})
	}
	facts = append(facts, fact{Name: "Role", Text: roleName(a.Role)}, fact{Name: "Tenant", Text: a.Tenant})
	if a.Tenant == "" {
		facts[len(facts)-1].Text = "all"
	}
	if a.External() {
		facts = append(facts, fact{Name: "Signs in with", Text: a.Issuer})
	}
	return append(facts, fact{Name: "Created", Time: a.CreatedAt}, fact{Name: "Last sign-in", Time: a.SignedInAt})
}

func passwordForm(name string) *form {
	return &form{Username: name, Post: "/account/password", Submit: "Change password", Groups: []fieldset{{Fields: []field{
		{Name: "current", Label: "Current password", Widget: widgetPassword, Complete: "current-password", Required: true},
		{Name: "password", Label: "New password", Widget: widgetPassword, Required: true, Help: "At least 12 characters. Your other sessions end."},
	}}}}
}

func (c *console) changePassword(r *request) error {
	session, err := c.Accounts.SetPassword(r.Context(), r.actor, secret.NewString(r.PostFormValue("current")), secret.NewString(r.PostFormValue("password")))
	if err == nil {
		r.tell(toneOK, "Your password is changed. All other sessions ended.")
		return r.signIn(session, "/account")
	}
	f := passwordForm(r.session.Account.Name)
	if !f.refuse(err) {
		return err
	}
	r.invalid()
	return c.profilePage(r, profileView{Password: f})
}

// revokeSessions ends one session, or all but this one.
func (c *console) revokeSessions(r *request) error {
	id := r.PostFormValue("id")
	if id == "" {
		n, err := c.Accounts.RevokeSessions(r.Context(), r.actor, r.session.Account.Name, r.session.ID)
		if err != nil {
			return err
		}
		r.tell(toneOK, "%s ended.", plural(n, "other session", "other sessions"))
		return r.redirect("/account")
	}
	if _, err := r.desk.RevokeSession(r.Context(), r.actor, &operation.RevokeSession{ID: id}); err != nil {
		return err
	}
	r.tell(toneOK, "The session ended.")
	return r.redirect("/account")
}

// tokenDays are the lifetimes that are offered, in days.
func tokenDays() []option {
	return []option{{Value: "7", Label: "7 days"}, {Value: "30", Label: "30 days"}, {Value: "90", Label: "90 days"}, {Value: "365", Label: "a year"}}
}

// tokenForm is the form of a new API token, filled with what was typed.
func tokenForm(a control.Actor, typed url.Values) *form {
	role := field{Name: "role", Label: "Role", Widget: widgetSelect, Value: typed.Get("role"), Help: "What a program does not need, it should not have."}
	for _, o := range rolesBelow(a) {
		role.Options = append(role.Options, option{Value: string(o), Label: roleName(o)})
	}
	if role.Value == "" {
		role.Value = string(control.RoleReader)
	}
	days := field{Name: "days", Label: "Valid for", Widget: widgetSelect, Options: tokenDays(), Value: typed.Get("days")}
	if days.Value == "" {
		days.Value = "90"
	}
	fields := []field{
		{Name: "name", Label: "Name", Value: typed.Get("name"), Required: true, Placeholder: "backup-script", Help: "An id: small letters, digits, hyphens. It stands in the audit."},
		days, role,
	}
	if a.Tenant == "" {
		fields = append(fields, field{Name: "tenant", Label: "Tenant", Value: typed.Get("tenant"), Placeholder: "all", Help: "Id of the only tenant that it is for. A tenant administrator's token needs one."})
	}
	return &form{Post: "/account/tokens", Submit: "Create API token", Groups: []fieldset{{Fields: fields}}}
}

// rolesBelow are the roles that an actor can give, the own one first.
func rolesBelow(a control.Actor) []control.Role {
	roles := []control.Role{control.RoleLandlord, control.RoleTenantAdmin, control.RoleReader}
	return roles[max(slices.Index(roles, a.Role), 0):]
}

func (c *console) createToken(r *request) error {
	f := tokenForm(r.actor, r.PostForm)
	days, problems := formNumber("days", r.PostFormValue("days"))
	err := problems.Err()
	if err == nil {
		in := operation.CreateToken{Body: operation.NewToken{Name: r.PostFormValue("name"), Role: control.Role(r.PostFormValue("role")), Tenant: cmp.Or(r.actor.Tenant, r.PostFormValue("tenant")), Days: days}}
		var made operation.CreatedToken
		if made, err = r.desk.CreateToken(r.Context(), r.actor, &in); err == nil {
			return c.profilePage(r, profileView{Made: &madeSecret{
				Title: "API token " + made.Name, Value: made.Text,
				Text: "Copy it now: it is not stored, and never shown again. Programs send it as Authorization: Bearer.",
			}})
		}
	}
	if !f.refuse(err) {
		return err
	}
	r.invalid()
	return c.profilePage(r, profileView{Token: f})
}

func (c *console) revokeToken(r *request) error {
	if _, err := r.desk.RevokeToken(r.Context(), r.actor, &operation.RevokeToken{ID: r.PostFormValue("id")}); err != nil {
		return err
	}
	r.tell(toneOK, "The API token is revoked.")
	return r.redirect("/account")
}
