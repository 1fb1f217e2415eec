package imapconn_test

import (
	"strings"
	"testing"
	"time"

	"github.com/mailyard/mailyard/pkg/imapconn"
	"github.com/mailyard/mailyard/pkg/imapconn/imaptest"
)

// idles answers IDLE: lines are told meanwhile, then DONE is waited for.
func idles(lines ...string) func(*conn, string, string) {
	return func(c *conn, tag, _ string) {
		c.Send("+ idling")
		for _, line := range lines {
			c.Send("%s", line)
		}
		if line, _ := c.Line(); line == "DONE" {
			c.OK(tag)
		}
	}
}

func TestWait(t *testing.T) {
	for name, test := range map[string]struct {
		rule    func(*conn, string, string)
		changed bool
		kind    imapconn.Kind
		says    string
	}{
		"quiet":                {rule: idles()},
		"new mail":             {rule: idles("* 4 EXISTS"), changed: true},
		"other news":           {rule: idles("* OK Still here", "* 2 EXPUNGE", `* 1 FETCH (FLAGS (\Seen))`, "* 0 RECENT")},
		"new mail behind DONE": {rule: func(c *conn, tag, _ string) { c.Send("+ idling"); c.Line(); c.Send("* 4 EXISTS"); c.OK(tag) }, changed: true},
		"BYE":                  {rule: func(c *conn, _, _ string) { c.Send("+ idling"); c.Send("* BYE idle for too long"); c.Close() }, kind: imapconn.KindUnreachable, says: "idle for too long"},
		"end":                  {rule: func(c *conn, _, _ string) { c.Send("+ idling"); c.Close() }, kind: imapconn.KindUnreachable, says: "closed"},
		"DONE is not answered": {rule: func(c *conn, _, _ string) { c.Send("+ idling"); c.Hang() }, kind: imapconn.KindUnreachable, says: "in time"},
		"IDLE is not answered": {rule: func(c *conn, _, _ string) { c.Hang() }, kind: imapconn.KindUnreachable, says: "in time"},
		"plus without text":    {rule: func(c *conn, tag, _ string) { c.Raw("+\r\n"); c.Line(); c.OK(tag) }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, _ := script(t, "IDLE", imapconn.Options{DoneTimeout: 200 * time.Millisecond, CommandTimeout: 400 * time.Millisecond}, imaptest.Rules{"IDLE": test.rule})
			for range 2 { // it can be done again
				changed, err := c.Wait(t.Context(), 50*time.Millisecond)
				if test.kind != imapconn.KindOther {
					if imapconn.KindOf(err) != test.kind || !strings.Contains(err.Error(), test.says) {
						t.Errorf("kind = %v, err = %v", imapconn.KindOf(err), err)
					}
					return
				}
				if err != nil || changed != test.changed {
					t.Errorf("changed = %v, err = %v", changed, err)
				}
			}
			equal(t, "the connection is good", list(t, c), []uint32{1, 2, 3})
		})
	}
}

func TestIdleOfferedAndRefused(t *testing.T) {
	c, s := script(t, "IDLE", imapconn.Options{}, imaptest.Rules{"IDLE": refuses("NO not now"), "NOOP": answers("* 4 EXISTS")})
	for range 2 {
		if changed, err := c.Wait(t.Context(), time.Millisecond); !changed || err != nil {
			t.Errorf("changed = %v, err = %v", changed, err)
		}
	}
	if c.HasIdle() || len(s.Received("IDLE")) != 1 || len(s.Received("NOOP")) != 2 {
		t.Errorf("sent %q", s.Commands())
	}
}

func TestNewsOfOtherCommandsCount(t *testing.T) {
	c, s := script(t, "IDLE", imapconn.Options{}, imaptest.Rules{"UID FETCH": answers("* 4 EXISTS")})
	list(t, c)
	fetch(t, c, 1, infos(1))
	if changed, err := c.Wait(t.Context(), time.Minute); !changed || err != nil {
		t.Errorf("changed = %v, err = %v", changed, err)
	}
	if len(s.Received("IDLE")) != 0 {
		t.Error("waited although there was news")
	}
}

func TestServerWithoutIdleIsProbed(t *testing.T) {
	c, _ := script(t, "", imapconn.Options{DoneTimeout: 50 * time.Millisecond}, imaptest.Rules{"NOOP": func(c *conn, _, _ string) { c.Hang() }})
	if _, err := c.Wait(t.Context(), time.Millisecond); imapconn.KindOf(err) != imapconn.KindUnreachable {
		t.Errorf("err = %v", err)
	}
}
