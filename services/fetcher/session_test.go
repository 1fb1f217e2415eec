package fetcher

import (
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mailyard/mailyard/pkg/imapconn/imaptest"
	"github.com/mailyard/mailyard/schemas"
	"github.com/mailyard/mailyard/services/servicetest"
)

// newScriptRig makes a rig whose mailbox is on a script.
func newScriptRig(t *testing.T, rules imaptest.Rules) (*rig, *imaptest.Script) {
	t.Helper()
	r := newRig(t)
	script := imaptest.NewScript(t, "", nil, rules)
	r.mailbox = servicetest.Mailbox("info", script.Target(), "support")
	r.mailbox.ConnectRetries = 100
	return r, script
}

// selecting answers SELECT with a UIDVALIDITY.
func selecting(c *imaptest.ScriptConn, tag string, uidvalidity int32) {
	c.Send("* 3 EXISTS")
	c.Send("* OK [UIDVALIDITY %d] valid", uidvalidity)
	c.Send("* OK [UIDNEXT 4] next")
	c.Send("%s OK [READ-WRITE] selected", tag)
}

func TestLaneThatSeesAnotherUIDVALIDITYEndsTheSession(t *testing.T) {
	t.Parallel()
	var selected atomic.Int32
	r, _ := newScriptRig(t, imaptest.Rules{"SELECT": func(c *imaptest.ScriptConn, tag, _ string) {
		selecting(c, tag, 7+min(selected.Add(1)-1, 1)) // another one from the second on
	}})
	r.start()
	r.Eventually("the mails are fetched from the new inbox", func() bool { return r.fetched.Len() >= 3 })
	for _, e := range r.fetched.All() {
		if e.UIDValidity != 8 {
			t.Errorf("fetched %s", e.Key())
		}
	}
}

func TestMailOfWhichTheServerTellsNoSizeIsFetched(t *testing.T) {
	t.Parallel()
	r, _ := newScriptRig(t, imaptest.Rules{"UID FETCH": func(c *imaptest.ScriptConn, tag, args string) {
		for n := 1; n <= 3; n++ {
			if strings.Contains(args, "BODY") {
				c.Mail(n)
			} else if n != 2 {
				c.Send("* %d FETCH (UID %d RFC822.SIZE 6)", n, n)
			}
		}
		c.OK(tag)
	}})
	r.start()
	r.Eventually("all are fetched", func() bool {
		uids := map[uint32]bool{}
		for _, e := range r.fetched.All() {
			uids[e.UID] = true
		}
		return len(uids) == 3
	})
}

func TestInboxIsSelectedAnewWhileItsSessionGoesOn(t *testing.T) {
	t.Parallel()
	var uidvalidity, selected atomic.Int32
	uidvalidity.Store(7)
	r, script := newScriptRig(t, imaptest.Rules{"SELECT": func(c *imaptest.ScriptConn, tag, _ string) {
		selected.Add(1)
		selecting(c, tag, uidvalidity.Load())
	}})
	r.reselectTime = 10 * time.Millisecond
	r.start()
	r.Eventually("the mails are fetched", func() bool { return r.fetched.Len() == 3 })
	r.Eventually("the inbox is selected anew", func() bool { return selected.Load() >= 3 })
	if n := len(script.Received("LOGIN")) + len(script.Received("AUTHENTICATE")); n > 2 {
		t.Errorf("%d connections for that; want none but those of the watch and of a lane", n)
	}
	uidvalidity.Store(8)
	r.Eventually("the mails of the new inbox are fetched", func() bool { return r.fetched.Len() == 6 })
}

