package imapconn_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mailyard/mailyard/pkg/fault"
	"github.com/mailyard/mailyard/pkg/imapconn"
	"github.com/mailyard/mailyard/pkg/imapconn/imaptest"
)

type conn = imaptest.ScriptConn

// script starts a script, connects and selects the inbox.
func script(t *testing.T, capabilities string, opts imapconn.Options, rules imaptest.Rules) (*imapconn.Conn, *imaptest.Script) {
	t.Helper()
	s := imaptest.NewScript(t, capabilities, nil, rules)
	c := dial(t, s.Target(), opts)
	if _, err := c.Select(t.Context(), "INBOX"); err != nil {
		t.Fatal(err)
	}
	return c, s
}

// answers returns a rule that sends lines and a tagged OK.
func answers(lines ...string) func(*conn, string, string) {
	return func(c *conn, tag, _ string) {
		for _, line := range lines {
			c.Send("%s", line)
		}
		c.OK(tag)
	}
}

// What servers in use send and go-imap, left alone, ends the connection for.
func TestOddAnswersAreBorne(t *testing.T) {
	mail := func(first, rest string) string { return "* 2 FETCH (" + first + " {6}\r\nmail 2" + rest }
	for name, answer := range map[string][]string{
		"plain":                            {mail("UID 2 BODY[]", ")")},
		"lower case":                       {"* 2 fetch (uid 2 body[] {6}\r\nmail 2)"},
		"flags first":                      {`* 2 FETCH (UID 2 FLAGS (\Seen))`, mail("UID 2 BODY[]", ")")},
		"flags with it":                    {mail(`FLAGS (\Seen ) UID 2 BODY[]`, ")")},
		"empty flags":                      {mail(`FLAGS ( ) UID 2 BODY[]`, ")")},
		"quoted flag":                      {mail(`FLAGS ("x" \\Seen ke]y) UID 2 BODY[]`, ")")},
		"flags behind":                     {mail("UID 2 BODY[]", ` FLAGS (\Seen ))`)},
		"UID again":                        {mail("UID 2 BODY[]", " UID 2)")},
		"space before the end":             {mail("UID 2 BODY[]", " )")},
		"no space after the literal":       {mail("UID 2 BODY[]", "FLAGS (x))")},
		"no end":                           {mail("UID 2 BODY[]", "")},
		"odd MODSEQ":                       {mail("UID 2 MODSEQ (-1) BODY[]", ")")},
		"unasked items":                    {mail(`UID 2 X-GM-MSGID 12345 ENVELOPE ("a (" NIL NIL) RFC822.HEADER NIL BODY[]`, ")")},
		"binary literal":                   {"* 2 FETCH (UID 2 BODY[] ~{6}\r\nmail 2)"},
		"non-synchronizing literal":        {"* 2 FETCH (UID 2 BODY[] {6+}\r\nmail 2)"},
		"quoted body":                      {`* 2 FETCH (UID 2 BODY[] "mail 2")`},
		"spaces":                           {"* 2 FETCH  ( UID  2  BODY[]  {6}\r\nmail 2 ) "},
		"VANISHED":                         {"* VANISHED 1:5", mail("UID 2 BODY[]", ")")},
		"unknown answer with a literal":    {"* XANY (a {7}\r\n) OK \r\n b) c", mail("UID 2 BODY[]", ")")},
		"continuation":                     {"+ go on", mail("UID 2 BODY[]", ")")},
		"empty line":                       {"", mail("UID 2 BODY[]", ")")},
		"COPYUID without OK":               {"* [COPYUID 1 2 3] x", mail("UID 2 BODY[]", ")")},
		"odd codes":                        {"* OK [HIGHESTMODSEQ] x", `* OK [PERMANENTFLAGS (\* x])] y`, "* NO [ odd", "* OK [COPYUID 9  ]", "* OK", "* OK [ALERT]", "* OK [x", mail("UID 2 BODY[]", ")")},
		"huge numbers in codes":            {"* OK [UIDNEXT 4294967296] x", mail("UID 2 BODY[]", ")")},
		"capabilities withdrawn meantime":  {"* CAPABILITY IMAP4rev1", "* OK [CAPABILITY IMAP4rev1] x", mail("UID 2 BODY[]", ")")},
		"a text that looks like a literal": {"* OK see {100}", mail("UID 2 BODY[]", ")")},
		"LF only":                          {"* OK x\n* 2 FETCH (UID 2 BODY[] {6}\nmail 2)"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, _ := script(t, "", imapconn.Options{}, imaptest.Rules{"UID FETCH": answers(answer...)})
			bodies, missing := fetch(t, c, 2, infos(2))
			if string(bodies[2]) != "mail 2" || len(missing) != 0 {
				t.Errorf("bodies = %v, missing = %v", bodies, missing)
			}
			bodies, _ = fetch(t, c, 2, infos(2))
			if string(bodies[2]) != "mail 2" {
				t.Errorf("for the second time: bodies = %v", bodies)
			}
		})
	}
}

