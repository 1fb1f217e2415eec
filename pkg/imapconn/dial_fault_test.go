package imapconn_test

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/mailyard/mailyard/pkg/fault"
	"github.com/mailyard/mailyard/pkg/imapconn"
	"github.com/mailyard/mailyard/pkg/imapconn/imaptest"
	"github.com/mailyard/mailyard/pkg/mailhost"
	"github.com/mailyard/mailyard/pkg/secret"
	"github.com/mailyard/mailyard/schemas/config"
)

func greets(format string, args ...any) imaptest.Rules {
	return imaptest.Rules{"GREETING": func(c *conn, _, _ string) { c.Send(format, args...) }}
}

func TestConnectionsRefused(t *testing.T) {
	cert := imaptest.NewCertificate(t, time.Time{})
	expired := imaptest.NewCertificate(t, time.Now().Add(-time.Hour))
	named := imaptest.NewCertificate(t, time.Time{}, "mail.example.org", "imap.example.org")
	clear := func(t *imapconn.Target) { t.AllowInsecure = true }
	strict := func(t *imapconn.Target) { t.AllowInsecure = false }
	direct := func(t *imapconn.Target) { t.Security = config.SecurityTLS }
	login := func(answer string) imaptest.Rules {
		return imaptest.Rules{"LOGIN": func(c *conn, tag, _ string) { c.Send("%s %s", tag, answer) }}
	}
	for name, test := range map[string]struct {
		cert   *imaptest.Certificate
		change func(*imapconn.Target)
		caps   string
		rules  imaptest.Rules
		kind   imapconn.Kind
		says   string
	}{
		"no STARTTLS":                          {change: strict, kind: imapconn.KindTLS, says: "does not offer STARTTLS"},
		"STARTTLS refused":                     {cert: &cert, rules: imaptest.Rules{"STARTTLS": func(c *conn, tag, _ string) { c.Send("%s NO not now", tag) }}, kind: imapconn.KindTLS, says: "not now"},
		"STARTTLS refused, clear text allowed": {cert: &cert, change: clear, rules: imaptest.Rules{"STARTTLS": func(c *conn, tag, _ string) { c.Send("%s NO not now", tag) }}, kind: imapconn.KindTLS, says: "not now"},
		"bytes behind STARTTLS":                {cert: &cert, rules: imaptest.Rules{"STARTTLS": func(c *conn, tag, _ string) { c.Raw(tag + " OK go\r\n* CAPABILITY IMAP4rev1 EVIL\r\n"); c.Hang() }}, kind: imapconn.KindTLS, says: "behind the answer to STARTTLS"},
		"bytes later than STARTTLS": {cert: &cert, rules: imaptest.Rules{"STARTTLS": func(c *conn, tag, _ string) {
			c.OK(tag)
			c.Drip("* CAPABILITY IMAP4rev1 EVIL\r\n", time.Millisecond)
			c.Hang()
		}}, kind: imapconn.KindTLS, says: "clear text"},
		"PREAUTH":                     {cert: &cert, rules: greets("* PREAUTH hello"), kind: imapconn.KindTLS, says: "PREAUTH"},
		"PREAUTH in clear text":       {rules: greets("* PREAUTH hello"), kind: imapconn.KindTLS, says: "PREAUTH"},
		"TLS meets a greeting":        {cert: &cert, change: direct, kind: imapconn.KindTLS, says: "set imap.security to start-tls"},
		"TLS meets silence":           {cert: &cert, change: direct, rules: imaptest.Rules{"GREETING": func(c *conn, _, _ string) { c.Hang() }}, kind: imapconn.KindTLS, says: "set imap.security to start-tls"},
		"silence":                     {cert: &cert, rules: imaptest.Rules{"GREETING": func(c *conn, _, _ string) { c.Hang() }}, kind: imapconn.KindTLS, says: "set imap.security to ssl-on-connect"},
		"a greeting drips":            {cert: &cert, rules: imaptest.Rules{"GREETING": func(c *conn, _, _ string) { c.Drip(strings.Repeat("x", 1000), 10*time.Millisecond) }}, kind: imapconn.KindTLS, says: "says nothing"},
		"expired":                     {cert: &expired, kind: imapconn.KindTLS, says: "valid from"},
		"for other names":             {cert: &named, kind: imapconn.KindTLS, says: "mail.example.org, imap.example.org"},
		"SMTP":                        {rules: greets("220 mail.example.org ESMTP"), kind: imapconn.KindProtocol, says: "not an IMAP server"},
		"POP3":                        {rules: greets("+OK ready"), kind: imapconn.KindProtocol, says: "not an IMAP server"},
		"no line end":                 {rules: imaptest.Rules{"GREETING": func(c *conn, _, _ string) { c.Raw(strings.Repeat("x", 100_000)); c.Hang() }}, kind: imapconn.KindProtocol, says: "line without end"},
		"closed at once":              {rules: imaptest.Rules{"GREETING": func(c *conn, _, _ string) { c.Close() }}, kind: imapconn.KindUnreachable, says: "without a greeting"},
		"BYE":                         {rules: greets("* BYE Too many connections from your address"), kind: imapconn.KindThrottled, says: "Too many connections"},
		"BYE without a reason":        {rules: greets("* BYE"), kind: imapconn.KindUnreachable, says: "BYE"},
		"wrong password":              {rules: login("NO [AUTHENTICATIONFAILED] Invalid credentials"), kind: imapconn.KindCredentials, says: "Invalid credentials"},
		"wrong password, no code":     {rules: login("NO LOGIN failed."), kind: imapconn.KindCredentials, says: "check username and password"},
		"app password":                {rules: login("NO [ALERT] Application-specific password required"), kind: imapconn.KindCredentials, says: "wants an app password"},
		"temporary":                   {rules: login("NO [UNAVAILABLE] Temporary authentication failure."), kind: imapconn.KindThrottled},
		"in use":                      {rules: login("NO [INUSE] mailbox is locked"), kind: imapconn.KindThrottled},
		"limit":                       {rules: login("NO [LIMIT] too many sessions"), kind: imapconn.KindThrottled},
		"Gmail's limit":               {rules: login("NO [ALERT] Too many simultaneous connections. (Failure)"), kind: imapconn.KindThrottled},
		"Gmail's bandwidth":           {rules: login("NO [OVERQUOTA] Account exceeded command or bandwidth limits. (Failure)"), kind: imapconn.KindThrottled},
		"Exchange's throttle":         {rules: login("BAD Request is throttled. Suggested Backoff Time: 5000 milliseconds"), kind: imapconn.KindThrottled},
		"Exchange's licence":          {rules: login("BAD User is authenticated but not connected."), kind: imapconn.KindThrottled},
		"TLS wanted":                  {rules: login("NO [PRIVACYREQUIRED] use TLS"), kind: imapconn.KindTLS, says: "imap.security"},
		"no password sign-in":         {caps: "LOGINDISABLED AUTH=XOAUTH2", kind: imapconn.KindCredentials, says: "no sign-in with a password"},
		"throttled sign-in, then BYE": {rules: imaptest.Rules{"LOGIN": func(c *conn, _, _ string) { c.Send("* BYE [UNAVAILABLE] Server busy"); c.Close() }}, kind: imapconn.KindThrottled, says: "Server busy"},
		"no capabilities":             {rules: imaptest.Rules{"LOGIN": func(c *conn, tag, _ string) { c.OK(tag) }, "CAPABILITY": func(c *conn, tag, _ string) { c.OK(tag) }}, kind: imapconn.KindProtocol, says: "no capabilities"},
		"endless answer":              {rules: imaptest.Rules{"LOGIN": func(c *conn, tag, _ string) { c.Raw(strings.Repeat("* OK "+strings.Repeat("x", 1000)+"\r\n", 1000)) }}, kind: imapconn.KindProtocol, says: "too much"},
		"silence after the greeting":  {rules: imaptest.Rules{"LOGIN": func(c *conn, _, _ string) { c.Hang() }}, kind: imapconn.KindUnreachable, says: "does not answer"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := imaptest.NewScript(t, test.caps, test.cert, test.rules)
			target := s.Target()
			if test.change != nil {
				test.change(&target)
			}
			core, logs := observer.New(zap.DebugLevel)
			c, err := imapconn.Dial(t.Context(), target, imapconn.Options{GreetingTimeout: 300 * time.Millisecond, CommandTimeout: 300 * time.Millisecond, Logger: zap.New(core)})
			if err == nil {
				c.Close()
				t.Fatal("connected")
			}
			if imapconn.KindOf(err) != test.kind || !strings.Contains(err.Error(), test.says) || !strings.Contains(err.Error(), "acme/script") {
				t.Errorf("kind = %v, want %v with %q: %v", imapconn.KindOf(err), test.kind, test.says, err)
			}
			if after, ok := fault.RetryAfter(err); ok != (test.kind == imapconn.KindThrottled) || ok && after <= 0 {
				t.Errorf("retry after %v, %v", after, ok)
			}
			if fault.IsPermanent(err) {
				t.Error("permanent: a retry may always help")
			}
			said := err.Error() + fmt.Sprint(logs.All())
			if strings.Contains(said, "pass-word") || strings.Contains(said, base64.StdEncoding.EncodeToString([]byte("\x00user\x00pass-word"))) {
				t.Errorf("the password is shown: %s", said)
			}
			// Where TLS is demanded and did not come about, nothing was told.
			if !target.AllowInsecure {
				for _, command := range s.Commands() {
					if strings.Contains(command, "LOGIN") || strings.Contains(command, "AUTHENTICATE") {
						t.Errorf("sent %q", command)
					}
				}
			}
		})
	}
}