func TestLaneThatIsRefusedTellsAndDoesNotHammer(t *testing.T) {
	t.Parallel()
	for answer, status := range map[string]schemas.MailboxStatus{
		"NO [AUTHENTICATIONFAILED] no":                    schemas.StatusAuthFailed,
		"NO [UNAVAILABLE] Too many simultaneous sessions": schemas.StatusThrottled,
	} {
		t.Run(string(status), func(t *testing.T) {
			t.Parallel()
			var logins atomic.Int32
			refuse := func(name string) func(c *imaptest.ScriptConn, tag, args string) {
				return func(c *imaptest.ScriptConn, tag, args string) {
					if logins.Add(1) == 1 {
						c.Answer(name, tag, args)
					} else {
						c.Send("%s %s", tag, answer)
					}
				}
			}
			r, _ := newScriptRig(t, imaptest.Rules{"LOGIN": refuse("LOGIN"), "AUTHENTICATE": refuse("AUTHENTICATE")})
			r.start()
			s := r.awaitStatus(status)
			if s.NextAttempt == nil || time.Until(*s.NextAttempt) < 15*time.Second || s.Detail == "" {
				t.Errorf("state = %+v", s)
			}
			if n := logins.Load(); n > 5 {
				t.Errorf("signed in %d times", n)
			}
		})
	}
}

func TestMailboxThatIsDisabledBeforeAFullStreamIsLetGo(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.start()
	r.awaitStatus(schemas.StatusLive)
	if err := r.Conn.JetStream().DeleteStream(t.Context(), schemas.StreamFetchedLight); err != nil {
		t.Fatal(err)
	}
	r.server.Deliver("u1", imaptest.Message(1, 500))
	r.Eventually("the mail is being published", func() bool { return r.fetched.Len() > 0 })
	r.mailbox.Enabled = false
	r.put("pw1")
	end := time.After(laneGrace + 5*time.Second)
	for {
		if s, _ := r.state(); s.Status == schemas.StatusDisabled {
			return
		}
		select {
		case <-end:
			t.Fatal("its replica keeps it")
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func TestMailThatGoesAloneHasADownloadOfItsOwn(t *testing.T) {
	t.Parallel()
	var fetches atomic.Int32
	r, script := newScriptRig(t, imaptest.Rules{"UID FETCH": func(c *imaptest.ScriptConn, tag, args string) {
		for n := 1; n <= 3; n++ {
			switch {
			case !strings.Contains(args, "BODY"):
				c.Send("* %d FETCH (UID %d RFC822.SIZE 6)", n, n)
			case n != 2:
				c.Mail(n)
			case strings.HasPrefix(args, "2 "):
				fetches.Add(1)
				c.Send("* 2 FETCH (BODY[] {6}\r\nmail 2 UID 2)") // after the body: whose is it?
			}
		}
		c.OK(tag)
	}})
	r.start()
	r.Eventually("the mail is asked for alone, and fetched", func() bool {
		for _, e := range r.fetched.All() {
			if e.UID == 2 && string(e.Mail) == "mail 2" {
				return true
			}
		}
		return false
	})
	if fetches.Load() > aloneAfter {
		t.Errorf("asked %d times: %v", fetches.Load(), script.Received("UID FETCH"))
	}
}

func TestMailThatIsNotPublishedHoldsDownloadsBackWhereverItIsFrom(t *testing.T) {
	t.Parallel()
	const size, room = 4000, 5
	r := newRig(t)
	r.memory = size * (room + 1)
	r.start()
	r.awaitStatus(schemas.StatusLive)
	if err := r.Conn.JetStream().DeleteStream(t.Context(), schemas.StreamFetchedLight); err != nil {
		t.Fatal(err)
	}
	r.server.Deliver("u1", imaptest.Messages(1, 40, size)...)
	r.Eventually("some are being published", func() bool { return r.fetched.Len() >= room })
	r.server.Deliver("u1", imaptest.Message(41, 6_100_000))
	r.Eventually("an oversize mail needs none of the memory", func() bool { return r.subjects()["mail 41"] == 1 })
	if n := len(r.subjects()); n > room+2 {
		t.Errorf("%d mails of %d bytes are held in %d bytes of memory", n, size, r.memory)
	}
	r.NATS.Provision(t)
	r.Eventually("all are fetched", func() bool { return len(r.subjects()) == 41 })
}
