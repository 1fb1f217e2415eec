package fetcher

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/zap/zapcore"

	"github.com/mailyard/mailyard/pkg/credential"
	"github.com/mailyard/mailyard/pkg/egress"
	"github.com/mailyard/mailyard/pkg/imapconn"
	"github.com/mailyard/mailyard/schemas"
)

// allowing opens the mailboxes' passwords and dials only what the networks allow.
func (r *rig) allowing(networks ...string) credential.Source {
	r.t.Helper()
	p, err := egress.ParsePolicy(networks, nil)
	if err != nil {
		r.t.Fatal(err)
	}
	mail := r.Mail()
	mail.Egress = egress.New(p, egress.Options{})
	return mail
}

func TestHostThatMayNotBeDialledWaitsForTheLandlordOrTheAdministrator(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	port := r.mailbox.IMAP.Port
	mail := r.allowing(fmt.Sprintf("127.0.0.1:%d", port))
	r.mailbox.IMAP.Port = port%65535 + 1
	r.put("pw1")
	r.Run(New(Config{Bus: r.Bus(), Redis: r.LeaseOptions(), Group: r.Group("one"), Mail: mail, Logger: r.Logger}))
	state := r.awaitStatus(schemas.StatusUnreachable)
	if strings.Contains(state.Detail, "loopback") || !strings.Contains(state.Detail, "not allowed; ask the landlord") {
		t.Errorf("the administrator reads %q", state.Detail)
	}
	if state.NextAttempt == nil || time.Until(*state.NextAttempt) < 30*time.Second {
		t.Errorf("the next attempt is at %v, too soon", state.NextAttempt)
	}
	if state.ObservedAt == nil || time.Since(*state.ObservedAt) > time.Minute {
		t.Errorf("the state was written at %v", state.ObservedAt)
	}
	told := r.Logs.FilterLevelExact(zapcore.WarnLevel).FilterMessage("serving mailbox").All()
	if len(told) != 1 || !strings.Contains(fmt.Sprint(told[0].ContextMap()["detail"]), "127.0.0.1 ") {
		t.Errorf("the landlord reads %v", told)
	}
	r.mailbox.IMAP.Port = port
	r.put("pw1")
	r.awaitStatus(schemas.StatusLive)
}

func TestNoMailboxReachesLoopbackUnlessTheLandlordAllowsIt(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	mail := r.Mail()
	mail.Egress = nil
	r.mailbox.IMAP.Host = "localhost"
	r.put("pw1")
	r.Run(New(Config{Bus: r.Bus(), Redis: r.LeaseOptions(), Group: r.Group("one"), Mail: mail, Logger: r.Logger}))
	r.awaitStatus(schemas.StatusUnreachable)
}

// A rebinder answers with a public address first, and with loopback from then on.
type rebinder struct {
	mu      sync.Mutex
	asked   int
	dialled []string
}

func (b *rebinder) LookupNetIP(context.Context, string, string) ([]netip.Addr, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.asked++; b.asked == 1 {
		return []netip.Addr{netip.MustParseAddr("93.184.216.34")}, nil
	}
	return []netip.Addr{netip.MustParseAddr("127.0.0.1")}, nil
}

func (b *rebinder) dial(_ context.Context, _, addr string) (net.Conn, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.dialled = append(b.dialled, addr)
	return nil, syscall.ECONNREFUSED
}

func TestNameThatLeadsElsewhereTheSecondTimeIsNotFollowed(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	var dns rebinder
	mail := r.Mail()
	mail.Egress = egress.New(egress.Policy{}, egress.Options{Resolver: &dns, Dial: dns.dial})
	r.mailbox.IMAP.Host, r.mailbox.IMAP.Port = "rebind.example.com", 993
	r.put("pw1")
	r.Run(New(Config{Bus: r.Bus(), Redis: r.LeaseOptions(), Group: r.Group("one"), Mail: mail, Logger: r.Logger}))
	state := r.awaitStatus(schemas.StatusUnreachable)
	dns.mu.Lock()
	defer dns.mu.Unlock()
	if dns.asked != 2 || !slices.Equal(dns.dialled, []string{"93.184.216.34:993"}) {
		t.Errorf("asked %d times, dialled %v", dns.asked, dns.dialled)
	}
	if !strings.Contains(state.Detail, "no mail server of the name rebind.example.com that may be used here") {
		t.Errorf("the administrator reads %q", state.Detail)
	}
}

// The landlord allowed a network, and in it somebody types addresses.
func TestWhyAHostInsideCannotBeReachedIsForTheLandlord(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	mail := r.allowing("127.0.0.0/8:*")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r.mailbox.IMAP.Port = l.Addr().(*net.TCPAddr).Port
	l.Close() // nobody listens there
	r.mailbox.ConnectRetries = 0
	r.put("pw1")
	r.Run(New(Config{Bus: r.Bus(), Redis: r.LeaseOptions(), Group: r.Group("one"), Mail: mail, Logger: r.Logger}))
	state := r.awaitStatus(schemas.StatusUnreachable)
	if !strings.Contains(state.Detail, "the server cannot be reached") || strings.Contains(state.Detail, "refused") || strings.Contains(state.Detail, "nothing listens") {
		t.Errorf("the tenant reads %q", state.Detail)
	}
	for _, e := range r.states.All() {
		if strings.Contains(e.Data.Detail, "refused") {
			t.Errorf("an event tells %q", e.Data.Detail)
		}
	}
	states, err := r.Redis.DetailedStates(t.Context(), tenant)
	if err != nil || len(states) != 1 || !strings.Contains(states[0].Detail, "connection refused") {
		t.Errorf("the landlord reads %+v, %v", states, err)
	}
}

func TestHostThatMayNotBeDialledIsOnTheSlowScheduleAtOnce(t *testing.T) {
	t.Parallel()
	var s schedule
	refused := fmt.Errorf("serving: %w", &imapconn.Error{Kind: imapconn.KindUnreachable, Err: &egress.RefusedError{Host: "inside.example.com", Port: 993}})
	for i, minutes := range []int{1, 2, 4, 8, 15, 15} {
		pause, status := s.next(refused, 100)
		wantPause(t, fmt.Sprintf("attempt %d", i+1), pause, time.Duration(minutes)*time.Minute)
		if status != schemas.StatusUnreachable {
			t.Errorf("attempt %d: status %s", i+1, status)
		}
	}
}
