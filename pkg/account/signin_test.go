package account_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mailyard/mailyard/pkg/account"
	"github.com/mailyard/mailyard/pkg/control"
	"github.com/mailyard/mailyard/pkg/secret"
)

var wrong = secret.NewString("hunter2 hunter2 hunter2")

func TestSignInWhateverTheCaseOfTheName(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		staffed(t, b)
		s := must[account.Session](t)(b.SignIn(b.ctx, "ANN", password, "198.51.100.1"))
		want := control.Actor{Name: "ann", Role: control.RoleTenantAdmin, Tenant: "acme", From: "198.51.100.1"}
		if s.Actor != want {
			t.Errorf("signed in as %+v; want %+v", s.Actor, want)
		}
		found := must[account.Session](t)(b.Session(b.ctx, s.Cookie.Reveal()))
		if found.Actor != want || found.ID != s.ID || !found.Cookie.IsZero() {
			t.Errorf("the cookie is that of %+v", found)
		}
		b.wantAudit("ann session acme/ann signed-in session=>" + s.ID)
		if a := must[account.Account](t)(b.Account(b.ctx, b.lena, "ann")); !a.SignedInAt.Equal(b.now) {
			t.Errorf("last sign-in %v; want %v", a.SignedInAt, b.now)
		}
	})
}

func TestWrongUnknownDisabledAndInvitedHaveTheSameAnswer(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		staffed(t, b)
		must[account.Account](t)(b.DisableAccount(b.ctx, b.lena, "rita", true))
		must[account.Account](t)(b.PutAccount(b.ctx, b.lena, account.Document{Name: "ivan", Role: control.RoleReader}, 0))
		_, want := b.SignIn(b.ctx, "ann", wrong, office)
		wantError(t, want, account.ErrCredentials)
		b.wantAudit("anonymous session acme/ann sign-in-failed")
		_, err := b.SignIn(b.ctx, "rita", password, office)
		wantError(t, err, account.ErrCredentials)
		b.wantAudit("anonymous session acme/rita sign-in-failed")
		for _, c := range []struct {
			name     string
			password secret.String
		}{
			{"nobody", wrong}, {"rita", password}, {"ivan", secret.String{}}, {"ivan", password}, {"", wrong}, {"ann", secret.String{}},
			{"unknown", password}, {"a\x00b", password}, {"\xff", secret.NewString("\xff\x00")}, {strings.Repeat("x", 1<<20), secret.NewString(strings.Repeat("y", 1<<20))},
		} {
			_, err := b.SignIn(b.ctx, c.name, c.password, "2001:db8::1")
			if err == nil || err.Error() != want.Error() || !errors.Is(err, account.ErrCredentials) {
				t.Errorf("%.20q: %v; want %v", c.name, err, want)
			}
			b.now = b.now.Add(time.Minute)
		}
	})
}

func TestWhatWasTypedAsANameIsNotWrittenDown(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		staffed(t, b)
		_, err := b.SignIn(b.ctx, password.Reveal(), password, office)
		wantError(t, err, account.ErrCredentials)
		_, err = b.SignIn(b.ctx, "Tr0ub4dor", wrong, office)
		wantError(t, err, account.ErrCredentials)
		b.wantAudit("anonymous session /unknown sign-in-failed", "anonymous session /unknown sign-in-failed")
		for _, secret := range []string{password.Reveal(), "Tr0ub4dor", "hunter2"} {
			if strings.Contains(dump(t, b), secret) || strings.Contains(err.Error(), secret) {
				t.Errorf("%q stands in the database or in the error", secret)
			}
		}
	})
}

// fail lets an attempt fail and returns how long the next one is delayed.
func (b *bench) fail(name, from string) time.Duration {
	b.t.Helper()
	_, err := b.SignIn(b.ctx, name, wrong, from)
	var throttled *account.ThrottledError
	if errors.As(err, &throttled) {
		return throttled.After
	}
	wantError(b.t, err, account.ErrCredentials)
	return 0
}

