package fetcher

import (
	"fmt"
	"strings"
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
