package account_test

import (
	"errors"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/mailyard/mailyard/pkg/account"
	"github.com/mailyard/mailyard/pkg/control"
)

// token makes an API token that is valid for a year.
func (b *bench) token(actor control.Actor, name string, role control.Role, tenant string) string {
	b.t.Helper()
	text, _, err := b.CreateToken(b.ctx, actor, account.TokenSpec{Name: name, Role: role, Tenant: tenant, Expires: b.now.Add(account.TokenLifetime)})
	if err != nil {
		b.t.Fatal(err)
	}
	return text.Reveal()
}

func TestTokenStandsForItselfAndItsAccount(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		staffed(t, b)
		text, made, err := b.CreateToken(b.ctx, b.lena, account.TokenSpec{Name: "ci", Role: control.RoleTenantAdmin, Tenant: "acme", Expires: b.now.Add(time.Hour)})
		if err != nil {
			t.Fatal(err)
		}
		if !regexp.MustCompile(`^myd_[a-z2-7]{16}_[a-z2-7]{52}$`).MatchString(text.Reveal()) {
			t.Errorf("token %s", text.Reveal())
		}
		b.wantAudit("lena token /" + made.ID + " created name=>ci account=>lena role=>tenant-admin tenant=>acme expires_at=>2026-03-10T13:00:00")
		actor := must[control.Actor](t)(b.Token(b.ctx, text.Reveal(), "198.51.100.7"))
		if want := (control.Actor{Name: "token ci of lena", Role: control.RoleTenantAdmin, Tenant: "acme", From: "198.51.100.7", Token: true, Owner: control.RoleLandlord}); actor != want {
			t.Errorf("%+v; want %+v", actor, want)
		}
		list := must[[]account.Token](t)(b.Tokens(b.ctx, b.lena, "lena"))
		if len(list) != 1 || list[0].ID != made.ID || !list[0].UsedAt.Equal(b.now) || list[0].UsedFrom != "198.51.100.7" || !list[0].Expires.Equal(b.now.Add(time.Hour)) {
			t.Errorf("listed as %+v", list)
		}
		used := b.now
		b.now = b.now.Add(59 * time.Second)
		must[control.Actor](t)(b.Token(b.ctx, text.Reveal(), "198.51.100.8"))
		if list := must[[]account.Token](t)(b.Tokens(b.ctx, b.lena, "lena")); !list[0].UsedAt.Equal(used) {
			t.Error("last use is written more than once a minute")
		}
		b.now = used.Add(time.Hour)
		_, err = b.Token(b.ctx, text.Reveal(), office)
		wantError(t, err, account.ErrToken)
	})
}

func TestTokenGivesNothingThatItsAccountDoesNotHave(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		staffed(t, b)
		b.person("olga", control.RoleReader, "")
		all := []account.TokenSpec{{Role: control.RoleLandlord}, {Role: control.RoleTenantAdmin, Tenant: "acme"}, {Role: control.RoleTenantAdmin, Tenant: "rival"},
			{Role: control.RoleReader}, {Role: control.RoleReader, Tenant: "acme"}, {Role: control.RoleReader, Tenant: "rival"}, {Role: control.RoleReader, Tenant: "nowhere"}}
		for who, want := range map[string]string{"lena": "+++++++", "ann": "-+--+--", "rita": "----+--", "rob": "--+--+-", "olga": "---++++"} {
			for i, spec := range all {
				spec.Name, spec.Expires = "t"+string(rune('a'+i)), b.now.Add(time.Hour)
				_, _, err := b.CreateToken(b.ctx, b.actor(who), spec)
				switch {
				case spec.Tenant == "nowhere" && want[i] == '+':
					wantProblem(t, err, "tenant", "there is no tenant nowhere")
				case want[i] == '+' && err != nil:
					t.Errorf("%s, %+v: %v", who, spec, err)
				case want[i] == '-':
					wantProblem(t, err, "role", "more than your account has")
				}
			}
		}
		// Whatever role the caller says.
		_, _, err := b.CreateToken(b.ctx, control.Actor{Name: "rita", Role: control.RoleLandlord}, account.TokenSpec{Name: "x", Role: control.RoleLandlord, Expires: b.now.Add(time.Hour)})
		wantProblem(t, err, "role", "more than your account has")
	})
}

