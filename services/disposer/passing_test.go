package disposer

import (
	"testing"

	"github.com/mailyard/mailyard/pkg/bus"
	"github.com/mailyard/mailyard/pkg/imapconn/imaptest"
	"github.com/mailyard/mailyard/schemas"
	"github.com/mailyard/mailyard/services/servicetest"
)

// Six attempts make a dead letter: a server that is busy or away must not use
// them up.
func TestServerThatIsBusyOrAwayCostsNoAttempt(t *testing.T) {
	t.Parallel()
	says := func(text string) func(*imaptest.ScriptConn, string, string) {
		return func(c *imaptest.ScriptConn, tag, _ string) { c.Send("%s %s", tag, text) }
	}
	for name, test := range map[string]struct {
		move func(c *imaptest.ScriptConn, tag, args string)
		want string // the number of failed attempts that the retry carries
	}{
		"throttled":        {says("NO [THROTTLED] slow down"), "0"},
		"told when":        {says("BAD Request is throttled. Suggested Backoff Time: 89117 milliseconds"), "0"},
		"connection ends":  {func(c *imaptest.ScriptConn, _, _ string) { c.Close() }, "0"},
		"goes down":        {func(c *imaptest.ScriptConn, _, _ string) { c.Send("* BYE going down"); c.Close() }, "0"},
		"refuses":          {says("NO no"), "1"},
		"folder not there": {says("NO [NOPERM] not yours"), "1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, 1)
			script := imaptest.NewScript(t, "MOVE UIDPLUS", nil, imaptest.Rules{"UID MOVE": test.move})
			r.mailbox = servicetest.Mailbox("info", script.Target(), "support")
			r.run()
			r.order("info", 7, schemas.ActionPersisted, 1)
			r.Eventually("it waits", func() bool { return r.Left(schemas.StreamRetry) > 0 && r.Left(schemas.StreamDispose) == 0 })
			stream, err := r.Conn.JetStream().Stream(t.Context(), schemas.StreamRetry)
			if err != nil {
				t.Fatal(err)
			}
			m, err := stream.GetMsg(t.Context(), stream.CachedInfo().State.LastSeq)
			if err != nil {
				t.Fatal(err)
			}
			got := m.Header.Get(bus.HeaderRetryAttempt)
			if got == "" {
				got = "0"
			}
			if got != test.want {
				t.Errorf("%s failed attempts are counted; want %s: %s", got, test.want, m.Header.Get(bus.HeaderRetryError))
			}
		})
	}
}
