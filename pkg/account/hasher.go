package account

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/text/unicode/norm"

	"github.com/mailyard/mailyard/pkg/secret"
)

// A hasher hashes passwords, a few at a time: each takes megabytes and most of
// a core, and whoever likes may ask for it by signing in.
type hasher struct {
	cost  Cost
	dummy phc // what the passwords of unknown accounts are compared with
	slots chan struct{}
}

// longestWait is how long an attempt waits for its turn.
const longestWait = 10 * time.Second

func newHasher(cost Cost, slots int) *hasher {
	if cost == (Cost{}) {
		cost = DefaultCost()
	}
	if slots <= 0 {
		slots = 2
	}
	// The dummy's hash is that of nothing that anybody knows.
	random := newTicket(linkPrefix).hash()
	return &hasher{cost: cost, dummy: phc{cost, random[:saltBytes], random}, slots: make(chan struct{}, slots)}
}

// acquire waits for a slot and returns what gives it back.
func (h *hasher) acquire(ctx context.Context) (release func(), err error) {
	wait := time.NewTimer(longestWait)
	defer wait.Stop()
	select {
	case h.slots <- struct{}{}:
		return func() { <-h.slots }, nil
	case <-wait.C:
		return nil, &ThrottledError{After: longestWait}
	case <-ctx.Done():
		return nil, fmt.Errorf("waiting to check a password: %w", ctx.Err())
	}
}

// hash returns the PHC string of a password.
func (h *hasher) hash(ctx context.Context, password secret.String) (string, error) {
	release, err := h.acquire(ctx)
	if err != nil {
		return "", err
	}
	defer release()
	return hashPassword(h.cost, normal(password)).String(), nil
}

// verify compares a password with a PHC string, "" for none. It takes the same
// time whether there is one or not. The caller holds a slot.
func (h *hasher) verify(stored string, password secret.String) (bool, error) {
	p := h.dummy
	if stored != "" {
		var err error
		if p, err = parsePHC(stored); err != nil {
			return false, err
		}
	}
	text := normal(password)
	if len(text) > maxPassword*4 {
		text = "" // no password is as long, and none is empty
	}
	return p.matches(text) && stored != "", nil
}

// outdated reports whether a password was hashed at another cost than today's.
func (h *hasher) outdated(stored string) bool {
	p, err := parsePHC(stored)
	return err == nil && p.cost != h.cost
}

// normal is the form in which passwords are hashed: keyboards differ in how they
// compose an é.
func normal(password secret.String) string { return norm.NFC.String(password.Reveal()) }
