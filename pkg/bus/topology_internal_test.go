package bus

import (
	"strings"
	"testing"

	"github.com/mailyard/mailyard/schemas"
)

// A stage that does not receive for a while must not use up the deliveries.
func TestAckWaitsExceedThePullExpiry(t *testing.T) {
	t.Parallel()
	for _, c := range DefaultTopology(1).Consumers {
		if c.Config.AckWait <= 2*pullExpiry {
			t.Errorf("%s on %s waits %s for an ack, pulls last %s", c.Config.Durable, c.Stream, c.Config.AckWait, pullExpiry)
		}
	}
}

// Work-queue streams refuse consumers that overlap, and what no consumer takes
// stays for ever.
func TestEveryRetryHasItsConsumer(t *testing.T) {
	t.Parallel()
	due := map[string]bool{}
	for _, c := range DefaultTopology(1).Consumers {
		if c.Stream == schemas.StreamRetry {
			due[c.Config.FilterSubject] = true
		}
	}
	for _, c := range DefaultTopology(1).Consumers {
		stage, ok := stageOf(c.Config.Durable)
		if !ok {
			continue
		}
		subject := retryDue + string(stage) + "." + Source{Stage: stage, Durable: c.Config.Durable}.lane()
		if !due[subject] {
			t.Errorf("nobody takes the retries of %s on %s: %s", c.Config.Durable, c.Stream, subject)
		}
	}
}

func TestDurableNames(t *testing.T) {
	t.Parallel()
	var names []string
	for _, c := range DefaultTopology(1).Consumers {
		names = append(names, c.Stream+"/"+c.Config.Durable)
	}
	got := strings.Join(names, " ")
	for _, want := range []string{
		"FETCHED_LIGHT/classifier-light", "FETCHED_LARGE/classifier-large",
		"CLASSIFIED_LIGHT/persister-light", "CLASSIFIED_LARGE/persister-large",
		"EVENTS/persister-disposed", "DISPOSE/disposer-00", "DISPOSE/disposer-15",
		"RETRY/classifier-light", "RETRY/classifier-large", "RETRY/persister-light", "RETRY/persister-large",
		"RETRY/persister-disposed", "RETRY/disposer-dispose", "ADVISORY/advisories",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("there is no consumer %s", want)
		}
	}
}
