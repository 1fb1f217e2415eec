package account_test

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/mailyard/mailyard/pkg/account"
	"github.com/mailyard/mailyard/pkg/config"
	"github.com/mailyard/mailyard/pkg/control"
)

func TestEverybodySeesTheAccountsTheyManageAndTheirOwn(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		staffed(t, b)
		b.person("olga", control.RoleReader, "") // reads all tenants
		for who, want := range map[string]string{"lena": "ann lena olga rita rob", "ann": "ann rita", "rita": "rita", "rob": "rob", "olga": "olga"} {
			var names []string
			for _, a := range must[[]account.Account](t)(b.Accounts(b.ctx, b.actor(who))) {
				names = append(names, a.Name)
			}
			if got := strings.Join(names, " "); got != want {
				t.Errorf("%s sees %s; want %s", who, got, want)
			}
		}
	})
}

// The other tenant's people answer as people who do not exist.
func TestOtherTenantsPeopleDoNotExist(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		staffed(t, b)
		robs := b.signIn("rob")
		_, robsToken, err := b.CreateToken(b.ctx, robs.Actor, account.TokenSpec{Name: "ci", Role: control.RoleReader, Tenant: "rival", Expires: b.now.Add(account.TokenLifetime)})
		if err != nil {
			t.Fatal(err)
		}
		ghost := strings.Repeat("a", 16)
		for _, who := range []string{"ann", "rita"} {
			actor := b.actor(who)
			for what, op := range map[string]func(name string) error{
				"Account":        func(n string) error { _, err := b.Account(b.ctx, actor, n); return err },
				"DisableAccount": func(n string) error { _, err := b.DisableAccount(b.ctx, actor, n, true); return err },
				"DeleteAccount":  func(n string) error { return b.DeleteAccount(b.ctx, actor, n, 0) },
				"stale delete":   func(n string) error { return b.DeleteAccount(b.ctx, actor, n, 99) },
				"ResetLink":      func(n string) error { _, err := b.ResetLink(b.ctx, actor, n); return err },
				"Sessions":       func(n string) error { _, err := b.Sessions(b.ctx, actor, n); return err },
				"RevokeSessions": func(n string) error { _, err := b.RevokeSessions(b.ctx, actor, n, ""); return err },
				"Tokens":         func(n string) error { _, err := b.Tokens(b.ctx, actor, n); return err },
				"RevokeSession": func(n string) error {
					return b.RevokeSession(b.ctx, actor, map[string]string{"rob": robs.ID}[n]+strings.Repeat(ghost, btoi(n != "rob")))
				},
				"RevokeToken": func(n string) error {
					return b.RevokeToken(b.ctx, actor, map[string]string{"rob": robsToken.ID}[n]+strings.Repeat(ghost, btoi(n != "rob")))
				},
			} {
				nobody := op("nob")
				wantError(t, nobody, control.ErrNotFound)
				for _, name := range []string{"rob", "lena"} {
					if name == "lena" && strings.HasPrefix(what, "Revoke") && what != "RevokeSessions" {
						continue
					}
					err := op(name)
					wantError(t, err, control.ErrNotFound)
					hide := strings.NewReplacer(name, "…", "nob", "…", robs.ID, "…", robsToken.ID, "…", ghost, "…")
					if hide.Replace(err.Error()) != hide.Replace(nobody.Error()) {
						t.Errorf("%s by %s tells them apart:\n%v\n%v", what, who, err, nobody)
					}
				}
			}
			for _, actorsOwn := range []string{"acme", "rival", "nowhere"} { // to give roles elsewhere is forbidden, whether it exists or not
				_, err := b.PutAccount(b.ctx, actor, account.Document{Name: "new", Role: control.RoleTenantAdmin, Tenant: actorsOwn}, 0)
				if (actorsOwn == "acme" && who == "ann") != (err == nil) || err != nil && !errors.Is(err, control.ErrForbidden) {
					t.Errorf("%s makes an account in %s: %v", who, actorsOwn, err)
				}
			}
		}
		for _, name := range []string{"rob", "LENA"} {
			_, err := b.PutAccount(b.ctx, b.actor("ann"), account.Document{Name: name, Role: control.RoleReader, Tenant: "acme"}, 0)
			if err == nil || err.Error() != "saving account "+name+": name: is in use" {
				t.Errorf("taking over %s: %v", name, err)
			}
			_, err = b.PutAccount(b.ctx, b.actor("ann"), account.Document{Name: name, Role: control.RoleReader, Tenant: "acme"}, 1)
			_, nobody := b.PutAccount(b.ctx, b.actor("ann"), account.Document{Name: "nob", Role: control.RoleReader, Tenant: "acme"}, 1)
			if err == nil || strings.Replace(err.Error(), name, "nob", 1) != nobody.Error() {
				t.Errorf("changing %s: %v; nobody: %v", name, err, nobody)
			}
		}
		if !b.works(robs) {
			t.Error("rob's session ended")
		}
	})
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