func TestMissingBodiesAreTold(t *testing.T) {
	for name, answer := range map[string][]string{
		"nothing":             {},
		"NIL":                 {"* 2 FETCH (UID 2 BODY[] NIL)"},
		"no value":            {"* 2 FETCH (UID 2 BODY[] )"},
		"no value, no space":  {"* 2 FETCH (UID 2 BODY[])"},
		"another mail":        {"* 3 FETCH (UID 3 BODY[] {1}\r\nx)"},
		"another section":     {"* 2 FETCH (UID 2 RFC822 {1}\r\nx)"},
		"body before UID":     {"* 2 FETCH (BODY[] {6}\r\nmail 2 UID 2)"},
		"only flags":          {`* 2 FETCH (UID 2 FLAGS (\Seen))`},
		"expunged in between": {"* 2 EXPUNGE"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, _ := script(t, "", imapconn.Options{}, imaptest.Rules{"UID FETCH": answers(answer...)})
			bodies, missing := fetch(t, c, 2, infos(1, 2), infos(2))
			slices.Sort(missing)
			if len(bodies) != 0 || !slices.Equal(missing, []uint32{1, 2, 2}) {
				t.Errorf("bodies = %v, missing = %v", bodies, missing)
			}
			equal(t, "the connection is good", list(t, c), []uint32{1, 2, 3})
		})
	}
}

func TestBodyBeforeUIDComesWhenAskedForAlone(t *testing.T) {
	c, _ := script(t, "", imapconn.Options{}, imaptest.Rules{"UID FETCH": func(c *conn, tag, args string) {
		for _, n := range []string{"1", "2"} {
			if strings.HasPrefix(args, n) {
				c.Send("* %s FETCH (BODY[] {6}\r\nmail %s UID %s)", n, n, n)
			}
		}
		c.OK(tag)
	}})
	bodies, missing := fetch(t, c, 1, infos(1), infos(2))
	if len(missing) != 0 || string(bodies[1]) != "mail 1" || string(bodies[2]) != "mail 2" {
		t.Errorf("bodies = %v, missing = %v", bodies, missing)
	}
}

// Dovecot answers that way: no command is told to be done while more of them
// come. Mails that are missing must still be told soon, and commands must not
// pile up.
func TestTaggedAnswersWithheld(t *testing.T) {
	most := make(chan int, 1000)
	rules := imaptest.Rules{"UID FETCH": func(c *conn, tag, args string) {
		tags := []string{tag}
		for {
			if !strings.HasPrefix(args, "2 ") {
				var n int
				fmt.Sscan(args, &n)
				c.Mail(n)
			}
			// One more command may be on its way.
			c.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
			line, ok := c.Line()
			c.SetReadDeadline(time.Time{})
			if !ok {
				break
			}
			tag, rest, _ := strings.Cut(line, " ")
			args = strings.TrimPrefix(rest, "UID FETCH ")
			tags = append(tags, tag)
		}
		most <- len(tags)
		for _, tag := range tags {
			c.OK(tag)
		}
	}}
	c, _ := script(t, "", imapconn.Options{}, rules)
	const n = 150
	var all [][]imapconn.MailInfo
	for i := range n {
		uid := uint32(1)
		if i%50 == 10 {
			uid = 2
		}
		all = append(all, []imapconn.MailInfo{{UID: uid, Size: int64(i)}})
	}
	mails, missing, finished := 0, 0, 0
	err := c.Fetch(t.Context(), imapconn.FetchOptions{Depth: 3}, batches(all...),
		func(info imapconn.MailInfo, r io.Reader) error { mails++; return nil },
		func(batch []imapconn.MailInfo, m []uint32) {
			if i := int(batch[0].Size); i < finished-5 {
				t.Errorf("batch %d was finished after %d others", i, finished)
			}
			finished++
			missing += len(m)
		})
	if err != nil || mails != n-3 || missing != 3 || finished != n {
		t.Errorf("%d mails, %d missing, %d batches, err = %v", mails, missing, finished, err)
	}
	close(most)
	for held := range most {
		if held > 32 {
			t.Errorf("%d commands were under way", held)
		}
	}
}

