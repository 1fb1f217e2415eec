package oidc

import (
	"strings"
	"testing"
	"time"
)

func FuzzParseFlow(f *testing.F) {
	good := newFlow(time.Unix(1_773_144_000, 0)).cookie().Reveal()
	for _, s := range []string{good, "", ".", "1.", good + "=", good + "\n", "+" + good, "0" + good, strings.ToUpper(good), "-1." + strings.Repeat("A", 43), "1." + strings.Repeat("B", 43)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		flow, ok := parseFlow(s)
		if ok && flow.cookie().Reveal() != s {
			t.Errorf("%q is read as %q", s, flow.cookie().Reveal())
		}
		flow.over(time.Unix(1_773_144_000, 0))
	})
}

func TestWhatIsDerivedTellsNothingOfTheRest(t *testing.T) {
	t.Parallel()
	a := newFlow(time.Unix(1, 0))
	b := a
	b.begun++
	seen := map[string]bool{}
	for _, s := range []string{a.state(), a.nonce(), a.verifier(), b.state(), b.nonce(), b.verifier(), strings.SplitN(a.cookie().Reveal(), ".", 2)[1]} {
		if seen[s] || len(s) != 43 {
			t.Errorf("%q again, or not 43 characters", s)
		}
		seen[s] = true
	}
	if newFlow(time.Unix(1, 0)).state() == a.state() {
		t.Error("two flows have one state")
	}
}
