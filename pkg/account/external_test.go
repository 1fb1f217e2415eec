package account_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/mailyard/mailyard/pkg/account"
	"github.com/mailyard/mailyard/pkg/control"
)

func jane(role control.Role, tenant string) account.Identity {
	return account.Identity{Issuer: "https://login.example.com", Subject: "248289761001", Name: "jane@example.com", DisplayName: "Jane Doe", Role: role, Tenant: tenant}
}

func TestPersonOfTheIdentityProvider(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		staffed(t, b)
		s := must[account.Session](t)(b.SignInExternal(b.ctx, jane(control.RoleReader, "acme"), office))
		if want := (control.Actor{Name: "jane@example.com", Role: control.RoleReader, Tenant: "acme", From: office}); s.Actor != want || !b.works(s) {
			t.Errorf("signed in as %+v; want %+v", s.Actor, want)
		}
		b.wantAudit("jane@example.com session acme/jane@example.com signed-in", "jane@example.com account acme/jane@example.com created display_name=>Jane Doe role=>reader tenant=>acme")
		if a := s.Account; !a.External() || a.HasPassword {
			t.Errorf("account %+v", a)
		}

		// The provider says what they may do, and how they are called.
		id := jane(control.RoleTenantAdmin, "acme")
		id.Name, id.DisplayName = "jane.smith@example.com", "Jane Smith"
		again := must[account.Session](t)(b.SignInExternal(b.ctx, id, office))
		if again.Actor.Name != "jane@example.com" || again.Actor.Role != control.RoleTenantAdmin || again.Account.DisplayName != "Jane Smith" || b.works(s) {
			t.Errorf("signed in again as %+v", again.Account)
		}
		b.wantAudit("jane@example.com session acme/jane@example.com signed-in", "jane@example.com account acme/jane@example.com updated display_name=Jane Doe>Jane Smith role=reader>tenant-admin")
		third := must[account.Session](t)(b.SignInExternal(b.ctx, id, office))
		if !b.works(again) {
			t.Error("a further sign-in ended the session")
		}

		// Administrators decide whether they may come at all, and nothing else.
		_, err := b.PutAccount(b.ctx, b.lena, account.Document{Name: "jane@example.com", Role: control.RoleLandlord}, 0)
		wantProblem(t, err, "role", "comes from the identity provider")
		_, err = b.ResetLink(b.ctx, b.lena, "jane@example.com")
		wantProblem(t, err, "name", "kept by the identity provider")
		_, err = b.SignIn(b.ctx, "jane@example.com", password, office)
		wantError(t, err, account.ErrCredentials)
		must[account.Account](t)(b.DisableAccount(b.ctx, b.actor("ann"), "jane@example.com", true))
		if b.works(third) {
			t.Error("the session of a disabled account goes on")
		}
		_, err = b.SignInExternal(b.ctx, id, office)
		wantRefused(t, err, "your account is disabled; ask your administrator")
		b.wantAudit("jane@example.com session acme/jane@example.com sign-in-refused reason=>your account is disabled")
	})
}

func wantRefused(t *testing.T, err error, reason string) {
	t.Helper()
	var refused *account.RefusedError
	if !errors.As(err, &refused) || !errors.Is(err, account.ErrRefused) || !strings.Contains(refused.Reason, reason) {
		t.Errorf("%v; want it refused: %s", err, reason)
	}
}

func TestIdentityIsIssuerAndSubjectNotTheName(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		staffed(t, b)
		for _, name := range []string{"LENA", "lena", "token ci of lena", "unknown", "", "x\x00", "\xff", "<b>", "external-0123"} { // what somebody called themselves there
			id := jane(control.RoleReader, "rival")
			id.Name, id.Subject, id.DisplayName = name, "subject of "+strings.ToValidUTF8(strings.ReplaceAll(name, "\x00", "0"), "?"), "\u202ex"
			s := must[account.Session](t)(b.SignInExternal(b.ctx, id, office))
			if !strings.HasPrefix(s.Actor.Name, "external-") || s.Actor.Role != control.RoleReader || s.Account.DisplayName != "" {
				t.Errorf("%q is %+v", name, s.Actor)
			}
		}
		first := must[account.Session](t)(b.SignInExternal(b.ctx, jane(control.RoleReader, "acme"), office))
		id := jane(control.RoleReader, "acme")
		id.Issuer = "https://login.example.net"
		second := must[account.Session](t)(b.SignInExternal(b.ctx, id, office))
		if first.Actor.Name == second.Actor.Name {
			t.Error("the same subject of another issuer is the same account")
		}
		for _, subject := range []string{"", "a\x00", "ü", strings.Repeat("x", 256)} {
			id.Subject = subject
			if _, err := b.SignInExternal(b.ctx, id, office); err == nil {
				t.Errorf("subject %q is taken", subject)
			}
		}
	})
}

