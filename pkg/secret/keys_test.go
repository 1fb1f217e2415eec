package secret_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mailyard/mailyard/pkg/secret"
)

func newMaster(t *testing.T) *secret.MasterKey {
	t.Helper()
	m, err := secret.GenerateMasterKey()
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func newTenantKey(t *testing.T, m *secret.MasterKey, tenant string) (wrapped []byte, key *secret.TenantKey) {
	t.Helper()
	wrapped, err := m.NewTenantKey(tenant)
	if err != nil {
		t.Fatal(err)
	}
	return wrapped, unwrap(t, m, tenant, wrapped)
}

func unwrap(t *testing.T, m *secret.MasterKey, tenant string, wrapped []byte) *secret.TenantKey {
	t.Helper()
	k, err := m.TenantKey(tenant, wrapped)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func seal(t *testing.T, k *secret.TenantKey, tenant, mailbox string) []byte {
	t.Helper()
	c, err := k.Seal(tenant, mailbox, secret.NewString(password))
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(c, []byte(password)) {
		t.Fatal("the ciphertext holds the password")
	}
	return c
}

func TestPasswordSurvivesAMasterKeyFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "master.key")
	m := newMaster(t)
	if err := m.Save(path); err != nil {
		t.Fatal(err)
	}
	wrapped, key := newTenantKey(t, m, "acme")
	ciphertext := seal(t, key, "acme", "support")

	loaded, err := secret.LoadMasterKey(path)
	if err != nil {
		t.Fatal(err)
	}
	again := unwrap(t, loaded, "acme", wrapped)
	got, err := again.Open("acme", "support", ciphertext)
	if err != nil || got.Reveal() != password {
		t.Fatalf("Open = %q, %v", got.Reveal(), err)
	}
	if again.ID() != key.ID() || len(key.ID()) != 8 {
		t.Errorf("ids %q and %q; want the same 8 hex digits", key.ID(), again.ID())
	}
	if err := m.Save(path); !errors.Is(err, os.ErrExist) {
		t.Errorf("a second Save gave %v; the file must not be overwritten", err)
	}
}

func TestMasterKeyFileThatOthersCanReadIsRefused(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "master.key")
	if err := newMaster(t).Save(path); err != nil {
		t.Fatal(err)
	}
	for _, mode := range []os.FileMode{0o644, 0o640, 0o604, 0o620} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		_, err := secret.LoadMasterKey(path)
		if err == nil || !strings.Contains(err.Error(), "chmod 600 "+path) {
			t.Errorf("mode %04o: %v; want how to mend it", mode, err)
		}
	}
}