func TestWaysToSignIn(t *testing.T) {
	for name, test := range map[string]struct {
		caps, user, password string
		want                 []string // what the server receives
		rules                imaptest.Rules
	}{
		"LOGIN":                {user: "user", password: `pa"ss\`, want: []string{`LOGIN "user" "pa\"ss\\"`}},
		"PLAIN at once":        {caps: "AUTH=PLAIN SASL-IR", user: "user", password: "pässword", want: []string{"AUTHENTICATE PLAIN " + base64.StdEncoding.EncodeToString([]byte("\x00user\x00pässword"))}},
		"PLAIN not understood": {caps: "AUTH=PLAIN SASL-IR", user: "u", password: "p", want: []string{"AUTHENTICATE PLAIN AHUAcA==", `LOGIN "u" "p"`}, rules: imaptest.Rules{"AUTHENTICATE": func(c *conn, tag, _ string) { c.Send("%s BAD what?", tag) }}},
		"PLAIN asked for": {caps: "AUTH=PLAIN", user: "u", password: "p", want: []string{"AUTHENTICATE PLAIN"}, rules: imaptest.Rules{"AUTHENTICATE": func(c *conn, tag, _ string) {
			c.Send("+ ")
			if line, _ := c.Line(); line != "AHUAcA==" {
				c.Send("%s NO %s", tag, line)
				return
			}
			c.Answer("AUTHENTICATE", tag, "")
		}}},
		"LOGIN with literals": {user: "üser", password: "pä", want: []string{"LOGIN {5}"}, rules: imaptest.Rules{"LOGIN": func(c *conn, tag, _ string) {
			c.Send("+ go on")
			user, _ := c.Line()
			c.Send("+ go on")
			password, _ := c.Line()
			if user != "üser {3}" || password != "pä" {
				c.Send("%s NO %q %q", tag, user, password)
				return
			}
			c.Answer("LOGIN", tag, "")
		}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := imaptest.NewScript(t, test.caps, nil, test.rules)
			target := s.Target()
			target.Username, target.Password = test.user, secret.NewString(test.password)
			dial(t, target, imapconn.Options{})
			var got []string
			for _, command := range s.Commands() {
				if strings.HasPrefix(command, "LOGIN") || strings.HasPrefix(command, "AUTH") {
					got = append(got, command)
				}
			}
			equal(t, "sent", got, test.want)
		})
	}
}

func TestANoIsNotAskedTwice(t *testing.T) {
	s := imaptest.NewScript(t, "AUTH=PLAIN SASL-IR", nil, imaptest.Rules{"AUTHENTICATE": func(c *conn, tag, _ string) { c.Send("%s NO no", tag) }})
	if _, err := imapconn.Dial(t.Context(), s.Target(), imapconn.Options{}); imapconn.KindOf(err) != imapconn.KindCredentials {
		t.Errorf("err = %v", err)
	}
	if got := s.Received("LOGIN"); len(got) > 0 {
		t.Errorf("sent %q: accounts get locked by this", got)
	}
}

func TestIdentificationIsSafe(t *testing.T) {
	for name, answer := range map[string]string{
		"NIL":       "* ID NIL",
		"NIL value": `* ID ("name" NIL "Version" "1")`,
		"literal":   "* ID (\"name\" {4}\r\na\"b\\)",
		"refused":   "* BAD no ID",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, s := script(t, "ID", imapconn.Options{}, imaptest.Rules{"ID": answers(answer)})
			if len(s.Received(`ID ("name" "mailyard")`)) != 1 {
				t.Errorf("sent %q", s.Commands())
			}
			equal(t, "listed", list(t, c), []uint32{1, 2, 3})
		})
	}
}

// With both revisions offered, the first is spoken: names in modified UTF-7.
func TestBothRevisions(t *testing.T) {
	again := answers("* CAPABILITY IMAP4rev2", "* OK [CAPABILITY IMAP4rev2] x")
	c, s := script(t, "IMAP4rev2 MOVE UIDPLUS", imapconn.Options{}, imaptest.Rules{"NOOP": again})
	if _, err := c.Exists(t.Context(), []uint32{1}); err != nil {
		t.Fatal(err)
	}
	if err := c.EnsureFolder(t.Context(), "Übung & mehr"); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Move(t.Context(), 7, []uint32{1}, "Done"); err != nil || len(s.Received("UID MOVE")) != 1 {
		t.Errorf("sent %q, err = %v", s.Commands(), err)
	}
	if got := s.Received(`STATUS "&ANw-bung &- mehr"`); len(got) != 1 {
		t.Errorf("sent %q", s.Commands())
	}
}

func TestNamespaces(t *testing.T) {
	for name, test := range map[string]struct {
		caps, namespace, list, want string
	}{
		"prefix":          {"NAMESPACE", `* NAMESPACE (("INBOX." ".")) NIL NIL`, "", `"INBOX.A.B"`},
		"extensions":      {"NAMESPACE", `* NAMESPACE (("" "/" "X-PARAM" ("FLAG1" "FLAG2")) ("#mh/" "/")) (("~" "/")) NIL`, "", `"A/B"`},
		"flat":            {"NAMESPACE", `* NAMESPACE (("" NIL)) NIL NIL`, "", `"A/B"`},
		"cut short":       {"NAMESPACE", `* NAMESPACE (("INBOX/" "/"))`, "", `"INBOX/A/B"`},
		"literal":         {"NAMESPACE", "* NAMESPACE (({6}\r\nINBOX. \".\")) NIL NIL", "", `"INBOX.A.B"`},
		"none":            {"NAMESPACE", `* NAMESPACE NIL NIL NIL`, `* LIST (\Noselect) "." ""`, `"A.B"`},
		"refused":         {"NAMESPACE", `* NO what?`, `* LIST (\Noselect) "\\" ""`, `"A\\B"`},
		"not offered":     {"", "", `* LIST (\Noselect) "." ""`, `"A.B"`},
		"nothing is told": {"", "", "* OK", `"A/B"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, s := script(t, test.caps, imapconn.Options{}, imaptest.Rules{"NAMESPACE": answers(test.namespace), "LIST": answers(test.list)})
			if err := c.EnsureFolder(t.Context(), "A/B"); err != nil {
				t.Fatal(err)
			}
			if got := s.Received("STATUS " + test.want); len(got) != 1 {
				t.Errorf("sent %q", s.Commands())
			}
		})
	}
}

