package account_test

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mailyard/mailyard/pkg/account"
	"github.com/mailyard/mailyard/pkg/control"
	"github.com/mailyard/mailyard/pkg/secret"
)

func TestFirstStartMakesTheLandlordOnce(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		if pending := must[bool](t)(b.SetupPending(b.ctx)); !pending {
			t.Error("nothing to set up")
		}
		_, err := b.SignIn(b.ctx, "admin", secret.NewString("admin"), office) // no default account
		wantError(t, err, account.ErrCredentials)

		first := must[account.Link](t)(b.NewSetupLink(b.ctx))
		second := must[account.Link](t)(b.NewSetupLink(b.ctx)) // of another replica
		if !first.ExpiresAt.Equal(b.now.Add(24 * time.Hour)) {
			t.Errorf("expires at %v; want a day", first.ExpiresAt)
		}
		if l := must[account.Link](t)(b.Link(b.ctx, first.Token.Reveal())); l.Account != "" || !l.Token.IsZero() {
			t.Errorf("the setup link is %+v", l)
		}
		_, err = b.CompleteReset(b.ctx, first.Token.Reveal(), password, office)
		wantError(t, err, account.ErrLink)
		_, err = b.CompleteSetup(b.ctx, first.Token.Reveal(), "le na", secret.NewString("short"), office)
		wantProblem(t, err, "name", "letters, digits")
		wantProblem(t, err, "password", "at least 12")

		s := must[account.Session](t)(b.CompleteSetup(b.ctx, first.Token.Reveal(), "lena", password, office))
		if want := (control.Actor{Name: "lena", Role: control.RoleLandlord, From: office}); s.Actor != want || !b.works(s) {
			t.Errorf("signed in as %+v; want %+v", s.Actor, want)
		}
		b.wantAudit("lena session /lena signed-in", "lena account /lena created role=>landlord", "setup account /setup link-made", "setup account /setup link-made")
		for _, link := range []account.Link{first, second} {
			_, err := b.CompleteSetup(b.ctx, link.Token.Reveal(), "eve", password, office)
			wantError(t, err, account.ErrLink)
		}
		if pending := must[bool](t)(b.SetupPending(b.ctx)); pending {
			t.Error("still to be set up")
		}
		_, err = b.NewSetupLink(b.ctx)
		wantError(t, err, account.ErrSetupDone)
	})
}

func TestSetupLinkExpires(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		link := must[account.Link](t)(b.NewSetupLink(b.ctx))
		b.now = b.now.Add(24 * time.Hour)
		_, err := b.CompleteSetup(b.ctx, link.Token.Reveal(), "lena", password, office)
		wantError(t, err, account.ErrLink)
	})
}

func TestSetupLinkThatIsFollowedTwiceAtOnceMakesOneLandlord(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		links := []account.Link{must[account.Link](t)(b.NewSetupLink(b.ctx)), must[account.Link](t)(b.NewSetupLink(b.ctx))}
		var wg sync.WaitGroup
		var mu sync.Mutex
		made := 0
		for i := range 6 {
			wg.Go(func() {
				_, err := b.CompleteSetup(b.ctx, links[i%2].Token.Reveal(), "lena"+string(rune('a'+i)), password, office)
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					made++
				} else if !errors.Is(err, account.ErrLink) {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if made != 1 {
			t.Errorf("%d landlords; want 1", made)
		}
	})
}

func TestInvitationAndForgottenPassword(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		staffed(t, b)
		must[account.Account](t)(b.PutAccount(b.ctx, b.actor("ann"), account.Document{Name: "ivan", Role: control.RoleReader, Tenant: "acme"}, control.IfNew))
		invitation := must[account.Link](t)(b.ResetLink(b.ctx, b.actor("ann"), "ivan"))
		if !invitation.ExpiresAt.Equal(b.now.Add(7*24*time.Hour)) || invitation.Account != "ivan" {
			t.Errorf("invitation %+v; want 7 days", invitation)
		}
		b.wantAudit("ann account acme/ivan link-made")
		again := must[account.Link](t)(b.ResetLink(b.ctx, b.actor("ann"), "ivan"))
		_, err := b.CompleteReset(b.ctx, invitation.Token.Reveal(), password, office)
		wantError(t, err, account.ErrLink) // there is a newer one
		_, err = b.CompleteReset(b.ctx, again.Token.Reveal(), secret.NewString("ivan-ivan-2026"), office)
		wantProblem(t, err, "password", "the account's name")
		_, err = b.CompleteSetup(b.ctx, again.Token.Reveal(), "eve", password, office)
		wantError(t, err, account.ErrLink)
		first := must[account.Session](t)(b.CompleteReset(b.ctx, again.Token.Reveal(), password, office))
		b.wantAudit("ivan session acme/ivan signed-in", "ivan account acme/ivan password-changed password=>changed")
		_, err = b.CompleteReset(b.ctx, again.Token.Reveal(), password, office)
		wantError(t, err, account.ErrLink)

		// Forgotten, and tried too often.
		for range 5 {
			b.fail("ivan", "198.51.100.9")
		}
		forgotten := must[account.Link](t)(b.ResetLink(b.ctx, b.actor("ann"), "ivan"))
		if !b.works(first) {
			t.Error("a link that nobody used ended a session")
		}
		other := secret.NewString("another horse, same battery")
		must[account.Session](t)(b.CompleteReset(b.ctx, forgotten.Token.Reveal(), other, office))
		if b.works(first) {
			t.Error("a session goes on with the old password")
		}
		must[account.Session](t)(b.SignIn(b.ctx, "ivan", other, office)) // without a delay
		_, err = b.SignIn(b.ctx, "ivan", password, office)
		wantError(t, err, account.ErrCredentials)

		late := must[account.Link](t)(b.ResetLink(b.ctx, b.lena, "ivan"))
		b.now = b.now.Add(24 * time.Hour)
		_, err = b.Link(b.ctx, late.Token.Reveal())
		wantError(t, err, account.ErrLink)
	})
}

