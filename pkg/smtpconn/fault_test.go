package smtpconn_test

import (
	"bufio"
	"context"
	"encoding/base64"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/mailyard/mailyard/pkg/imapconn/imaptest"
	"github.com/mailyard/mailyard/pkg/mailhost"
	"github.com/mailyard/mailyard/pkg/secret"
	"github.com/mailyard/mailyard/pkg/smtpconn"
	"github.com/mailyard/mailyard/schemas/config"
)

// script starts a server that greets and then answers by the command's first
// word; without an answer it is silent.
func script(t *testing.T, greeting string, answers map[string]string) smtpconn.Target {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		conn.Write([]byte(greeting))
		for br := bufio.NewReader(conn); ; {
			line, err := br.ReadString('\n')
			if err != nil {
				return
			}
			word, _, _ := strings.Cut(strings.TrimSpace(line), " ")
			conn.Write([]byte(strings.ReplaceAll(answers[word], "LINE", strings.TrimSpace(line))))
		}
	}()
	t.Cleanup(func() { l.Close(); <-done })
	return smtpconn.Target{
		Tenant: "acme", Mailbox: "desk", Host: "127.0.0.1", Port: l.Addr().(*net.TCPAddr).Port, Security: config.SecurityAuto,
		AllowInsecure: true, Username: "user", Password: secret.NewString("pass-word"),
	}
}

const hello = "250-here\r\n250 AUTH PLAIN LOGIN\r\n"

func TestTroubleIsNamed(t *testing.T) {
	t.Parallel()
	s := server(t, imaptest.Options{})
	wrong := target(s, s.SMTP, config.SecurityAuto)
	wrong.Password = secret.NewString("wrong")
	untrusted := target(s, s.SMTP, config.SecurityAuto)
	untrusted.CA = ""
	strict := script(t, "220 hi\r\n", map[string]string{"EHLO": "250-here\r\n250 AUTH PLAIN\r\n"})
	strict.AllowInsecure = false
	implicit := script(t, "220 hi\r\n", nil)
	implicit.Security = config.SecurityTLS
	nobody := target(s, s.SMTP, config.SecurityAuto)
	nobody.Username = ""
	for name, test := range map[string]struct {
		target smtpconn.Target
		kind   mailhost.Kind
		want   string
	}{
		"wrong password":            {wrong, mailhost.KindCredentials, "check username and password"},
		"no username":               {nobody, mailhost.KindCredentials, "username"},
		"unknown authority":         {untrusted, mailhost.KindTLS, "smtp.ca"},
		"no STARTTLS offered":       {strict, mailhost.KindTLS, "465"},
		"TLS to a plain port":       {implicit, mailhost.KindTLS, "start-tls"},
		"plain to a TLS port":       {target(s, s.SMTPTLS, config.SecuritySTARTTLS), mailhost.KindTLS, "ssl-on-connect"},
		"silence":                   {script(t, "", nil), mailhost.KindTLS, "ssl-on-connect"},
		"an IMAP server":            {target(s, s.Port, config.SecurityAuto), mailhost.KindProtocol, "smtp.port"},
		"a server that is busy":     {script(t, "421 too many connections\r\n", nil), mailhost.KindThrottled, "421"},
		"a server that wants none":  {script(t, "554 go away\r\n", nil), mailhost.KindOther, "554 go away"},
		"no password sign-in":       {script(t, "220 hi\r\n", map[string]string{"EHLO": "250-here\r\n250 AUTH XOAUTH2\r\n"}), mailhost.KindCredentials, "no sign-in with a password"},
		"temporary sign-in trouble": {script(t, "220 hi\r\n", map[string]string{"EHLO": hello, "AUTH": "454 4.7.0 Temporary authentication failure\r\n", "*": "501 ok\r\n"}), mailhost.KindThrottled, "454"},
		"silence after EHLO":        {script(t, "220 hi\r\n", nil), mailhost.KindUnreachable, "does not answer"},
		"an endless line":           {script(t, strings.Repeat("x", 1<<20), nil), mailhost.KindProtocol, "too much"},
		"endless lines":             {script(t, strings.Repeat("220-x\r\n", 100_000), nil), mailhost.KindProtocol, "too much"},
		"endless lines later":       {script(t, "220 hi\r\n", map[string]string{"EHLO": hello, "AUTH": strings.Repeat("235-x\r\n", 100_000)}), mailhost.KindProtocol, "too much"},
		"codes that differ":         {script(t, "220-a\r\n250 b\r\n", nil), mailhost.KindProtocol, "not an SMTP server"},
		"more behind the greeting":  {script(t, "220 hi\r\n250 x\r\n", nil), mailhost.KindProtocol, "interfering"},
		"injection at STARTTLS":     {script(t, "220 hi\r\n", map[string]string{"EHLO": "250-here\r\n250 STARTTLS\r\n", "STARTTLS": "220 go\r\n250 evil\r\n"}), mailhost.KindTLS, "in the clear"},
		"STARTTLS refused":          {script(t, "220 hi\r\n", map[string]string{"EHLO": "250-here\r\n250 STARTTLS\r\n", "STARTTLS": "454 not now\r\n"}), mailhost.KindTLS, "454 not now"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var opts smtpconn.Options // servers that answer have the time that they need
			switch name {
			case "silence", "plain to a TLS port":
				opts.GreetingTimeout = time.Second
			case "silence after EHLO":
				opts = quick()
			}
			_, err := smtpconn.Dial(t.Context(), test.target, opts)
			if err == nil || mailhost.KindOf(err) != test.kind || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%v is %v", err, mailhost.KindOf(err))
			}
			if err != nil && (strings.Contains(err.Error(), "pass-word") || len(err.Error()) > 1000) {
				t.Errorf("error shows too much: %v", err)
			}
		})
	}
}