func TestDialHookAndContext(t *testing.T) {
	s := imaptest.NewScript(t, "", nil, imaptest.Rules{"GREETING": func(c *conn, _, _ string) { c.Hang() }})
	denied := errors.New("denied")
	_, err := imapconn.Dial(t.Context(), s.Target(), imapconn.Options{Dial: func(_ context.Context, network, addr string) (net.Conn, error) {
		if network != "tcp" || addr != net.JoinHostPort(s.Host, fmt.Sprint(s.Port)) {
			t.Errorf("asked to connect to %s %s", network, addr)
		}
		return nil, denied
	}})
	if !errors.Is(err, denied) || imapconn.KindOf(err) != imapconn.KindUnreachable {
		t.Errorf("err = %v", err)
	}
	for host, want := range map[string]string{"mail.müller.example": "mail.xn--mller-kva.example:993", "mail.example.": "mail.example:993", "::1": "[::1]:993"} {
		imapconn.Dial(t.Context(), imapconn.Target{Host: host, Port: 993}, imapconn.Options{Dial: func(_ context.Context, _, addr string) (net.Conn, error) {
			if addr != want {
				t.Errorf("%s becomes %s, want %s", host, addr, want)
			}
			return nil, denied
		}})
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
	defer cancel()
	if _, err := imapconn.Dial(ctx, s.Target(), imapconn.Options{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("err = %v", err)
	}
}

func TestTLSVersions(t *testing.T) {
	cert := imaptest.NewCertificate(t, time.Time{})
	pair, err := tls.X509KeyPair([]byte(cert.Cert), []byte(cert.Key))
	if err != nil {
		t.Fatal(err)
	}
	s := imaptest.NewScript(t, "", &cert, imaptest.Rules{"STARTTLS": func(c *conn, tag, _ string) {
		c.OK(tag)
		tls.Server(c.Conn, &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}).Handshake()
	}})
	_, err = imapconn.Dial(t.Context(), s.Target(), imapconn.Options{})
	if imapconn.KindOf(err) != imapconn.KindTLS || !strings.Contains(err.Error(), "TLS 1.2") {
		t.Errorf("err = %v", err)
	}
}

// What was offered before the sign-in does not count after it.
func TestCapabilitiesAfterSignIn(t *testing.T) {
	c, s := script(t, "MOVE UIDPLUS IDLE", imapconn.Options{}, imaptest.Rules{
		"LOGIN":      func(c *conn, tag, _ string) { c.Caps = "IMAP4rev1"; c.OK(tag) },
		"UID SEARCH": answers("* SEARCH 1"),
	})
	if c.HasIdle() {
		t.Error("IDLE is taken for offered")
	}
	if _, err := c.Move(t.Context(), 7, []uint32{1}, "Done"); err != nil {
		t.Fatal(err)
	}
	if sent := s.Commands(); slices.ContainsFunc(sent, func(c string) bool { return strings.HasPrefix(c, "UID MOVE") || strings.Contains(c, "EXPUNGE") }) {
		t.Errorf("sent %q", sent)
	}
}

// What a server calls a capability is shown to people: only an atom is one.
func TestCapabilitiesAreAtoms(t *testing.T) {
	t.Parallel()
	s := imaptest.NewScript(t, "MOVE \x1b[2J \u202eEVOM X{3 IDLE", nil, nil)
	var told []string
	c, err := imapconn.Dial(t.Context(), s.Target(), imapconn.Options{Observe: func(p mailhost.Progress) {
		if p.Stage == mailhost.StageSignIn && p.Ended {
			told = p.Capabilities
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	equal(t, "told", told, []string{"IMAP4REV1", "MOVE", "IDLE"})
}
