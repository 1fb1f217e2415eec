package account_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mailyard/mailyard/pkg/account"
	"github.com/mailyard/mailyard/pkg/control"
)

func TestSessionEndsWhenItIsNotUsed(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		staffed(t, b)
		used, idle := b.signIn("ann"), b.signIn("ann")
		for range 3 {
			b.now = b.now.Add(account.SessionIdle - time.Minute)
			if !b.works(used) {
				t.Fatal("a session that is used ended")
			}
		}
		if b.works(idle) {
			t.Error("a session goes on after more than 12 h without use")
		}
		b.now = b.now.Add(account.SessionIdle)
		if b.works(used) {
			t.Error("a session goes on after 12 h without use")
		}
	})
}

func TestSessionEndsAfterAWeekWhateverHappens(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		staffed(t, b)
		s := b.signIn("ann")
		for b.now.Add(6 * time.Hour).Before(s.ExpiresAt) {
			b.now = b.now.Add(6 * time.Hour)
			if !b.works(s) {
				t.Fatalf("ended at %v; want %v", b.now, s.ExpiresAt)
			}
		}
		b.now = b.now.Add(6 * time.Hour)
		if b.works(s) || !b.now.Equal(s.CreatedAt.Add(7*24*time.Hour)) {
			t.Errorf("goes on at %v", b.now)
		}
	})
}

func TestLastUseIsWrittenOnceAMinute(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		staffed(t, b)
		s := b.signIn("ann")
		seen := func() string {
			return column(t, b, `SELECT seen_at FROM account_sessions WHERE id = '`+s.ID+`'`)
		}
		first := seen()
		b.now = b.now.Add(59 * time.Second)
		if b.works(s); seen() != first {
			t.Error("written within a minute")
		}
		b.now = b.now.Add(time.Second)
		if b.works(s); seen() != control.FormatTime(b.now) {
			t.Errorf("%s; want now", seen())
		}
	})
}

func TestForgedCookiesAreSignedOut(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		staffed(t, b)
		good, other := b.signIn("ann").Cookie.Reveal(), b.signIn("rob").Cookie.Reveal()
		parts, others := strings.Split(good, "_"), strings.Split(other, "_")
		for _, forged := range []string{"", "_", good[:len(good)-1], good + "a", " " + good, strings.ToUpper(good),
			strings.Join([]string{parts[0], parts[1], others[2]}, "_"), strings.Join([]string{parts[0], others[1], parts[2]}, "_"),
			strings.Join([]string{"myd", parts[1], parts[2]}, "_"), strings.Join([]string{"myl", parts[1], parts[2]}, "_"),
			"mys_" + parts[1] + "_" + strings.Repeat("a", 52), "mys_" + strings.Repeat("a", 16) + "_" + parts[2], strings.Repeat("mys_", 1<<16)} {
			_, err := b.Session(b.ctx, forged)
			wantError(t, err, account.ErrSignedOut)
			_, err = b.Token(b.ctx, forged, office)
			wantError(t, err, account.ErrToken)
			_, err = b.Link(b.ctx, forged)
			wantError(t, err, account.ErrLink)
			if err := b.SignOut(b.ctx, forged, office); err != nil {
				t.Error(err)
			}
		}
	})
}

func TestSignOut(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		staffed(t, b)
		here, there := b.signIn("ann"), b.signIn("ann")
		for range 2 { // the second time it is over already
			if err := b.SignOut(b.ctx, here.Cookie.Reveal(), "192.0.2.99"); err != nil {
				t.Fatal(err)
			}
		}
		if b.works(here) || !b.works(there) {
			t.Error("want the one session ended, not the other")
		}
		b.wantAudit("ann session acme/ann signed-out session=>"+here.ID, "ann session acme/ann signed-in")
	})
}