func TestTokenSpecIsChecked(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		staffed(t, b)
		b.token(b.lena, "ci", control.RoleReader, "")
		good := account.TokenSpec{Name: "cd", Role: control.RoleReader, Expires: b.now.Add(time.Hour)}
		for _, tc := range []struct {
			change        func(*account.TokenSpec)
			path, problem string
		}{
			{func(s *account.TokenSpec) { s.Expires = time.Time{} }, "expires_at", "is required"},
			{func(s *account.TokenSpec) { s.Expires = b.now }, "expires_at", "in the past"},
			{func(s *account.TokenSpec) { s.Expires = b.now.Add(account.TokenLifetime + 1) }, "expires_at", "at most 366 days"},
			{func(s *account.TokenSpec) { s.Name = "ci" }, "name", "is in use"},
			{func(s *account.TokenSpec) { s.Name = "" }, "name", "is not an id"},
			{func(s *account.TokenSpec) { s.Name = "ci of rob" }, "name", "is not an id"},
			{func(s *account.TokenSpec) { s.Role = "root" }, "role", "must be landlord"},
		} {
			spec := good
			tc.change(&spec)
			_, _, err := b.CreateToken(b.ctx, b.lena, spec)
			wantProblem(t, err, tc.path, tc.problem)
		}
		for _, actor := range []control.Actor{{Name: "token ci of lena", Role: control.RoleLandlord}, {Name: "host", Role: control.RoleLandlord}, {Role: control.RoleLandlord}} {
			if _, _, err := b.CreateToken(b.ctx, actor, good); !errors.Is(err, control.ErrForbidden) {
				t.Errorf("%q makes an API token: %v", actor.Name, err)
			}
		}
	})
}

func TestTokenStopsWithItsAccount(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		staffed(t, b)
		works := func(bearer string) bool {
			_, err := b.Token(b.ctx, bearer, office)
			if err != nil && !errors.Is(err, account.ErrToken) {
				t.Fatal(err)
			}
			return err == nil
		}
		admin, reader := b.token(b.actor("ann"), "admin", control.RoleTenantAdmin, "acme"), b.token(b.actor("ann"), "reader", control.RoleReader, "acme")
		must[account.Account](t)(b.DisableAccount(b.ctx, b.lena, "ann", true))
		if works(admin) || works(reader) {
			t.Error("API tokens of a disabled account work")
		}
		must[account.Account](t)(b.DisableAccount(b.ctx, b.lena, "ann", false))
		must[account.Account](t)(b.PutAccount(b.ctx, b.lena, account.Document{Name: "ann", Role: control.RoleReader, Tenant: "acme"}, 0))
		if works(admin) || !works(reader) {
			t.Error("want only the reader's token to work for a reader")
		}
		must[account.Account](t)(b.PutAccount(b.ctx, b.lena, account.Document{Name: "ann", Role: control.RoleTenantAdmin, Tenant: "rival"}, 0))
		if works(admin) || works(reader) {
			t.Error("API tokens for acme work for somebody of rival")
		}
		if err := b.DeleteAccount(b.ctx, b.lena, "ann", 0); err != nil {
			t.Fatal(err)
		}
		must[account.Account](t)(b.PutAccount(b.ctx, b.lena, account.Document{Name: "ann", Role: control.RoleTenantAdmin, Tenant: "acme"}, 0))
		if works(admin) || works(reader) {
			t.Error("API tokens of a deleted account work for the next one of the name")
		}
	})
}

func TestTokenIsRevoked(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		staffed(t, b)
		for _, who := range []string{"rita", "ann", "lena"} { // the own one, and those of whom one manages
			bearer := b.token(b.actor("rita"), "ci", control.RoleReader, "acme")
			list := must[[]account.Token](t)(b.Tokens(b.ctx, b.actor(who), "rita"))
			if len(list) != 1 {
				t.Fatalf("%s sees %+v", who, list)
			}
			if err := b.RevokeToken(b.ctx, b.actor(who), list[0].ID); err != nil {
				t.Fatal(err)
			}
			b.wantAudit(who + " token acme/" + list[0].ID + " revoked name=>ci account=>rita")
			_, err := b.Token(b.ctx, bearer, office)
			wantError(t, err, account.ErrToken)
			wantError(t, b.RevokeToken(b.ctx, b.actor(who), list[0].ID), control.ErrNotFound)
		}
	})
}

func TestDatabaseHoldsNoSecret(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		staffed(t, b)
		session := b.signIn("ann").Cookie.Reveal()
		token := b.token(b.lena, "ci", control.RoleReader, "")
		link := must[account.Link](t)(b.ResetLink(b.ctx, b.lena, "ann")).Token.Reveal()
		stored := dump(t, b)
		for what, secret := range map[string]string{"password": password.Reveal(), "session": session, "token": token, "link": link} {
			if i := strings.LastIndex(secret, "_"); i > 0 {
				secret = secret[i+1:]
			}
			if strings.Contains(stored, secret) {
				t.Errorf("the %s stands in the database", what)
			}
		}
		if n := strings.Count(stored, "$argon2id$v=19$m=8,t=1,p=1$"); n != 4 {
			t.Errorf("%d passwords in PHC format; want 4", n)
		}
	})
}