func TestDisablingTakesLinksBack(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		staffed(t, b)
		link := must[account.Link](t)(b.ResetLink(b.ctx, b.lena, "rita"))
		must[account.Account](t)(b.DisableAccount(b.ctx, b.lena, "rita", true))
		_, err := b.ResetLink(b.ctx, b.lena, "rita")
		wantProblem(t, err, "disabled", "enable it first")
		must[account.Account](t)(b.DisableAccount(b.ctx, b.lena, "rita", false))
		_, err = b.CompleteReset(b.ctx, link.Token.Reveal(), password, office)
		wantError(t, err, account.ErrLink)
	})
}

func TestPasswordIsChangedByWhoeverKnowsTheOldOne(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		staffed(t, b)
		here, there := b.signIn("rita"), b.signIn("rita")
		other := secret.NewString("another horse, same battery")
		_, err := b.SetPassword(b.ctx, here.Actor, wrong, other)
		wantError(t, err, account.ErrCredentials)
		b.wantAudit("anonymous session acme/rita sign-in-failed")
		_, err = b.SetPassword(b.ctx, here.Actor, password, secret.NewString("rita"))
		wantProblem(t, err, "password", "at least 12")

		s := must[account.Session](t)(b.SetPassword(b.ctx, here.Actor, password, other))
		if s.Account.Revision != here.Account.Revision+1 { // whoever is signing in with the old one at this moment is refused by it
			t.Errorf("revision %d after %d", s.Account.Revision, here.Account.Revision)
		}
		if b.works(here) || b.works(there) || !b.works(s) {
			t.Error("want the old sessions ended, and a new one")
		}
		b.wantAudit("rita session acme/rita signed-in", "rita account acme/rita password-changed password=>changed sessions_ended=>3")
		for range 5 { // throttled like signing in
			_, err = b.SetPassword(b.ctx, here.Actor, wrong, password)
			wantError(t, err, account.ErrCredentials)
		}
		_, err = b.SetPassword(b.ctx, here.Actor, other, password)
		if throttled := (*account.ThrottledError)(nil); !errors.As(err, &throttled) {
			t.Errorf("%v; want a delay", err)
		}
		if _, err = b.SetPassword(b.ctx, control.Actor{Name: "token ci of ann", Role: control.RoleTenantAdmin, Tenant: "acme"}, password, other); !errors.Is(err, account.ErrCredentials) {
			t.Errorf("an API token changes a password: %v", err)
		}
	})
}

func TestPasswordRules(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		staffed(t, b)
		must[account.Account](t)(b.PutAccount(b.ctx, b.lena, account.Document{Name: "Margarethe.Doe@example.com", Role: control.RoleReader}, 0))
		token := must[account.Link](t)(b.ResetLink(b.ctx, b.lena, "margarethe.doe@example.com")).Token.Reveal()
		for _, tc := range []struct{ password, problem string }{
			{"", "at least 12"},
			{"elevenchars", "at least 12"},
			{"ééééééééééé", "at least 12"}, // bytes do not count
			{strings.Repeat("e\u0301", 11), "at least 12"},
			{strings.Repeat("long", 51), "at most 200"},
			{"aaaaaaaaaaaaaaaaa", "too simple"},
			{"margarethe.doe@example.com", "the account's name"},
			{"MARGARETHE.DOE@EXAMPLE.COM", "the account's name"},
			{"Margarethe.Doe123!", "the account's name"},
			{"margarethe.doemargarethe.doe", "the account's name"},
			{"good enough\x00", "control character"},
			{"good enough\n", "control character"},
			{"good enough \xff", "not UTF-8"},
		} {
			_, err := b.CompleteReset(b.ctx, token, secret.NewString(tc.password), office)
			wantProblem(t, err, "password", tc.problem)
		}
		must[account.Session](t)(b.CompleteReset(b.ctx, token, secret.NewString("Zwölf Boxkä"+"m"), office)) // 12
	})
}