func TestAccountIsDelayedLongerAndLongerAtAnAddressButNeverLocked(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		staffed(t, b)
		for _, name := range []string{"ann", "nobody-of-this-name"} { // the delay does not tell them apart
			for i := range 5 {
				if d := b.fail(name, "203.0.113.200"); d != 0 {
					t.Fatalf("%s: failure %d is delayed by %v", name, i+1, d)
				}
			}
			for _, want := range []time.Duration{10, 20, 40, 80, 160, 320, 640, 900, 900} {
				want *= time.Second
				if d := b.fail(name, "203.0.113.200"); d != want {
					t.Fatalf("%s: delayed by %v; want %v", name, d, want)
				}
				b.now = b.now.Add(want)
				if d := b.fail(name, "203.0.113.200"); d != 0 {
					t.Fatalf("%s: still delayed by %v after %v", name, d, want)
				}
			}
			b.now = b.now.Add(15 * time.Minute)
		}
		b.signIn("ann") // at last, and all is forgotten
		if d := b.fail("ann", "203.0.113.99"); d != 0 {
			t.Errorf("delayed by %v after a good sign-in", d)
		}
	})
}

func TestDelayedAttemptIsRefusedEvenWithThePassword(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		staffed(t, b)
		for range 5 {
			b.fail("ann", office)
		}
		_, err := b.SignIn(b.ctx, "ann", password, office)
		var throttled *account.ThrottledError
		if !errors.As(err, &throttled) || throttled.After != 10*time.Second || !strings.Contains(err.Error(), "try again in 10s") {
			t.Fatalf("%v; want a delay of 10 s", err)
		}
		b.wantAudit("anonymous session acme/ann sign-in-delayed", "anonymous session acme/ann sign-in-failed")
		before := len(b.audit())
		for range 20 { // the audit cannot be flooded
			if d := b.fail("ann", office); d == 0 {
				t.Fatal("not delayed")
			}
		}
		if n := len(b.audit()); n != before {
			t.Errorf("%d more entries for 20 refused attempts of the same minute", n-before)
		}
		b.now = b.now.Add(1500 * time.Millisecond)
		if d := b.fail("ann", office); d != 9*time.Second {
			t.Errorf("after 1.5 s: %v; want 9 s, whole seconds", d)
		}
		b.now = b.now.Add(8500 * time.Millisecond)
		b.signIn("ann")
	})
}

func TestAddressIsDelayedWhateverTheNames(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		staffed(t, b)
		for i := range 20 {
			if i%5 == 4 {
				b.signIn("rob") // does not help
			}
			if d := b.fail("guess"+string(rune('a'+i)), office); d != 0 {
				t.Fatalf("failure %d is delayed by %v", i+1, d)
			}
		}
		for _, from := range []string{office, office + ":4711", "::ffff:" + office} {
			if d := b.fail("ann", from); d != 10*time.Minute {
				t.Errorf("21st failure from %s: delayed by %v; want 10m", from, d)
			}
		}
		_, err := b.SignIn(b.ctx, "ann", password, office)
		var throttled *account.ThrottledError
		if !errors.As(err, &throttled) {
			t.Errorf("%v; want a delay", err)
		}
		must[account.Session](t)(b.SignIn(b.ctx, "ann", password, "192.0.2.8")) // others are not concerned
		b.now = b.now.Add(10 * time.Minute)
		b.signIn("ann")
	})
}

func TestStrangersWhoKeepFailingDoNotKeepPeopleOutAtHome(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		staffed(t, b)
		b.signIn("ann")
		for b.fail("ann", "203.0.113.200") == 0 {
		}
		b.signIn("ann")
		if d := b.fail("ann", "203.0.113.200"); d != 10*time.Second {
			t.Errorf("strangers are delayed by %v; want 10 s still", d)
		}
		for range 5 { // where ann is at home, failures count as everywhere
			if d := b.fail("ann", office); d != 0 {
				t.Errorf("delayed by %v", d)
			}
		}
		if d := b.fail("ann", office); d != 10*time.Second {
			t.Errorf("delayed by %v; want 10 s", d)
		}
		b.now = b.now.Add(10 * time.Second)
		b.signIn("ann")
		b.now = b.now.Add(30 * 24 * time.Hour)
		for i := range 20 {
			b.fail("guess"+string(rune('a'+i)), office)
		}
		if d := b.fail("ann", office); d != 10*time.Minute {
			t.Errorf("a month later, delayed by %v; want 10m as everywhere", d)
		}
	})
}