func TestDownloadsCutShort(t *testing.T) {
	for name, test := range map[string]struct {
		rule func(c *conn, tag, args string)
		kind imapconn.Kind
		says string
	}{
		"end in the body":       {func(c *conn, _, _ string) { c.Raw("* 1 FETCH (UID 1 BODY[] {1000}\r\nshort"); c.Close() }, imapconn.KindUnreachable, ""},
		"BYE in the body":       {func(c *conn, _, _ string) { c.Raw("* 1 FETCH (UID 1 BODY[] {1000}\r\nshort\r\n* BYE\r\n"); c.Close() }, imapconn.KindUnreachable, ""},
		"end behind the header": {func(c *conn, _, _ string) { c.Raw("* 1 FETCH (UID 1 BODY[] {1000}\r\n"); c.Close() }, imapconn.KindUnreachable, ""},
		"end":                   {func(c *conn, _, _ string) { c.Close() }, imapconn.KindUnreachable, ""},
		"BYE":                   {func(c *conn, _, _ string) { c.Send("* BYE [UNAVAILABLE] going\x07 down"); c.Close() }, imapconn.KindThrottled, "going down"},
		"silence":               {func(c *conn, _, _ string) { c.Hang() }, imapconn.KindUnreachable, "nothing for too long"},
		"silence in the body":   {func(c *conn, _, _ string) { c.Raw("* 1 FETCH (UID 1 BODY[] {1000}\r\nshort"); c.Hang() }, imapconn.KindUnreachable, "nothing for too long"},
		"too large":             {func(c *conn, _, _ string) { c.Raw("* 1 FETCH (UID 1 BODY[] {1000001}\r\n"); c.Hang() }, imapconn.KindProtocol, "UID 1 has 1000001 bytes"},
		"line without end":      {func(c *conn, _, _ string) { c.Raw("* OK " + strings.Repeat("x", 1<<20)); c.Hang() }, imapconn.KindProtocol, "line without end"},
		"huge string":           {func(c *conn, _, _ string) { c.Raw("* LIST () \"/\" {300000000}\r\n"); c.Hang() }, imapconn.KindProtocol, "300000000 bytes"},
		"garbage":               {func(c *conn, _, _ string) { c.Send("\x00\x01 garbage"); c.Hang() }, imapconn.KindProtocol, ""},
		"BAD":                   {func(c *conn, tag, _ string) { c.Send("%s BAD what?", tag) }, imapconn.KindProtocol, "what?"},
		"throttled": {func(c *conn, tag, _ string) {
			c.Send("%s BAD Request is throttled. Suggested Backoff Time: 89117 milliseconds", tag)
		}, imapconn.KindThrottled, "throttled"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, _ := script(t, "", imapconn.Options{StallTimeout: 200 * time.Millisecond, MaxLiteral: 1_000_000}, imaptest.Rules{"UID FETCH": test.rule})
			var m0, m1 runtime.MemStats
			runtime.ReadMemStats(&m0)
			taken := 0
			err := c.Fetch(t.Context(), imapconn.FetchOptions{}, batches(infos(1, 2), infos(3)), func(_ imapconn.MailInfo, r io.Reader) error {
				raw, err := io.ReadAll(r)
				if err == nil {
					taken++
					t.Errorf("a cut mail was taken for a whole one: %q", raw)
				}
				return err
			}, func([]imapconn.MailInfo, []uint32) { t.Error("a batch was finished") })
			runtime.ReadMemStats(&m1)
			if imapconn.KindOf(err) != test.kind || !strings.Contains(fmt.Sprint(err), test.says) || !strings.Contains(err.Error(), "acme/script") {
				t.Errorf("kind = %v, err = %v", imapconn.KindOf(err), err)
			}
			if name == "too large" {
				var large *imapconn.TooLargeError
				if !errors.As(err, &large) || large.UID != 1 {
					t.Errorf("err = %#v", err)
				}
			}
			if name == "throttled" {
				if after, ok := fault.RetryAfter(err); !ok || after != 89117*time.Millisecond {
					t.Errorf("retry after %v, %v", after, ok)
				}
			}
			if test.kind == imapconn.KindUnreachable && !fault.IsUnavailable(err) {
				t.Error("not unavailable for package fault")
			}
			if strings.ContainsAny(err.Error(), "\x07\x00\r\n") {
				t.Errorf("error has control characters: %q", err)
			}
		})
	}
}

