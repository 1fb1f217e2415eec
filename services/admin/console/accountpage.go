package console

import (
	"time"

	"github.com/mailyard/mailyard/services/admin/operation"
)

// accountView is the page of somebody's account.
type accountView struct {
	Header   header
	Facts    []fact
	Form     *form
	Made     *madeSecret
	Link     action
	Sessions []operation.Session
	Tokens   []tokenView
	Path     string
	Delete   confirm
}

func (c *console) showAccount(r *request) error { return c.accountPage(r, nil, nil) }

// accountPage shows the account of the path; f is the form when it was refused.
func (c *console) accountPage(r *request, f *form, made *madeSecret) error {
	in := operation.InAccount{Name: r.PathValue("account")}
	a, err := r.desk.GetAccount(r.Context(), r.actor, &operation.GetAccount{InAccount: in})
	if err != nil {
		return err
	}
	return c.accountPageOf(r, a, f, made)
}

func (c *console) accountPageOf(r *request, a operation.Account, f *form, made *madeSecret) error {
	in := operation.InAccount{Name: a.Name}
	sessions, err := r.desk.ListSessions(r.Context(), r.actor, &operation.ListSessions{InAccount: in})
	if err != nil {
		return err
	}
	tokens, err := r.desk.ListTokens(r.Context(), r.actor, &operation.ListTokens{InAccount: in})
	if err != nil {
		return err
	}
	state := accountState(a)
	v := accountView{Header: accountHeader(a.Name), Form: f, Made: made, Sessions: sessions.Sessions, Path: accountPath(a.Name)}
	v.Header.Badge = &state
	if f == nil {
		v.Form = accountForm(r.actor, &a, nil)
	}
	v.Facts = []fact{{Name: "Created", Time: a.CreatedAt}, {Name: "Last sign-in", Text: "never"}}
	if a.SignedInAt != nil {
		v.Facts[1] = fact{Name: "Last sign-in", Time: *a.SignedInAt}
	}
	if a.External {
		v.Facts = append(v.Facts, fact{Name: "Signs in with", Text: "the identity provider"})
	} else {
		label := "Make a reset link"
		if !a.HasPassword {
			label = "Make an invitation link"
		}
		v.Link = action{Label: label, Icon: "link", Post: accountPath(a.Name, "link")}
	}
	now := time.Now()
	for _, t := range tokens.Tokens {
		v.Tokens = append(v.Tokens, tokenView{Token: t, Expired: t.Expires.Before(now)})
	}
	v.Delete = confirm{
		ID: "delete-account", Title: "Delete account " + a.Name + "?",
		Effect: []string{"Its sessions and API tokens end at once.", "What it did stays in the audit."},
		Post:   accountPath(a.Name, "delete"), Hidden: revisionOf(a.Revision), Typed: a.Name, What: "the name of the account", Submit: "Delete account", Danger: true,
	}
	v.Header.Actions = []action{{Label: "Delete", Icon: "trash", Danger: true, Dialog: v.Delete.ID}}
	return r.page("account", page{Title: a.Name, Section: sectionAccounts}, v)
}

func (c *console) changeAccount(r *request) error {
	in := operation.InAccount{Name: r.PathValue("account")}
	a, err := r.desk.GetAccount(r.Context(), r.actor, &operation.GetAccount{InAccount: in})
	if err != nil {
		return err
	}
	settings := accountSettings(r)
	if a.External { // the provider's; the form leaves them out
		settings.DisplayName, settings.Role, settings.Tenant = a.DisplayName, a.Role, a.Tenant
	}
	if _, err := r.desk.PutAccount(r.Context(), r.actor, &operation.PutAccount{InAccount: in, Condition: r.based(), Body: settings}); err != nil {
		f := accountForm(r.actor, &a, r.PostForm)
		if !f.refuse(err) {
			return err
		}
		r.invalid()
		return c.accountPageOf(r, a, f, nil)
	}
	r.tell(toneOK, "Account %s is saved.", a.Name)
	return r.redirect(accountPath(a.Name))
}

func (c *console) linkAccount(r *request) error { return c.accountLink(r, r.PathValue("account")) }

// accountLink makes a one-time link and shows it, which a redirect could not.
func (c *console) accountLink(r *request, name string) error {
	in := operation.InAccount{Name: name}
	a, err := r.desk.GetAccount(r.Context(), r.actor, &operation.GetAccount{InAccount: in})
	if err != nil {
		return err
	}
	link, err := r.desk.InviteAccount(r.Context(), r.actor, &operation.InviteAccount{InAccount: in})
	if err != nil {
		return err
	}
	return c.accountPageOf(r, a, nil, &madeSecret{
		Title: "One-time link for " + name, Value: c.origin(r.Request) + link.Path,
		Text: "Give it to the owner of the account, who sets a password with it. It works once, until " + absolute(link.ExpiresAt) + ", and is never shown again.",
	})
}

func (c *console) endSession(r *request) error {
	done, err := r.desk.RevokeSession(r.Context(), r.actor, &operation.RevokeSession{ID: r.PostFormValue("id")})
	if err != nil {
		return err
	}
	r.tell(toneOK, "%s", done.Message)
	return r.redirect(accountPath(r.PathValue("account")))
}

func (c *console) endToken(r *request) error {
	done, err := r.desk.RevokeToken(r.Context(), r.actor, &operation.RevokeToken{ID: r.PostFormValue("id")})
	if err != nil {
		return err
	}
	r.tell(toneOK, "%s", done.Message)
	return r.redirect(accountPath(r.PathValue("account")))
}

func (c *console) deleteAccount(r *request) error {
	name := r.PathValue("account")
	if err := r.typed(name); err != nil {
		return err
	}
	done, err := r.desk.DeleteAccount(r.Context(), r.actor, &operation.DeleteAccount{InAccount: operation.InAccount{Name: name}, Condition: r.based()})
	if err != nil {
		return err
	}
	r.tell(toneOK, "%s", done.Message)
	return r.redirect("/accounts")
}