func TestGarbageIsNoMasterKey(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "master.key")
	if err := os.WriteFile(path, []byte(`{"password":"`+password+`"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := secret.LoadMasterKey(path)
	if err == nil || !strings.Contains(err.Error(), path) || strings.Contains(err.Error(), password) {
		t.Errorf("loading garbage: %v; want an error that names the file and quotes nothing", err)
	}
	if _, err := secret.LoadMasterKey(path + ".missing"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("loading a missing file: %v", err)
	}
}

func TestCiphertextOpensOnlyWhereItBelongs(t *testing.T) {
	t.Parallel()
	m := newMaster(t)
	wrapped, acme := newTenantKey(t, m, "acme")
	_, other := newTenantKey(t, m, "other")
	ciphertext := seal(t, acme, "acme", "support")
	altered := bytes.Clone(ciphertext)
	altered[len(altered)-1] ^= 1

	for name, open := range map[string]func() (secret.String, error){
		"another mailbox": func() (secret.String, error) { return acme.Open("acme", "sales", ciphertext) },
		"another tenant":  func() (secret.String, error) { return acme.Open("other", "support", ciphertext) },
		"another key":     func() (secret.String, error) { return other.Open("other", "support", ciphertext) },
		"altered":         func() (secret.String, error) { return acme.Open("acme", "support", altered) },
		"cut off":         func() (secret.String, error) { return acme.Open("acme", "support", ciphertext[:4]) },
		"empty":           func() (secret.String, error) { return acme.Open("acme", "support", nil) },
	} {
		got, err := open()
		if !errors.Is(err, secret.ErrUndecryptable) || !got.IsZero() {
			t.Errorf("%s: %v, %v; want ErrUndecryptable", name, got, err)
		}
	}
	_, err := acme.Open("acme", "sales", ciphertext)
	if err == nil || !strings.Contains(err.Error(), "acme/sales") {
		t.Errorf("%v; want an error that names acme/sales", err)
	}

	if _, err := m.TenantKey("other", wrapped); !errors.Is(err, secret.ErrUndecryptable) || !strings.Contains(err.Error(), "tenant other") {
		t.Errorf("a wrapped key of acme was taken for one of other: %v", err)
	}
	if _, err := newMaster(t).TenantKey("acme", wrapped); !errors.Is(err, secret.ErrUndecryptable) {
		t.Errorf("another master key unwrapped it: %v", err)
	}
	if _, err := acme.Seal("other", "support", secret.NewString(password)); err == nil {
		t.Error("acme's key sealed a password of other")
	}
}

func TestRotationReadsBothVersions(t *testing.T) {
	t.Parallel()
	m := newMaster(t)
	first, before := newTenantKey(t, m, "acme")
	old := seal(t, before, "acme", "support")

	second, err := m.RotateTenantKey("acme", first)
	if err != nil {
		t.Fatal(err)
	}
	after := unwrap(t, m, "acme", second)
	if after.ID() == before.ID() {
		t.Error("rotation kept the id")
	}
	if got, err := after.Open("acme", "support", old); err != nil || got.Reveal() != password {
		t.Errorf("the rotated key does not open what the old one sealed: %v", err)
	}
	fresh := seal(t, after, "acme", "support")
	if _, err := before.Open("acme", "support", fresh); !errors.Is(err, secret.ErrUndecryptable) {
		t.Errorf("the old version opens what the new one sealed: %v", err)
	}

	third, err := m.RetireTenantKeys("acme", second)
	if err != nil {
		t.Fatal(err)
	}
	last := unwrap(t, m, "acme", third)
	if got, err := last.Open("acme", "support", fresh); err != nil || got.Reveal() != password || last.ID() != after.ID() {
		t.Errorf("without the old version, key %s opens what %s sealed: %v", last.ID(), after.ID(), err)
	}
	if _, err := last.Open("acme", "support", old); !errors.Is(err, secret.ErrUndecryptable) {
		t.Error("the old version was not destroyed")
	}
	if _, err := m.RetireTenantKeys("other", second); !errors.Is(err, secret.ErrUndecryptable) {
		t.Errorf("retiring the versions of another tenant's key: %v", err)
	}
}

func TestPrefixTellsWhichVersionSealed(t *testing.T) {
	t.Parallel()
	m := newMaster(t)
	wrapped, k := newTenantKey(t, m, "acme")
	imported, err := m.ImportTenantKey("acme", secret.NewString("MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="))
	if err != nil {
		t.Fatal(err)
	}
	rotated, err := m.RotateTenantKey("acme", wrapped)
	if err != nil {
		t.Fatal(err)
	}
	keys := []*secret.TenantKey{k, unwrap(t, m, "acme", imported), unwrap(t, m, "acme", rotated)}
	for i, a := range keys {
		prefix, err := secret.Prefix(a.ID())
		if err != nil || len(prefix) != 5 {
			t.Fatalf("the prefix of %s is %x: %v", a.ID(), prefix, err)
		}
		for j, b := range keys {
			if got := bytes.HasPrefix(seal(t, b, "acme", "support"), prefix); got != (i == j) {
				t.Errorf("what key %s sealed has the prefix of %s: %v", b.ID(), a.ID(), got)
			}
		}
	}
	for _, bad := range []string{"", "1", "zzzzzzzz", "0102030405"} {
		if _, err := secret.Prefix(bad); err == nil {
			t.Errorf("%q has a prefix", bad)
		}
	}
}

func TestSuppliedKey(t *testing.T) {
	t.Parallel()
	m := newMaster(t)
	wrapped, err := m.ImportTenantKey("acme", secret.NewString("MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=\n"))
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(wrapped, []byte("01234567890123456789")) {
		t.Error("the wrapped key shows the key")
	}
	k := unwrap(t, m, "acme", wrapped)
	if got, err := k.Open("acme", "support", seal(t, k, "acme", "support")); err != nil || got.Reveal() != password {
		t.Errorf("Open = %v", err)
	}
	if _, err := m.RotateTenantKey("acme", wrapped); err != nil {
		t.Errorf("rotating a supplied key: %v", err)
	}
	for _, bad := range []string{"", "short", "MDEyMzQ1", "%%%%", password} {
		_, err := m.ImportTenantKey("acme", secret.NewString(bad))
		if err == nil || !strings.Contains(err.Error(), "openssl rand -base64 32") || bad != "" && strings.Contains(err.Error(), bad) {
			t.Errorf("%q: %v; want how to make a key, without the input", bad, err)
		}
	}
}
