package oidc_test

import (
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/mailyard/mailyard/pkg/account"
	"github.com/mailyard/mailyard/pkg/account/oidc/oidctest"
	"github.com/mailyard/mailyard/pkg/config"
	"github.com/mailyard/mailyard/pkg/control"
)

func TestSignInEndsInASessionThatCanBeRevoked(t *testing.T) {
	t.Parallel()
	db, err := control.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "control.db"), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	store := account.New(db, account.Options{})
	landlord := control.Actor{Name: "lena", Role: control.RoleLandlord}
	c := oidctest.New(t, time.Now)
	p := c.Provider()
	signIn := func() (account.Session, error) {
		cookie, answer := c.Begin(p)
		id, err := p.Finish(t.Context(), cookie, answer)
		if err != nil {
			t.Fatal(err)
		}
		return store.SignInExternal(t.Context(), id, "192.0.2.7")
	}
	if _, err := signIn(); !errors.Is(err, account.ErrRefused) {
		t.Errorf("tenant acme is not there yet: %v", err)
	}
	tenant := config.DefaultTenant()
	tenant.ID, tenant.Name = "acme", "Acme"
	if _, err := db.PutTenant(t.Context(), landlord, tenant, 0); err != nil {
		t.Fatal(err)
	}
	s, err := signIn()
	if err != nil {
		t.Fatal(err)
	}
	got, err := store.Session(t.Context(), s.Cookie.Reveal())
	if want := (control.Actor{Name: "jane", Role: control.RoleTenantAdmin, Tenant: "acme", From: "192.0.2.7"}); err != nil || got.Actor != want {
		t.Errorf("%+v, %v; want %+v", got.Actor, err, want)
	}
	if err := store.RevokeSession(t.Context(), landlord, s.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Session(t.Context(), s.Cookie.Reveal()); !errors.Is(err, account.ErrSignedOut) {
		t.Errorf("revoked: %v", err)
	}
}