func TestReaderManagesNobody(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		staffed(t, b)
		rita := b.actor("rita")
		for what, err := range map[string]error{
			"put":     second(b.PutAccount(b.ctx, rita, account.Document{Name: "rita", Role: control.RoleReader, Tenant: "acme", DisplayName: "R"}, 0)),
			"disable": second(b.DisableAccount(b.ctx, rita, "rita", true)),
			"delete":  b.DeleteAccount(b.ctx, rita, "rita", 0),
			"link":    second(b.ResetLink(b.ctx, rita, "rita")),
		} {
			if !errors.Is(err, control.ErrForbidden) {
				t.Errorf("%s: %v; want it forbidden", what, err)
			}
		}
		if a := must[account.Account](t)(b.Account(b.ctx, rita, "rita")); a.Name != "rita" {
			t.Errorf("own account: %+v", a)
		}
		if _, err := b.PutAccount(b.ctx, control.Actor{Role: control.RoleLandlord}, account.Document{Name: "x", Role: control.RoleReader}, 0); !errors.Is(err, control.ErrForbidden) {
			t.Errorf("an actor without a name: %v", err)
		}
	})
}

func second[T any](_ T, err error) error { return err }

func TestTenantAdministratorGivesOnlyRolesOfTheTenant(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		staffed(t, b)
		for _, doc := range []account.Document{{Role: control.RoleLandlord}, {Role: control.RoleReader}, {Role: control.RoleReader, Tenant: "rival"}} {
			for _, doc.Name = range []string{"new", "rita", "ann"} {
				if _, err := b.PutAccount(b.ctx, b.actor("ann"), doc, 0); !errors.Is(err, control.ErrForbidden) {
					t.Errorf("%+v: %v; want it forbidden", doc, err)
				}
			}
		}
		a := must[account.Account](t)(b.PutAccount(b.ctx, b.actor("ann"), account.Document{Name: "rita", Role: control.RoleTenantAdmin, Tenant: "acme"}, 0))
		if a.Role != control.RoleTenantAdmin {
			t.Errorf("rita is %s", a.Role)
		}
		b.wantAudit("ann account acme/rita updated role=reader>tenant-admin")
	})
}

func TestStaleChangeIsRefused(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		staffed(t, b)
		doc := account.Document{Name: "rita", Role: control.RoleReader, Tenant: "acme", DisplayName: "Rita"}
		first := must[account.Account](t)(b.Account(b.ctx, b.lena, "rita"))
		changed := must[account.Account](t)(b.PutAccount(b.ctx, b.lena, doc, first.Revision))
		entries := len(b.audit())
		same := must[account.Account](t)(b.PutAccount(b.ctx, b.lena, doc, changed.Revision))
		if same.Revision != changed.Revision || len(b.audit()) != entries {
			t.Error("a change of nothing left a trace")
		}
		doc.DisplayName = "Margarita"
		_, err := b.PutAccount(b.ctx, b.lena, doc, first.Revision)
		wantError(t, err, control.ErrStale)
		_, err = b.PutAccount(b.ctx, b.lena, doc, control.IfNew)
		wantError(t, err, control.ErrExists)
		wantError(t, b.DeleteAccount(b.ctx, b.lena, "rita", first.Revision), control.ErrStale)
		if err := b.DeleteAccount(b.ctx, b.lena, "RITA", changed.Revision); err != nil {
			t.Error(err)
		}
		b.wantAudit("lena account acme/rita deleted", "lena account acme/rita updated display_name=>Rita")
		_, err = b.PutAccount(b.ctx, b.lena, doc, changed.Revision)
		wantError(t, err, control.ErrStale)
	})
}

