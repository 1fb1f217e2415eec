package fetcher

import (
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/mailyard/mailyard/pkg/imapconn/imaptest"
	"github.com/mailyard/mailyard/schemas"
)

func TestProtocolLogOfAMailboxThatIsServed(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.server.Deliver("u1", imaptest.Message(1, 500))
	r.start()
	r.Eventually("the mail is fetched", func() bool { return r.fetched.Len() == 1 })
	r.awaitStatus(schemas.StatusLive)
	log := func() string {
		lines, _, err := r.Redis.ProtocolLog(t.Context(), tenant, "info", 0)
		if err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		for _, l := range lines {
			b.WriteString(l.Replica + "/" + l.Connection + " " + l.Direction + " " + l.Text + "\n")
		}
		return b.String()
	}
	if got := log(); got != "" {
		t.Errorf("nobody switched it on, and it holds:\n%s", got)
	}
	if err := r.Redis.SwitchProtocolLog(t.Context(), tenant, "info", time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	// The connections are open; they begin to tell.
	n := 1
	r.Eventually("both connections tell", func() bool {
		if r.fetched.Len() == n {
			n++
			r.server.Deliver("u1", imaptest.Message(n, 500))
		}
		got := log()
		return strings.Contains(got, "/watch 1 C T") && strings.Contains(got, "/light 2 S * ") && strings.Contains(got, "BODY[] {5")
	})
	for _, hidden := range []string{"pw1", base64.StdEncoding.EncodeToString([]byte("\x00u1\x00pw1")), "Subject", "@example"} {
		if strings.Contains(log(), hidden) {
			t.Errorf("%q is in the log:\n%s", hidden, log())
		}
	}
}
