package imapconn_test

import (
	"encoding/base64"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/mailyard/mailyard/pkg/imapconn"
	"github.com/mailyard/mailyard/pkg/imapconn/imaptest"
	"github.com/mailyard/mailyard/pkg/mailhost"
	"github.com/mailyard/mailyard/pkg/secret"
)

// A traceLog is what a trace took.
type traceLog struct {
	on    atomic.Bool
	mu    sync.Mutex
	lines []string
}

func (l *traceLog) trace() *mailhost.Trace {
	return &mailhost.Trace{On: &l.on, Take: func(d mailhost.Direction, text string) {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.lines = append(l.lines, string(d)+" "+text)
	}}
}

func (l *traceLog) all() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.lines, "\n") + "\n"
}

func checkShown(t *testing.T, log string, shown, hidden []string) {
	t.Helper()
	for _, text := range shown {
		if !strings.Contains(log, text) {
			t.Errorf("%q is not shown", text)
		}
	}
	for _, text := range hidden {
		if strings.Contains(strings.ToLower(log), strings.ToLower(text)) {
			t.Errorf("%q is shown", text)
		}
	}
	if t.Failed() {
		t.Log(log)
	}
}

func TestTraceShowsTheProtocolAndNoMail(t *testing.T) {
	t.Parallel()
	s := imaptest.Demo(t, imaptest.Options{})
	mail := "From: Ann <ann@example.com>\r\nTo: support@example.com\r\nSubject: secret plans\r\n\r\nthe body of it\r\n"
	s.Deliver("u1", []byte(mail))
	var log traceLog
	log.on.Store(true)
	c := dial(t, s.Target("u1"), imapconn.Options{Trace: log.trace()})
	if _, err := c.Select(t.Context(), "INBOX"); err != nil {
		t.Fatal(err)
	}
	uids := list(t, c)
	if _, err := c.Sizes(t.Context(), uids); err != nil {
		t.Fatal(err)
	}
	if bodies, _ := fetch(t, c, 1, infos(uids...)); string(bodies[uids[0]]) != mail {
		t.Errorf("the mail is %q", bodies[uids[0]])
	}
	if _, err := c.FetchHeaders(t.Context(), infos(uids...), 1000, func(imapconn.MailInfo, []byte) error { return nil }); err != nil {
		t.Fatal(err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	checkShown(t, log.all(), []string{
		"- connected to ", "- encrypted with TLS 1.3, ", "S * OK ", "C M", " (not shown)\n", "SELECT", "UID FETCH", "RFC822.SIZE", fmt.Sprintf("{%d bytes}\n", len(mail)), "BODY[HEADER]", "LOGOUT", "- closed",
	}, []string{"pw1", base64.StdEncoding.EncodeToString([]byte("\x00u1\x00pw1")), "ann@", "support@", "secret plans", "the body of it", "Subject: "})
}

func TestTraceOfAnOpenConnectionIsSwitchedOnAndOff(t *testing.T) {
	t.Parallel()
	s := imaptest.Demo(t, imaptest.Options{})
	s.Deliver("u1", []byte("Subject: secret plans\r\n\r\nbody\r\n"))
	var log traceLog
	c := dial(t, s.Target("u1"), imapconn.Options{Trace: log.trace()})
	if _, err := c.Select(t.Context(), "INBOX"); err != nil {
		t.Fatal(err)
	}
	if got := log.all(); got != "\n" {
		t.Errorf("before it is on: %s", got)
	}
	log.on.Store(true)
	fetch(t, c, 1, infos(list(t, c)...))
	log.on.Store(false)
	list(t, c)
	got := log.all()
	checkShown(t, got, []string{"SEARCH", "UID FETCH", "bytes}"}, []string{"SELECT", "secret plans", "LOGOUT"})
	if n := strings.Count(got, "UID SEARCH RETURN"); n != 1 {
		t.Errorf("%d listings are shown:\n%s", n, got)
	}
}

// Servers repeat what they refuse.
func TestPasswordThatTheServerRepeatsIsNotInTheTrace(t *testing.T) {
	t.Parallel()
	const password = `hunter2"\secret`
	b64 := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
	forms := []string{password, `hunter2\"\\secret`, b64(password), b64("\x00u1\x00" + password)}
	refuse := func(answer string) func(*conn, string, string) {
		return func(c *conn, tag, args string) {
			c.Send("%s", strings.NewReplacer("TAG", tag, "ARGS", args).Replace(answer))
			c.Close()
		}
	}
	for name, test := range map[string]struct {
		caps  string
		rules imaptest.Rules
	}{
		"greeting":          {rules: imaptest.Rules{"GREETING": refuse("* BYE not you again: " + password)}},
		"LOGIN":             {rules: imaptest.Rules{"LOGIN": refuse("TAG BAD invalid arguments: LOGIN ARGS")}},
		"in the code":       {rules: imaptest.Rules{"LOGIN": refuse("TAG NO [X-" + password + "] no")}},
		"in a literal":      {rules: imaptest.Rules{"LOGIN": refuse(fmt.Sprintf("* X {%d}\r\n%s\r\nTAG WHAT ARGS", len(password), password))}},
		"PLAIN":             {caps: "AUTH=PLAIN SASL-IR", rules: imaptest.Rules{"AUTHENTICATE": refuse("TAG NO AUTHENTICATE ARGS")}},
		"PLAIN, continued":  {caps: "AUTH=PLAIN", rules: imaptest.Rules{"AUTHENTICATE": func(c *conn, tag, _ string) { c.Send("+ "); line, _ := c.Line(); refuse("TAG NO "+line)(c, tag, "") }}},
		"a challenge":       {caps: "AUTH=PLAIN", rules: imaptest.Rules{"AUTHENTICATE": refuse("+ " + b64(password))}},
		"after the sign-in": {caps: "NAMESPACE", rules: imaptest.Rules{"NAMESPACE": refuse("* BYE after " + password)}},
		"when it is open":   {rules: imaptest.Rules{"SELECT": refuse("TAG NO " + password)}},
		"not IMAP":          {rules: imaptest.Rules{"SELECT": refuse(password)}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := imaptest.NewScript(t, test.caps, nil, test.rules)
			target := s.Target()
			target.Username, target.Password = "u1", secret.NewString(password)
			var log traceLog
			log.on.Store(true)
			c, err := imapconn.Dial(t.Context(), target, imapconn.Options{Trace: log.trace()})
			if err == nil {
				if _, err := c.Select(t.Context(), "INBOX"); err == nil {
					t.Error("the inbox is open")
				}
				c.Close()
			}
			checkShown(t, log.all(), []string{"- connected to"}, forms)
		})
	}
}