func TestOneMailRefused(t *testing.T) {
	c, _ := script(t, "", imapconn.Options{}, imaptest.Rules{"UID FETCH": func(c *conn, tag, args string) {
		c.Mail(1)
		c.Send("%s NO [SERVERBUG] cannot read mail 2", tag)
	}})
	bodies, missing := fetch(t, c, 1, infos(1, 2))
	if string(bodies[1]) != "mail 1" || !slices.Equal(missing, []uint32{2}) {
		t.Errorf("bodies = %v, missing = %v", bodies, missing)
	}
}

// A server may be slow, as long as bytes come.
func TestSlowMailComes(t *testing.T) {
	c, _ := script(t, "", imapconn.Options{StallTimeout: 500 * time.Millisecond}, imaptest.Rules{"UID FETCH": func(c *conn, tag, _ string) {
		c.Drip("* 1 FETCH (UID 1 BODY[] {6}\r\nmail 1)\r\n"+tag+" OK done\r\n", 20*time.Millisecond)
	}})
	if bodies, _ := fetch(t, c, 1, infos(1)); string(bodies[1]) != "mail 1" {
		t.Errorf("bodies = %v", bodies)
	}
}

func TestSlowCallerIsWaitedFor(t *testing.T) {
	c, _ := script(t, "", imapconn.Options{StallTimeout: 50 * time.Millisecond}, nil)
	n := 0
	err := c.Fetch(t.Context(), imapconn.FetchOptions{}, batches(infos(1, 2, 3)), func(_ imapconn.MailInfo, r io.Reader) error {
		<-time.After(120 * time.Millisecond)
		raw, err := io.ReadAll(r)
		if err == nil && strings.HasPrefix(string(raw), "mail") {
			n++
		}
		return err
	}, nil)
	if err != nil || n != 3 {
		t.Errorf("%d mails, err = %v", n, err)
	}
}

func TestDownloadEndsWithItsContext(t *testing.T) {
	c, _ := script(t, "", imapconn.Options{}, imaptest.Rules{"UID FETCH": func(c *conn, _, _ string) { c.Hang() }})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	err := c.Fetch(ctx, imapconn.FetchOptions{}, func(ctx context.Context) ([]imapconn.MailInfo, bool) {
		return infos(1), true
	}, func(imapconn.MailInfo, io.Reader) error { return nil }, nil)
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("err = %v", err)
	}
}

// What next waits for may never come when the connection is gone.
func TestNextIsWokenByAFailure(t *testing.T) {
	c, _ := script(t, "", imapconn.Options{}, imaptest.Rules{"UID FETCH": func(c *conn, _, _ string) { c.Close() }})
	sent := false
	err := c.Fetch(t.Context(), imapconn.FetchOptions{}, func(ctx context.Context) ([]imapconn.MailInfo, bool) {
		if !sent {
			sent = true
			return infos(1), true
		}
		<-ctx.Done()
		return nil, false
	}, func(imapconn.MailInfo, io.Reader) error { return nil }, nil)
	if imapconn.KindOf(err) != imapconn.KindUnreachable {
		t.Errorf("err = %v", err)
	}
}