func TestBadValuesAreAllNamed(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		staffed(t, b)
		for _, tc := range []struct{ name, problem string }{
			{"", "is required"},
			{strings.Repeat("é", 255), "at most 254"},
			{"le na", "letters, digits"}, {" lena", "letters, digits"}, {".lena", "letters, digits"}, {"lena\x00", "letters, digits"}, {"lena\r\nBcc: x", "letters, digits"},
			{"<script>", "letters, digits"}, {"lena\u200b", "letters, digits"}, {"\u202eanel", "letters, digits"}, {"a\U0001F600", "letters, digits"},
			{"\xff\xfe", "not UTF-8"}, {"ｌｅｎａ", "look like others"}, {"e\u0301va", "look like others"}, {"a\ufe0f", "look like others"},
			{"Unknown", "reserved"}, {"Operator", "reserved"}, {"console", "reserved"}, {"CLI", "reserved"}, {"events", "reserved"}, {"setup", "reserved"}, {"demo", "reserved"}, {"host", "reserved"},
			{"anonymous", "reserved"}, {"restore", "reserved"}, {"External-0123456789abcdef", "identity provider's people"},
		} {
			_, err := b.PutAccount(b.ctx, b.lena, account.Document{Name: tc.name, Role: control.RoleReader}, 0)
			wantProblem(t, err, "name", tc.problem)
		}
		_, err := b.PutAccount(b.ctx, b.lena, account.Document{Name: "", DisplayName: "a\u202eb", Role: "root", Tenant: "A"}, 0)
		var problems config.Problems
		if !errors.As(err, &problems) || len(problems) != 3 {
			t.Errorf("%v; want 3 problems", err)
		}
		for _, tc := range []struct {
			doc           account.Document
			path, problem string
		}{
			{account.Document{Role: control.RoleLandlord, Tenant: "acme"}, "tenant", "must be empty"},
			{account.Document{Role: control.RoleTenantAdmin}, "tenant", "is required"},
			{account.Document{Role: control.RoleTenantAdmin, Tenant: "nowhere"}, "tenant", "there is no tenant nowhere"},
			{account.Document{Role: control.RoleReader, Tenant: "../acme"}, "tenant", "is not an id"},
			{account.Document{Role: control.RoleReader, DisplayName: strings.Repeat("x", 201)}, "display_name", "at most 200"},
			{account.Document{Role: control.RoleReader, DisplayName: "a\x00"}, "display_name", "control character"},
			{account.Document{Role: control.RoleReader, DisplayName: " a"}, "display_name", "a space"},
			{account.Document{Role: control.RoleReader, DisplayName: "\xff"}, "display_name", "not UTF-8"},
		} {
			tc.doc.Name = "new"
			_, err := b.PutAccount(b.ctx, b.lena, tc.doc, 0)
			wantProblem(t, err, tc.path, tc.problem)
		}
		for _, odd := range []string{"", "a\x00", "\xff", strings.Repeat("x", 1<<16), "'; DROP TABLE accounts; --"} {
			_, err := b.Account(b.ctx, b.lena, odd)
			wantError(t, err, control.ErrNotFound)
			wantError(t, b.RevokeSession(b.ctx, b.lena, odd), control.ErrNotFound)
			wantError(t, b.RevokeToken(b.ctx, b.lena, odd), control.ErrNotFound)
		}
		for _, good := range []string{"jürgen", "o'brien@example.com", "иван", "田中", "a", "7of9"} {
			must[account.Account](t)(b.PutAccount(b.ctx, b.lena, account.Document{Name: good, Role: control.RoleReader}, control.IfNew))
			if _, err := b.PutAccount(b.ctx, b.lena, account.Document{Name: strings.ToUpper(good), Role: control.RoleReader}, control.IfNew); !errors.Is(err, control.ErrExists) {
				t.Errorf("%s in capitals: %v; want it to exist", good, err)
			}
		}
	})
}