func TestSessionsAreListedAndRevoked(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		staffed(t, b)
		b.now = b.now.Add(account.SessionIdle) // those of the beginning are over
		first := b.signIn("rita")
		b.now = b.now.Add(time.Minute)
		second := must[account.Session](t)(b.SignIn(b.ctx, "rita", password, "198.51.100.1"))
		b.now = b.now.Add(time.Minute)
		third := b.signIn("rita")
		ids := func(who string) []string {
			t.Helper()
			var ids []string
			for _, s := range must[[]account.Session](t)(b.Sessions(b.ctx, b.actor(who), "rita")) {
				if ids = append(ids, s.ID); !s.Cookie.IsZero() {
					t.Error("a cookie is shown")
				}
			}
			return ids
		}
		for _, who := range []string{"rita", "ann", "lena"} {
			if got := ids(who); !slices.Equal(got, []string{third.ID, second.ID, first.ID}) {
				t.Errorf("%s sees %v", who, got)
			}
		}
		if err := b.RevokeSession(b.ctx, b.actor("rita"), first.ID); err != nil {
			t.Fatal(err)
		}
		b.wantAudit("rita session acme/rita revoked session=>" + first.ID)
		if err := b.RevokeSession(b.ctx, b.actor("ann"), second.ID); err != nil {
			t.Fatal(err)
		}
		b.wantAudit("ann session acme/rita revoked session=>" + second.ID)
		wantError(t, b.RevokeSession(b.ctx, b.actor("ann"), second.ID), control.ErrNotFound)
		if b.works(first) || b.works(second) || !b.works(third) {
			t.Error("want two sessions revoked, and the third not")
		}
		b.signIn("rita")
		if n := must[int](t)(b.RevokeSessions(b.ctx, third.Actor, "rita", third.ID)); n != 1 || !b.works(third) {
			t.Errorf("%d others revoked; want 1, and the own one kept", n)
		}
		if n := must[int](t)(b.RevokeSessions(b.ctx, b.lena, "rita", "")); n != 1 || b.works(third) {
			t.Errorf("%d revoked; want 1", n)
		}
	})
}

func TestSessionsEndWithWhatTheyWereGivenFor(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		staffed(t, b)
		doc := account.Document{Name: "rita", Role: control.RoleReader, Tenant: "acme"}
		for what, change := range map[string]func(){
			"role":   func() { doc.Role = control.RoleTenantAdmin },
			"tenant": func() { doc.Tenant = map[string]string{"acme": "rival", "rival": "acme"}[doc.Tenant] },
			"disabled, and enabled again": func() {
				doc.Disabled = true
				must[account.Account](t)(b.PutAccount(b.ctx, b.lena, doc, 0))
				doc.Disabled = false
			},
		} {
			s := b.signIn("rita")
			change()
			must[account.Account](t)(b.PutAccount(b.ctx, b.lena, doc, 0))
			if b.works(s) {
				t.Errorf("%s: the session goes on", what)
			}
		}
		s := b.signIn("rita")
		doc.DisplayName = "Rita"
		must[account.Account](t)(b.PutAccount(b.ctx, b.lena, doc, 0))
		if !b.works(s) {
			t.Error("a new display name ended the session")
		}
		if err := b.DeleteAccount(b.ctx, b.lena, "rita", 0); err != nil {
			t.Fatal(err)
		}
		if b.works(s) {
			t.Error("the session of a deleted account goes on")
		}
	})
}

func TestPurgeDeletesWhatIsOver(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		staffed(t, b)
		b.token(b.lena, "old", control.RoleReader, "")
		must[account.Link](t)(b.ResetLink(b.ctx, b.lena, "ann"))
		b.fail("ann", office)
		if n := must[int64](t)(b.Purge(b.ctx)); n != 0 {
			t.Errorf("%d rows of today are gone", n)
		}
		b.now = b.now.Add(account.SessionIdle)
		if n := must[int64](t)(b.Purge(b.ctx)); n != 7 { // 4 sessions, the failures of ann, of the address, and of ann there
			t.Errorf("%d rows are gone; want 7", n)
		}
		if n := len(must[[]account.Token](t)(b.Tokens(b.ctx, b.lena, "lena"))); n != 1 {
			t.Error("an API token is gone")
		}
		b.now = b.now.Add(account.TokenLifetime + 31*24*time.Hour)
		must[int64](t)(b.Purge(b.ctx))
		for _, table := range []string{"account_sessions", "account_tokens", "account_links", "account_failures"} {
			if n := column(t, b, `SELECT CAST(count(*) AS TEXT) FROM `+table); n != "0" {
				t.Errorf("%s has %s rows a year later", table, n)
			}
		}
		if n := len(must[[]account.Account](t)(b.Accounts(b.ctx, b.lena))); n != 4 {
			t.Errorf("%d accounts are left; want 4", n)
		}
	})
}