// Whoever knows just the name of the landlord keeps nobody out, wherever the
// landlord comes from. Only many addresses together do, and not from home.
func TestStrangersWhoKeepFailingDoNotKeepPeopleOutElsewhere(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		staffed(t, b)
		b.signIn("lena")
		for day := range 3 { // as often as it is let, for hours
			for range 4 {
				for b.fail("lena", "203.0.113.200") == 0 {
				}
				b.now = b.now.Add(15 * time.Minute)
			}
			for b.fail("lena", "203.0.113.200") == 0 {
			}
			elsewhere := fmt.Sprint("198.51.100.", day)
			if _, err := b.SignIn(b.ctx, "lena", password, elsewhere); err != nil {
				t.Errorf("the landlord from elsewhere: %v", err)
			}
		}
		b.now = b.now.Add(24 * time.Hour)
		for i := range 100 {
			if d := b.fail("lena", fmt.Sprint("192.0.2.", 100+i/5)); d != 0 {
				t.Fatalf("failure %d from many addresses is delayed by %v", i+1, d)
			}
		}
		if d := b.fail("lena", "192.0.2.200"); d != time.Hour {
			t.Errorf("after 100 failures one from a new address is delayed by %v; want 1h", d)
		}
		b.signIn("lena")
		b.now = b.now.Add(time.Hour)
		must[account.Session](t)(b.SignIn(b.ctx, "lena", password, "192.0.2.201"))
	})
}

func TestNetworkOfOneIPv6CustomerIsOneAddress(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		staffed(t, b)
		for i := range 20 {
			b.fail("guess"+string(rune('a'+i)), "2001:db8:1:2::"+string(rune('a'+i%6)))
		}
		if d := b.fail("ann", "2001:db8:1:2:ffff::1"); d == 0 {
			t.Error("another address of the /64 is not delayed")
		}
		if d := b.fail("ann", "2001:db8:1:3::1"); d != 0 {
			t.Error("another /64 is delayed")
		}
	})
}

// Behind one address of an office, somebody who guesses must not lock out those
// who work there.
func TestWhoIsAtHomeIsNotDelayedForTheAddress(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		staffed(t, b)
		b.signIn("ann")
		for i := range 20 {
			b.fail("guess"+string(rune('a'+i)), office)
		}
		if d := b.fail("rita", office); d == 0 {
			t.Error("who never signed in here is not delayed")
		}
		b.signIn("ann")
		for range 5 {
			if d := b.fail("ann", office); d != 0 {
				t.Errorf("the first failures are delayed by %v", d)
			}
		}
		if d := b.fail("ann", office); d != 10*time.Second {
			t.Errorf("guessing who is at home here is delayed by %v; want 10 s", d)
		}
	})
}

func TestAttemptsAtOnceOnSeveralReplicasAreNotMoreThanOneAfterTheOther(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		staffed(t, b)
		_, other := b.open(account.Options{Cost: cheap})
		var looked atomic.Int32
		var wg sync.WaitGroup
		for i := range 24 {
			wg.Go(func() {
				s := []*account.Store{b.Store, other}[i%2]
				_, err := s.SignIn(b.ctx, "ann", wrong, "2001:db8::"+string(rune('a'+i%6)))
				if errors.Is(err, account.ErrCredentials) {
					looked.Add(1)
				} else if throttled := (*account.ThrottledError)(nil); !errors.As(err, &throttled) {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if n := looked.Load(); n != 5 {
			t.Errorf("the password was looked at %d times; want 5", n)
		}
	})
}

func TestPasswordIsHashedAgainWhenTheCostChanges(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		staffed(t, b)
		_, dearer := b.open(account.Options{Cost: account.Cost{Memory: 16, Passes: 2, Threads: 1}})
		must[account.Session](t)(dearer.SignIn(b.ctx, "ann", password, office))
		if stored := column(t, b, `SELECT password FROM accounts WHERE name_key = 'ann'`); !strings.HasPrefix(stored, "$argon2id$v=19$m=16,t=2,p=1$") {
			t.Errorf("stored %s", stored)
		}
		b.signIn("ann")
	})
}

