package e2e_test

import (
	"slices"
	"testing"

	"github.com/mailyard/mailyard/pkg/imapconn/imaptest"
	"github.com/mailyard/mailyard/schemas"
)

// A topology opens installations.
type topology struct {
	open     func(t testing.TB, seen func(map[string]int)) *site
	separate bool // whether each service is a process, which can be killed
}

// A scenario is played in every topology that it can be played in.
type scenario struct {
	name string // a slug
	play func(sc *scene)

	ownSite   bool                                     // needs an installation of its own, because it breaks something
	ownServer *imaptest.Options                        // needs a mail server of its own, such as this
	can       func(tp topology, k mailServerKind) bool // nil: always
}

func scenarios() []scenario {
	return slices.Concat(failures(), mailServerScenarios(), configurationScenarios(), flowScenarios())
}

// runSuite plays the scenarios, several at a time, the longest first.
func runSuite(t *testing.T, tp topology, kind mailServerKind) {
	t.Helper()
	var played []scenario
	var names []string
	for _, s := range scenarios() {
		if s.can == nil || s.can(tp, kind) {
			played = append(played, s)
			names = append(names, s.name)
		}
	}
	events := &census{seen: map[string]int{}}
	t.Cleanup(func() { events.check(t, len(played)) })
	shared := tp.open(t, events.add)
	server := startMailServer(t, kind, imaptest.Options{}, names...)
	for _, s := range played {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			server, site := server, shared
			if s.ownServer != nil {
				server = startMailServer(t, kind, *s.ownServer, s.name)
			}
			if s.ownSite {
				site = tp.open(t, events.add)
			}
			sc := newScene(t, site, server, s.name)
			t.Cleanup(func() {
				if t.Failed() {
					sc.explain()
				}
			})
			s.play(sc)
			events.played()
		})
	}
}

// check fails the test for each type of event that no scenario made. That says
// nothing unless all of them were played.
func (c *census) check(t testing.TB, scenarios int) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.scenarios < scenarios {
		return
	}
	for _, e := range schemas.Events() {
		if c.seen[e.Type] == 0 {
			t.Errorf("no scenario made an event of type %s", e.Type)
		}
	}
	t.Logf("events seen: %v", c.seen)
}