func TestLastLandlordStays(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		staffed(t, b)
		attempts := map[string]func(name string) error{
			"disable": func(n string) error { return second(b.DisableAccount(b.ctx, b.lena, n, true)) },
			"demote": func(n string) error {
				return second(b.PutAccount(b.ctx, b.lena, account.Document{Name: n, Role: control.RoleReader}, 0))
			},
			"delete": func(n string) error { return b.DeleteAccount(b.ctx, b.lena, n, 0) },
		}
		check := func(when string) {
			t.Helper()
			for what, attempt := range attempts {
				if err := attempt("lena"); !errors.Is(err, account.ErrLastLandlord) {
					t.Errorf("%s, %s: %v", when, what, err)
				}
			}
		}
		check("alone")
		must[account.Account](t)(b.PutAccount(b.ctx, b.lena, account.Document{Name: "leo", Role: control.RoleLandlord}, 0))
		check("another one without a password")
		external := must[account.Session](t)(b.SignInExternal(b.ctx, jane(control.RoleLandlord, ""), office))
		check("another one of the identity provider")
		b.person("liv", control.RoleLandlord, "")
		must[account.Account](t)(b.DisableAccount(b.ctx, b.lena, "liv", true))
		check("another one that is disabled")
		must[account.Account](t)(b.DisableAccount(b.ctx, b.lena, "liv", false))
		if err := attempts["delete"](external.Account.Name); err != nil {
			t.Error(err)
		}
		if err := attempts["demote"]("lena"); err != nil {
			t.Errorf("with another one: %v", err)
		}
		b.lena = control.Actor{Name: "liv", Role: control.RoleLandlord}
		if err := attempts["delete"]("liv"); !errors.Is(err, account.ErrLastLandlord) {
			t.Errorf("then liv is the last one: %v", err)
		}
	})
}

func TestTwoLandlordsWhoDisableEachOtherAtOnce(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		staffed(t, b)
		b.person("liv", control.RoleLandlord, "")
		_, other := b.open(account.Options{Cost: cheap})
		liv := b.actor("liv")
		var wg sync.WaitGroup
		errs := make([]error, 2)
		wg.Go(func() { _, errs[0] = b.DisableAccount(b.ctx, b.lena, "liv", true) })
		wg.Go(func() { _, errs[1] = other.DisableAccount(b.ctx, liv, "lena", true) })
		wg.Wait()
		if n := slices.IndexFunc(errs, func(err error) bool { return errors.Is(err, account.ErrLastLandlord) }); n < 0 || errs[1-n] != nil {
			t.Errorf("%v; want one to succeed, the other to be refused", errs)
		}
	})
}

func TestDeletedTenantTakesItsPeopleAlong(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		staffed(t, b)
		ann, lena := b.signIn("ann"), b.signIn("lena")
		token := b.token(ann.Actor, "ci", control.RoleReader, "acme")
		scoped := b.token(lena.Actor, "acme-ci", control.RoleTenantAdmin, "acme")
		if err := b.db.DeleteTenant(b.ctx, b.lena, "acme", 0, true); err != nil {
			t.Fatal(err)
		}
		if b.works(ann) || !b.works(lena) {
			t.Error("want ann's session ended, lena's not")
		}
		for _, bearer := range []string{token, scoped} {
			_, err := b.Token(b.ctx, bearer, office)
			wantError(t, err, account.ErrToken)
		}
		_, err := b.SignIn(b.ctx, "ann", password, office)
		wantError(t, err, account.ErrCredentials)
		if n := len(must[[]account.Account](t)(b.Accounts(b.ctx, b.lena))); n != 2 {
			t.Errorf("%d accounts are left; want lena and rob", n)
		}
	})
}

func TestNeitherTenantLearnsOfTheOtherWhenAnAccountMoves(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		staffed(t, b)
		must[account.Account](t)(b.PutAccount(b.ctx, b.lena, account.Document{Name: "rita", Role: control.RoleReader, Tenant: "rival"}, 0))
		for tenant, other := range map[string]string{"acme": "rival", "rival": "acme"} {
			for _, e := range must[[]control.AuditEntry](t)(b.db.Audit(b.ctx, control.Actor{Name: "x", Role: control.RoleReader, Tenant: tenant}, control.AuditQuery{Tenant: tenant, Kind: account.KindAccount})) {
				for _, f := range e.Fields {
					if strings.Contains(string(f.Before)+string(f.After), other) {
						t.Errorf("%s reads of %s: %+v", tenant, other, f)
					}
				}
			}
		}
		b.wantAudit("lena account rival/rita updated tenant=>rival", "lena account acme/rita updated tenant=acme>")
	})
}
