package account

import (
	"context"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/mailyard/mailyard/pkg/secret"
)

// A test cannot see time well enough to tell whether a comparison leaks it; the
// source shows it.
func TestSecretsAreComparedInConstantTime(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	constant := map[string]bool{}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.SelectorExpr:
				if x, ok := n.X.(*ast.Ident); ok {
					switch x.Name + "." + n.Sel.Name {
					case "subtle.ConstantTimeCompare":
						constant[name] = true
					case "bytes.Equal", "bytes.Compare", "slices.Equal", "reflect.DeepEqual", "hmac.Equal":
						t.Errorf("%s compares bytes with %s.%s", name, x.Name, n.Sel.Name)
					}
				}
			case *ast.BinaryExpr:
				for _, side := range []ast.Expr{n.X, n.Y} {
					if s, ok := side.(*ast.SelectorExpr); ok && (n.Op == token.EQL || n.Op == token.NEQ) && (s.Sel.Name == "hash" || s.Sel.Name == "secret") {
						t.Errorf("%s compares a %s with %s", name, s.Sel.Name, n.Op)
					}
				}
			}
			return true
		})
	}
	if len(constant) != 2 || !constant["ticket.go"] || !constant["phc.go"] {
		t.Errorf("subtle.ConstantTimeCompare is used in %v; want ticket.go and phc.go", constant)
	}
}

func TestOnlyTheRightTicketMatches(t *testing.T) {
	t.Parallel()
	a, b := newTicket(tokenPrefix), newTicket(tokenPrefix)
	if a.id == b.id || a.secret == b.secret {
		t.Fatal("two tickets are one")
	}
	if !a.matches(a.hash()) || a.matches(b.hash()) || a.matches(nil) || a.matches(a.secret[:]) || a.matches(a.hash()[:31]) {
		t.Error("a ticket matches another hash than its own, or not its own")
	}
}

func TestUnknownAccountsCostAsMuchAsKnownOnes(t *testing.T) {
	t.Parallel()
	h := newHasher(Cost{Memory: 64, Passes: 3, Threads: 2}, 1)
	stored := hashPassword(h.cost, "correct horse battery staple")
	if h.dummy.cost != stored.cost || len(h.dummy.salt) != len(stored.salt) || len(h.dummy.hash) != len(stored.hash) {
		t.Errorf("unknown: %v; known: %v", h.dummy, stored)
	}
	for text, want := range map[string]bool{"correct horse battery staple": true, "correct horse battery stapl": false, "": false} {
		if ok, err := h.verify(stored.String(), secret.NewString(text)); ok != want || err != nil {
			t.Errorf("%q: %v, %v; want %v", text, ok, err, want)
		}
		if ok, err := h.verify("", secret.NewString(text)); ok || err != nil {
			t.Errorf("unknown account, %q: %v, %v", text, ok, err)
		}
	}
	if ok, err := h.verify("$2y$10$secret", secret.NewString("x")); ok || err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("%v, %v; want an error that does not quote", ok, err)
	}
}

func TestDefaultCostIsNoLessThanAdvised(t *testing.T) {
	t.Parallel()
	h := newHasher(Cost{}, 0)
	if c := h.cost; c.Memory < 19<<10 || c.Passes < 2 || c.Threads < 1 || uint32(cap(h.slots))*c.Memory > 128<<10 {
		t.Errorf("%+v, %d at once", c, cap(h.slots))
	}
}

func TestPasswordsAreHashedAFewAtATime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHasher(Cost{Memory: 8, Passes: 1, Threads: 1}, 2)
		var releases []func()
		for range 2 {
			release, err := h.acquire(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			releases = append(releases, release)
		}
		_, err := h.acquire(t.Context()) // waits as long as it may, in the bubble's time
		if throttled := (*ThrottledError)(nil); !errors.As(err, &throttled) {
			t.Errorf("a third one at once: %v", err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := h.hash(ctx, secret.NewString("x")); !errors.Is(err, context.Canceled) {
			t.Errorf("nobody waits for it any more: %v", err)
		}
		done := make(chan error)
		go func() {
			_, err := h.hash(t.Context(), secret.NewString("x"))
			done <- err
		}()
		synctest.Wait()
		releases[0]()
		if err := <-done; err != nil {
			t.Errorf("after one is done: %v", err)
		}
	})
}

func FuzzParseTicket(f *testing.F) {
	good := newTicket(sessionPrefix).text().Reveal()
	for _, s := range []string{good, "", "mys_", "mys__", "mys_a_b", good[:len(good)-1] + "b", good + "\n", strings.ToUpper(good), strings.Replace(good, "mys", "myd", 1), "mys_" + strings.Repeat("a", 16) + "_" + strings.Repeat("7", 52)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, prefix := range []string{tokenPrefix, sessionPrefix, linkPrefix} {
			ticket, ok := parseTicket(prefix, s)
			if ok && (ticket.text().Reveal() != s || !isID(ticket.id)) {
				t.Errorf("%q is read as %q", s, ticket.text().Reveal())
			}
			if !ok && ticket.id != "" {
				t.Errorf("%q is refused and read as %v", s, ticket)
			}
		}
	})
}

func FuzzParsePHC(f *testing.F) {
	for _, s := range []string{
		hashPassword(Cost{Memory: 8, Passes: 1, Threads: 1}, "x").String(),
		"$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQ$RdescudvJCsgt3ub+b4dWRWJTmaaJObG",
		"$argon2id$v=19$m=4294967295,t=4294967295,p=255$c29tZXNhbHQ$RdescudvJCsgt3ub+b4dWRWJTmaaJObG",
		"$argon2id$v=19$m=0,t=0,p=0$$", "$argon2i$v=19$m=8,t=1,p=1$c29tZXNhbHQ$RdescudvJCsgt3ub", "$argon2id$v=19$m=08,t=1,p=1$c29tZXNhbHQ$RdescudvJCsgt3ub+b4dWQ",
		"$argon2id$v=19$m=8,t=1,p=1$c29tZX\nNhbHQ$RdescudvJCsgt3ub+b4dWQ", "", "$$$$$",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p, err := parsePHC(s)
		if err != nil {
			return
		}
		if p.String() != s {
			t.Errorf("%q is read as %q", s, p)
		}
		if c := p.cost; c.Memory > maxMemory || c.Passes > maxPasses || c.Threads > maxThreads || c.Memory < 8*uint32(c.Threads) || c.Passes < 1 || c.Threads < 1 {
			t.Errorf("%q costs %+v", s, c)
		}
	})
}

func FuzzNames(f *testing.F) {
	for _, s := range []string{"lena", "Jürgen", "\xff", "a\u0301", "ﬁ", "İ", "ß", "unknown", "x\u034f"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if _, ok := checkName(s); ok && (strings.ContainsAny(s, " \t\r\n\x00<>\"&/\\") || len(s) > 4*maxName) {
			t.Errorf("%q is a name", s)
		}
		checkDisplayName(s)
		checkPassword("password", s, secret.NewString(s+s))
		newAttempt(s, s)
	})
}