func TestPasswordsAreComparedInOneUnicodeForm(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		staffed(t, b)
		must[account.Session](t)(b.SetPassword(b.ctx, b.actor("ann"), password, secret.NewString("cafe\u0301 au lait \U0001F600 !")))
		must[account.Session](t)(b.SignIn(b.ctx, "ann", secret.NewString("caf\u00e9 au lait \U0001F600 !"), office))
	})
}

// dump returns all that the package has stored, and the audit.
func dump(t *testing.T, b *bench) string {
	t.Helper()
	var all strings.Builder
	err := b.db.View(b.ctx, func(tx *control.Tx) error {
		for table, columns := range map[string]int{"accounts": 13, "account_sessions": 7, "account_tokens": 10, "account_links": 5, "account_failures": 5, "audit": 11} {
			err := tx.Each(b.ctx, func(scan func(...any) error) error {
				row := make([]any, columns)
				into := make([]any, columns)
				for i := range row {
					into[i] = &row[i]
				}
				if err := scan(into...); err != nil {
					return err
				}
				for _, v := range row {
					switch v := v.(type) {
					case string:
						all.WriteString(v)
					case []byte:
						all.Write(v)
					}
					all.WriteByte('\n')
				}
				return nil
			}, `SELECT * FROM `+table)
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all.String()
}

func column(t *testing.T, b *bench, query string) (s string) {
	t.Helper()
	err := b.db.View(b.ctx, func(tx *control.Tx) error { return tx.Row(b.ctx, query, nil, &s) })
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Whichever comes first, nobody is left signed in with what does not hold any more.
func TestSignInWhileTheAccountChanges(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		staffed(t, b)
		_, slow := b.open(account.Options{Cost: account.Cost{Memory: 16 << 10, Passes: 3, Threads: 1}})
		for what, change := range map[string]func(name string){
			"ann": func(name string) { must[account.Account](t)(b.DisableAccount(b.ctx, b.lena, name, true)) },
			"rita": func(name string) {
				link := must[account.Link](t)(b.ResetLink(b.ctx, b.lena, name))
				must[account.Session](t)(b.CompleteReset(b.ctx, link.Token.Reveal(), wrong, office))
			},
			"rob": func(name string) {
				if err := b.DeleteAccount(b.ctx, b.lena, name, 0); err != nil {
					t.Error(err)
				}
			},
		} {
			// The password that is looked at is hashed at a cost that takes a while.
			link := must[account.Link](t)(slow.ResetLink(b.ctx, b.lena, what))
			must[account.Session](t)(slow.CompleteReset(b.ctx, link.Token.Reveal(), password, office))
			before := column(t, b, `SELECT CAST(coalesce(sum(failures), 0) AS TEXT) FROM account_failures`)
			type outcome struct {
				session account.Session
				err     error
			}
			done := make(chan outcome, 1)
			go func() {
				s, err := slow.SignIn(b.ctx, what, password, office)
				done <- outcome{s, err}
			}()
			// Until the attempt is counted: now the password is looked at. On a busy
			// machine that may be over before anybody looks, and the count is back.
			for len(done) == 0 && column(t, b, `SELECT CAST(coalesce(sum(failures), 0) AS TEXT) FROM account_failures`) == before {
			}
			change(what)
			o := <-done
			if o.err != nil && !errors.Is(o.err, account.ErrCredentials) || o.err == nil && b.works(o.session) {
				t.Errorf("%s: %v, and the session goes on", what, o.err)
			}
		}
	})
}
