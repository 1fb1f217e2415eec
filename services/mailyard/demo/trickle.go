package demo

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/mailyard/mailyard/pkg/demoserver"
	"github.com/mailyard/mailyard/pkg/message/messagetest"
	"github.com/mailyard/mailyard/pkg/process"
)

// A Trickle delivers sample mails to the demo mail server: one of every kind in
// turn, a few at once at first, then one now and again.
type Trickle struct {
	Server *demoserver.Server
	Dir    string        // where it remembers how far it came
	Pause  time.Duration // between two mails; 0 is 1.5 s
}

// firstBurst is how many mails come at once at the very first start.
const firstBurst = 12

// Part returns the trickle as a part of a program.
func (t Trickle) Part() process.Part { return process.Part{Name: "demo mail", Service: t} }

// Run delivers until ctx is done.
func (t Trickle) Run(ctx context.Context, ready func()) error {
	if t.Pause <= 0 {
		t.Pause = 1500 * time.Millisecond
	}
	n, err := t.remembered()
	if err != nil {
		return err
	}
	ready()
	tick := time.NewTicker(t.Pause)
	defer tick.Stop()
	for ; ; n++ {
		if n >= firstBurst {
			select {
			case <-ctx.Done():
				return nil
			case <-tick.C:
			}
		} else if ctx.Err() != nil {
			return nil
		}
		if _, err := t.Server.Deliver(User, Mail(n)); err != nil {
			return fmt.Errorf("delivering demo mail %d: %w", n, err)
		}
		if err := t.remember(n + 1); err != nil {
			return fmt.Errorf("remembering demo mail %d: %w", n, err)
		}
	}
}

func (t Trickle) counter() string { return filepath.Join(t.Dir, "delivered") }

// remember writes the counter anew, so that a kill leaves it whole.
func (t Trickle) remember(n int) error {
	fresh := t.counter() + ".new"
	if err := os.WriteFile(fresh, []byte(strconv.Itoa(n)), 0o600); err != nil {
		return err
	}
	return os.Rename(fresh, t.counter())
}

func (t Trickle) remembered() (int, error) {
	raw, err := os.ReadFile(t.counter())
	if os.IsNotExist(err) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("reading how far the demo came: %w", err)
	}
	n, err := strconv.Atoi(strings.TrimSpace(string(raw)))
	if err != nil {
		return 0, fmt.Errorf("reading how far the demo came: %w; delete %s to begin anew", err, t.counter())
	}
	return n, nil
}

const (
	support = "support@demo.example"
	sales   = "sales@demo.example"
	billing = "billing@demo.example"
)

// Mail returns the n-th demo mail. Every other one is ordinary; those between
// show one special kind after the other.
func Mail(n int) []byte {
	recipients := []string{
		support, sales, billing, "help@demo.example", "Support+order-4711@Demo.Example",
		support + ", " + sales, strings.Join([]string{support, sales, billing}, ", "),
	}
	to := recipients[n%len(recipients)]
	if n%2 == 0 {
		return unique(messagetest.Light(n, to), n)
	}
	special := n / 2
	switch special % 6 {
	case 0:
		return unique(messagetest.Large(n, to, 120_000+special%10*50_000), n)
	case 1:
		return unique(messagetest.Light(n, "jobs@demo.example"), n) // no folder has this address
	case 2:
		if special%36 == 2 { // rarely: each takes 7 MB of the demo's folder
			return unique(messagetest.Large(n, to, 5_000_000), n)
		}
	}
	samples := messagetest.SamplesFor(to)
	return unique(samples[special%len(samples)].Raw, n)
}

// unique sets two mails of the same kind apart, as their ways through mail
// servers would.
func unique(raw []byte, n int) []byte {
	if len(raw) == 0 || raw[0] < 'A' || raw[0] > 'Z' {
		return raw // to begin with a field would mend what this one shows
	}
	return append([]byte(fmt.Sprintf("X-Demo-Number: %d\r\n", n)), raw...)
}
