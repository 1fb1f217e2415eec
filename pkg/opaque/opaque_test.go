package opaque_test

import (
	"math"
	"regexp"
	"strings"
	"testing"

	"github.com/mailyard/mailyard/pkg/opaque"
)

func key(t testing.TB, fill string) opaque.Key {
	t.Helper()
	k, err := opaque.NewKey([]byte(strings.Repeat(fill, opaque.KeySize)))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestTokensGoThereAndBack(t *testing.T) {
	t.Parallel()
	acme := key(t, "a").Sealer("revision", "acme")
	seen := map[string]bool{}
	for _, n := range []int64{0, 1, 2, 3, 1 << 40, math.MaxInt64, -1, math.MinInt64} {
		token := acme.Seal(n)
		if !regexp.MustCompile(`^[a-z2-7]{26}$`).MatchString(token) || seen[token] || token != acme.Seal(n) {
			t.Errorf("%d becomes %q", n, token)
		}
		seen[token] = true
		if got, ok := acme.Open(token); !ok || got != n {
			t.Errorf("%q of %d opens as %d, %t", token, n, got, ok)
		}
	}
}

func TestTokensOfOthersDoNotOpen(t *testing.T) {
	t.Parallel()
	acme := key(t, "a").Sealer("revision", "acme")
	token := acme.Seal(12)
	for what, s := range map[string]opaque.Sealer{
		"another tenant": key(t, "a").Sealer("revision", "rival"), "another kind": key(t, "a").Sealer("audit", "acme"),
		"no tenant": key(t, "a").Sealer("revision", ""), "another installation": key(t, "b").Sealer("revision", "acme"),
	} {
		if n, ok := s.Open(token); ok {
			t.Errorf("%s opens it as %d", what, n)
		}
		if s.Seal(12) == token {
			t.Errorf("%s has the same token", what)
		}
	}
	last := map[byte]string{} // the same bytes, written otherwise
	for _, c := range []byte("abcdefghijklmnopqrstuvwxyz234567") {
		if other := token[:25] + string(c); other != token {
			last[c] = other
		}
	}
	for _, made := range append([]string{"", "12", "1", `"` + token + `"`, token + "a", token[:25], strings.ToUpper(token), token[:13] + "\n" + token[13:]}, values(last)...) {
		if n, ok := acme.Open(made); ok {
			t.Errorf("%q opens as %d", made, n)
		}
	}
}

func values(m map[byte]string) (list []string) {
	for _, v := range m {
		list = append(list, v)
	}
	return list
}

func TestKeyHasItsSize(t *testing.T) {
	t.Parallel()
	for _, size := range []int{0, 16, opaque.KeySize - 1, opaque.KeySize + 1} {
		if _, err := opaque.NewKey(make([]byte, size)); err == nil {
			t.Errorf("%d bytes are a key", size)
		}
	}
}

func FuzzOpen(f *testing.F) {
	s := key(f, "a").Sealer("revision", "acme")
	for _, token := range []string{"", "12", s.Seal(1), s.Seal(math.MaxInt64), strings.Repeat("a", 26), strings.Repeat("7", 26), "ä", "a\nb"} {
		f.Add(token)
	}
	f.Fuzz(func(t *testing.T, token string) {
		if n, ok := s.Open(token); ok && s.Seal(n) != token {
			t.Errorf("%q opens as %d, which is %q", token, n, s.Seal(n))
		}
	})
}
