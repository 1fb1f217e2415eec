package account_test

import (
	"strings"
	"testing"

	"github.com/mailyard/mailyard/pkg/account"
	"github.com/mailyard/mailyard/pkg/control"
)

// Whoever finds an API token must not get an account by it, which would outlive
// the token.
func TestTokensDoNotManageAccounts(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		staffed(t, b)
		for who, tenant := range map[string]string{"lena": "", "ann": "acme"} {
			owner := b.actor(who)
			actor := must[control.Actor](t)(b.Token(b.ctx, b.token(owner, "ci", owner.Role, tenant), office))
			b.token(owner, "second", owner.Role, tenant)
			ids := map[string]string{}
			for _, token := range must[[]account.Token](t)(b.Tokens(b.ctx, owner, who)) {
				ids[token.Name] = token.ID
			}
			session := b.signIn("rita")
			before := len(b.audit())
			for what, do := range map[string]func() error{
				"makes an account": func() error {
					_, err := b.PutAccount(b.ctx, actor, account.Document{Name: "ghost", Role: control.RoleReader, Tenant: "acme"}, control.IfNew)
					return err
				},
				"changes an account": func() error {
					_, err := b.PutAccount(b.ctx, actor, account.Document{Name: "rita", Role: control.RoleTenantAdmin, Tenant: "acme"}, 0)
					return err
				},
				"disables an account":    func() error { _, err := b.DisableAccount(b.ctx, actor, "rita", true); return err },
				"deletes an account":     func() error { return b.DeleteAccount(b.ctx, actor, "rita", 0) },
				"makes a link":           func() error { _, err := b.ResetLink(b.ctx, actor, "rita"); return err },
				"makes its owner a link": func() error { _, err := b.ResetLink(b.ctx, actor, who); return err },
				"makes a token": func() error {
					_, _, err := b.CreateToken(b.ctx, actor, account.TokenSpec{Name: "more", Role: control.RoleReader, Tenant: "acme", Expires: b.now.Add(account.TokenLifetime)})
					return err
				},
				"ends a session":        func() error { return b.RevokeSession(b.ctx, actor, session.ID) },
				"ends all sessions":     func() error { _, err := b.RevokeSessions(b.ctx, actor, "rita", ""); return err },
				"revokes another token": func() error { return b.RevokeToken(b.ctx, actor, ids["second"]) },
				"asks of who is not there": func() error {
					_, err := b.ResetLink(b.ctx, actor, "nobody")
					return err
				},
			} {
				err := do()
				if wantError(t, err, control.ErrForbidden); err != nil && !strings.Contains(err.Error(), "API tokens do not manage accounts; sign in to do that") {
					t.Errorf("a token of %s %s: %v", who, what, err)
				}
			}
			if got := len(b.audit()); got != before {
				t.Errorf("a token of %s changed something:\n%s", who, strings.Join(b.audit()[:got-before], "\n"))
			}
			// It sees what its owner sees.
			must[account.Account](t)(b.Account(b.ctx, actor, "rita"))
			must[[]account.Session](t)(b.Sessions(b.ctx, actor, "rita"))
			if list := must[[]account.Account](t)(b.Accounts(b.ctx, actor)); len(list) < 2 {
				t.Errorf("a token of %s sees %d accounts", who, len(list))
			}
			// It can give itself up.
			if err := b.RevokeToken(b.ctx, actor, ids["ci"]); err != nil {
				t.Errorf("a token of %s revokes itself: %v", who, err)
			}
		}
	})
}

// The operator has the token of the host, which is no account's. By it a
// landlord who is locked out gets in again.
func TestOperatorManagesAccounts(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		staffed(t, b)
		operator := control.Actor{Name: "operator", Role: control.RoleLandlord, From: "127.0.0.1"}
		link := must[account.Link](t)(b.ResetLink(b.ctx, operator, "lena"))
		if s := must[account.Session](t)(b.CompleteReset(b.ctx, link.Token.Reveal(), password, office)); s.Actor.Name != "lena" || s.Actor.Token {
			t.Errorf("the link gives %+v", s.Actor)
		}
		must[account.Account](t)(b.PutAccount(b.ctx, operator, account.Document{Name: "max", Role: control.RoleReader, Tenant: "acme"}, control.IfNew))
		must[account.Account](t)(b.DisableAccount(b.ctx, operator, "max", true))
		must[int](t)(b.RevokeSessions(b.ctx, operator, "ann", ""))
		if err := b.DeleteAccount(b.ctx, operator, "max", 0); err != nil {
			t.Error(err)
		}
	})
}
