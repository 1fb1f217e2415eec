package fetcher

import (
	"errors"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/mailyard/mailyard/schemas"
	"github.com/mailyard/mailyard/services/servicetest"
)

func TestStateOfAnIdleMailboxIsWrittenAgainAndAgain(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.start()
	r.awaitStatus(schemas.StatusLive)
	if err := r.Redis.DeleteState(t.Context(), tenant, "info"); err != nil { // as when Redis loses it
		t.Fatal(err)
	}
	r.awaitStatus(schemas.StatusLive)
}

// Refused credentials wait for an hour, in which the replica is not gone.
func TestStateOfAMailboxThatWaitsForItsNextAttemptIsWrittenAgainAndAgain(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.put("wrong")
	r.run()
	r.awaitStatus(schemas.StatusAuthFailed)
	if err := r.Redis.DeleteState(t.Context(), tenant, "info"); err != nil {
		t.Fatal(err)
	}
	r.awaitStatus(schemas.StatusAuthFailed)
}

func TestMailboxThatIsServedNoMoreHasNoMetric(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	registry := prometheus.NewRegistry()
	r.registry = registry
	gauges := func() int {
		families, err := registry.Gather()
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range families {
			if f.GetName() == "mailyard_unaccounted_mails" {
				return len(f.GetMetric())
			}
		}
		return 0
	}
	r.start()
	r.Eventually("the mailbox has its gauge", func() bool { return gauges() == 1 })
	r.mailbox.Enabled = false
	r.put("pw1")
	r.Eventually("the gauge is gone", func() bool { return gauges() == 0 })
}

func TestEachFailureTellsItsNextAttempt(t *testing.T) {
	t.Parallel()
	b := servicetest.New(t)
	r := newReporter(&running{redis: b.Redis, conn: b.Conn, logger: b.Logger}, tenant, "info", b.Logger)
	for n := range 3 {
		next := time.Now().Add(time.Duration(n+1) * time.Minute)
		r.failed(t.Context(), schemas.StatusUnreachable, errors.New("the same every time"), next)
		states, err := b.Redis.States(t.Context(), tenant)
		if err != nil {
			t.Fatal(err)
		}
		if len(states) != 1 || states[0].NextAttempt == nil || !states[0].NextAttempt.Equal(next) {
			t.Fatalf("after failure %d the states are %+v, want the next attempt at %v", n+1, states, next)
		}
	}
}