func TestPasswordIsNotShown(t *testing.T) {
	t.Parallel()
	plain := base64.StdEncoding.EncodeToString([]byte("\x00user\x00pass-word"))
	for name, answer := range map[string]string{
		"repeated command":  "535 LINE is wrong\r\n",
		"repeated password": "535 user pass-word is wrong\r\n",
		"broken reply":      "wrong pass-word\r\n",
		"long reply":        "535 " + strings.Repeat("a", 250) + " pass-word\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := smtpconn.Dial(t.Context(), script(t, "220 hi\r\n", map[string]string{"EHLO": hello, "AUTH": answer, "*": "501 ok\r\n"}), smtpconn.Options{})
			if err == nil || strings.Contains(err.Error(), "pass-w") || strings.Contains(err.Error(), plain) {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestSignInByLOGIN(t *testing.T) {
	t.Parallel()
	encode := base64.StdEncoding.EncodeToString
	for name, answers := range map[string]map[string]string{
		"only LOGIN is offered": {"EHLO": "250-here\r\n250 AUTH LOGIN\r\n", "AUTH": "334 " + encode([]byte("User Name")) + "\r\n"},
		"an old extension":      {"EHLO": "250-here\r\n250 AUTH=LOGIN\r\n", "AUTH": "334 VXNlcm5hbWU6\r\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			answers[encode([]byte("user"))] = "334 UGFzc3dvcmQ6\r\n"
			answers[encode([]byte("pass-word"))] = "235 welcome\r\n"
			answers["QUIT"] = "221 bye\r\n"
			c, err := smtpconn.Dial(t.Context(), script(t, "220 hi\r\n", answers), smtpconn.Options{})
			if err != nil {
				t.Fatal(err)
			}
			c.Close()
		})
	}
}

func TestServerThatStopsAnsweringIsGivenUp(t *testing.T) {
	t.Parallel()
	for name, answers := range map[string]map[string]string{
		"at MAIL": {}, "at DATA": {"MAIL": "250 ok\r\n", "RCPT": "250 ok\r\n"},
		"at the end": {"MAIL": "250 ok\r\n", "RCPT": "250 ok\r\n", "DATA": "354 go on\r\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			answers["EHLO"], answers["AUTH"] = hello, "235 welcome\r\n"
			c, err := smtpconn.Dial(t.Context(), script(t, "220 hi\r\n", answers), quick())
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			if err := c.Send(t.Context(), "a@x", []string{"b@x"}, strings.NewReader(mail)); mailhost.KindOf(err) != mailhost.KindUnreachable {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestTheEndOfTheContextEndsEverything(t *testing.T) {
	t.Parallel()
	cause := errors.New("enough")
	for name, greeting := range map[string]string{"greeting": "", "hello": "220 hi\r\n"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancelCause(t.Context())
			defer time.AfterFunc(50*time.Millisecond, func() { cancel(cause) }).Stop()
			began := time.Now()
			_, err := smtpconn.Dial(ctx, script(t, greeting, nil), smtpconn.Options{})
			if !errors.Is(err, cause) || time.Since(began) > 8*time.Second { // less than every timeout
				t.Errorf("%v after %v", err, time.Since(began))
			}
		})
	}
}