func TestIdentityOfNoTenantIsRefused(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		staffed(t, b)
		_, err := b.SignInExternal(b.ctx, jane(control.RoleTenantAdmin, "nowhere"), office)
		wantRefused(t, err, "there is no tenant nowhere")
		b.wantAudit("jane@example.com session /jane@example.com sign-in-refused reason=>tenant: there is no tenant nowhere")
		_, err = b.SignInExternal(b.ctx, jane(control.RoleTenantAdmin, ""), office)
		wantRefused(t, err, "is required")
		_, err = b.SignInExternal(b.ctx, jane("root", ""), office)
		wantRefused(t, err, "role")
		if n := len(must[[]account.Account](t)(b.Accounts(b.ctx, b.lena))); n != 4 {
			t.Errorf("%d accounts; want 4", n)
		}
	})
}

func TestRefusedAnswersOfTheProviderAreAuditedAndThrottled(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		staffed(t, b)
		for range 20 {
			if err := b.RefusedExternal(b.ctx, office, "the state is wrong"); err != nil {
				t.Fatal(err)
			}
		}
		b.wantAudit("anonymous session /unknown sign-in-refused reason=>the state is wrong")
		entries := len(b.audit())
		err := b.RefusedExternal(b.ctx, office, "the state is wrong")
		if throttled := (*account.ThrottledError)(nil); !errors.As(err, &throttled) || len(b.audit()) != entries {
			t.Errorf("%v; want a delay and nothing in the audit", err)
		}
	})
}

// A provider tells nobody when it removes a person: that is only seen by who does
// not come back.
func TestTokensOfTheIdentityProvidersPeopleRestWithoutASignIn(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		staffed(t, b)
		s := must[account.Session](t)(b.SignInExternal(b.ctx, jane(control.RoleTenantAdmin, "acme"), office))
		jane := b.token(s.Actor, "ci", control.RoleReader, "acme")
		ann := b.token(b.actor("ann"), "ci", control.RoleReader, "acme")
		resting := func(name string) bool {
			list := must[[]account.Token](t)(b.Tokens(b.ctx, b.lena, name))
			return len(list) == 1 && list[0].Resting
		}
		b.now = b.now.Add(account.Vouched - time.Second)
		must[control.Actor](t)(b.Token(b.ctx, jane, office))
		if resting("jane@example.com") {
			t.Error("it rests too early")
		}
		b.now = b.now.Add(time.Second)
		_, err := b.Token(b.ctx, jane, office)
		wantError(t, err, account.ErrTokenRests)
		if !resting("jane@example.com") || resting("ann") {
			t.Error("the list does not say that her token rests, or says so of others")
		}
		must[control.Actor](t)(b.Token(b.ctx, ann, office)) // who has a password is removed here
		_, shorter := b.open(account.Options{Cost: cheap, Vouched: time.Hour})
		must[account.Session](t)(b.SignInExternal(b.ctx, account.Identity{Issuer: s.Account.Issuer, Subject: s.Account.Subject, Role: control.RoleTenantAdmin, Tenant: "acme"}, office))
		must[control.Actor](t)(b.Token(b.ctx, jane, office))
		b.now = b.now.Add(time.Hour)
		_, err = shorter.Token(b.ctx, jane, office)
		wantError(t, err, account.ErrTokenRests)
		_, err = shorter.Token(b.ctx, "myt_"+strings.Repeat("a", 60), office)
		wantError(t, err, account.ErrToken)
	})
}
