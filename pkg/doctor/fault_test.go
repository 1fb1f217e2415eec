package doctor_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/mailyard/mailyard/pkg/doctor"
	"github.com/mailyard/mailyard/pkg/egress"
	"github.com/mailyard/mailyard/pkg/imapconn/imaptest"
	"github.com/mailyard/mailyard/pkg/secret"
	"github.com/mailyard/mailyard/schemas/config"
)

func TestWrongSettingsAreNamedWithTheRemedy(t *testing.T) {
	t.Parallel()
	s := imaptest.Demo(t, imaptest.Options{})
	for name, test := range map[string]struct {
		change func(*doctor.Request)
		failed string
		remedy string
	}{
		"no host":           {func(r *doctor.Request) { r.Document.IMAP.Host = "" }, doctor.StepResolve, "imap.host"},
		"no password":       {func(r *doctor.Request) { r.Password = secret.String{} }, doctor.StepSignIn, "Set password"},
		"wrong password":    {func(r *doctor.Request) { r.Password = secret.NewString("wrong") }, doctor.StepSignIn, "username and password"},
		"TLS to plain port": {func(r *doctor.Request) { r.Document.IMAP.Security = config.SecurityTLS }, doctor.StepTLS, "start-tls"},
		"unknown authority": {func(r *doctor.Request) { r.Document.IMAP.CA = "" }, doctor.StepTLS, "imap.ca"},
		"SMTP port":         {func(r *doctor.Request) { r.Document.IMAP.Port = s.SMTP }, doctor.StepGreeting, "not an IMAP server"},
		"no such folder":    {func(r *doctor.Request) { r.Document.Inbox = "Nowhere" }, doctor.StepInbox, "the folder exists"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			req := request(s.Target("u1"))
			test.change(&req)
			report, steps := examine(t, doctor.Doctor{}, req)
			if step := steps[test.failed]; report.Outcome != doctor.Failed || step.Outcome != doctor.Failed || !strings.Contains(step.Remedy+step.Answer, test.remedy) {
				t.Errorf("%+v", step)
			}
			if name == "unknown authority" && !strings.Contains(value(steps[doctor.StepTLS], "Names"), "localhost") {
				t.Errorf("the certificate that was refused is not shown: %+v", steps[doctor.StepTLS])
			}
			if name == "SMTP port" && steps[doctor.StepTLS].Outcome != doctor.Skipped {
				t.Errorf("%+v", steps[doctor.StepTLS])
			}
			_, err := doctor.Doctor{}.Folders(t.Context(), req)
			var failed *doctor.StepError
			if test.failed != doctor.StepInbox && (!errors.As(err, &failed) || failed.Step.ID != test.failed) {
				t.Errorf("folders: %v", err)
			}
		})
	}
}

func TestNoTLSOnlyWhereTheLandlordAllowsIt(t *testing.T) {
	t.Parallel()
	s := imaptest.Demo(t, imaptest.Options{NoTLS: true})
	req := request(s.Target("u1"))
	_, steps := examine(t, doctor.Doctor{}, req)
	if steps[doctor.StepTLS].Outcome != doctor.Warning || steps[doctor.StepSignIn].Outcome != doctor.OK {
		t.Errorf("%+v\n%+v", steps[doctor.StepTLS], steps[doctor.StepSignIn])
	}
	req.AllowInsecureIMAP = false
	_, steps = examine(t, doctor.Doctor{}, req)
	if steps[doctor.StepTLS].Outcome != doctor.Failed || steps[doctor.StepGreeting].Outcome != doctor.OK || steps[doctor.StepSignIn].Outcome != doctor.Skipped {
		t.Errorf("%+v\n%+v\n%+v", steps[doctor.StepTLS], steps[doctor.StepGreeting], steps[doctor.StepSignIn])
	}
}

func TestProvidersAdvice(t *testing.T) {
	t.Parallel()
	s := imaptest.NewScript(t, "AUTH=PLAIN", nil, imaptest.Rules{"AUTHENTICATE": func(c *imaptest.ScriptConn, tag, _ string) {
		c.Send("%s NO [ALERT] Application-specific password required", tag)
	}})
	req := request(s.Target())
	d := doctor.Doctor{
		LookupNetIP: named("192.0.2.1").LookupNetIP,
		Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, fmt.Sprintf("%s:%d", s.Host, s.Port))
		},
	}
	req.Document.IMAP.Host = "imap.gmail.com"
	_, steps := examine(t, d, req)
	if step := steps[doctor.StepSignIn]; !strings.Contains(step.Answer, "Application-specific") || !strings.Contains(step.Remedy, "myaccount.google.com/apppasswords") {
		t.Errorf("%+v", step)
	}
}

func TestTenantsLearnNothingOfTheLandlordsNetwork(t *testing.T) {
	t.Parallel()
	refused := &net.OpError{Op: "dial", Net: "tcp", Addr: &net.TCPAddr{IP: net.IPv4(10, 1, 2, 3), Port: 993}, Err: syscall.ECONNREFUSED}
	var slow error = &net.OpError{Op: "dial", Net: "tcp", Addr: &net.TCPAddr{IP: net.IPv4(10, 1, 2, 3), Port: 993}, Err: context.DeadlineExceeded}
	forbidden := &egress.RefusedError{Host: "mail.firm.example", Port: 993, Address: netip.MustParseAddr("10.1.2.3"), Reason: "is private"}
	for name, test := range map[string]struct {
		address  string
		err      error
		detailed bool
		want     string
	}{
		"inside, refused":            {"10.1.2.3", refused, false, "The server could not be reached."},
		"inside, silent":             {"10.1.2.3", slow, false, "The server could not be reached."},
		"inside, forbidden":          {"10.1.2.3", forbidden, false, "This server and port are not allowed here."},
		"public, refused":            {"8.8.8.8", refused, false, "The server could not be reached: it refuses connections on this port."},
		"public, by way of egress":   {"8.8.8.8", &egress.FailedError{Host: "mail.firm.example", Port: 993, Err: slow}, false, "The server could not be reached: it does not answer on this port."},
		"inside, for the landlord":   {"10.1.2.3", &egress.FailedError{Host: "mail.firm.example", Port: 993, Err: refused}, true, "10.1.2.3:993: connection refused"},
		"forbidden for the landlord": {"10.1.2.3", forbidden, true, "10.1.2.3 is private"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			req := doctor.Request{Document: config.DefaultMailbox(), Password: secret.NewString("pass-word"), Detailed: test.detailed}
			req.Document.IMAP.Host, req.Document.SMTP.Host, req.Document.Username = "mail.firm.example", "mail.firm.example", "desk@firm.example"
			report, steps := examine(t, failing(test.address, test.err), req)
			if step := steps[doctor.StepConnect]; step.Outcome != doctor.Failed || !strings.Contains(step.Answer, test.want) {
				t.Errorf("%+v", step)
			}
			if text, _ := json.Marshal(report); !test.detailed && bytes.Contains(text, []byte("10.1.2.3")) {
				t.Errorf("address shown: %s", text)
			}
			_, err := failing(test.address, test.err).Folders(t.Context(), req)
			if err == nil || !test.detailed && strings.Contains(err.Error(), "10.1.2.3") {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestNamesThatDoNotResolve(t *testing.T) {
	t.Parallel()
	req := request(imaptest.NewScript(t, "", nil, nil).Target())
	req.Document.IMAP.Host, req.Document.SMTP.Host = "nowhere.example", "nowhere.example"
	for want, err := range map[string]error{
		"no such name":  &net.DNSError{Err: "no such host", Name: "nowhere.example", IsNotFound: true},
		"do not answer": &net.DNSError{Err: "server misbehaving", Name: "nowhere.example", Server: "10.0.0.53:53"},
	} {
		d := doctor.Doctor{LookupNetIP: func(context.Context, string, string) ([]netip.Addr, error) { return nil, err }}
		for _, id := range []string{doctor.StepResolve, doctor.StepSMTPResolve} {
			_, steps := examine(t, d, req)
			if step := steps[id]; step.Outcome != doctor.Failed || !strings.Contains(step.Answer, want) || step.Remedy == "" {
				t.Errorf("%+v", step)
			}
		}
	}
}

func TestPasswordIsInNoStep(t *testing.T) {
	t.Parallel()
	s := imaptest.NewScript(t, "AUTH=PLAIN SASL-IR", nil, imaptest.Rules{
		"AUTHENTICATE": func(c *imaptest.ScriptConn, tag, args string) { c.Send("%s OK welcome pass-word %s", tag, args) },
		"NAMESPACE":    func(c *imaptest.ScriptConn, tag, _ string) { c.Send("%s OK pass-word", tag) },
		"SELECT":       func(c *imaptest.ScriptConn, tag, _ string) { c.Send("%s NO pass-word is not a folder", tag) },
	})
	var told bytes.Buffer
	report := doctor.Doctor{}.Run(t.Context(), request(s.Target()), func(step doctor.Step) {
		if err := json.NewEncoder(&told).Encode(step); err != nil {
			t.Error(err)
		}
	})
	text, err := json.Marshal(report)
	if all := told.String() + string(text); err != nil || strings.Contains(all, "pass-word") || strings.Contains(all, "AHVzZXI") || !strings.Contains(all, "welcome") {
		t.Errorf("%v: %s", err, all)
	}
}

// swallow takes a mail that is appended.
func swallow(c *imaptest.ScriptConn, tag, args string) {
	var size int
	if _, err := fmt.Sscanf(args[strings.LastIndexByte(args, '{'):], "{%d+}", &size); err != nil {
		c.Send("%s BAD %v", tag, err)
		return
	}
	for size >= 0 { // and the end of the command's line
		line, ok := c.Line()
		if !ok {
			return
		}
		size -= len(line) + 2
	}
	c.OK(tag)
}

func TestRightsThatAreMissing(t *testing.T) {
	t.Parallel()
	no := func(c *imaptest.ScriptConn, tag, _ string) { c.Send("%s NO [NOPERM] not for you", tag) }
	for name, test := range map[string]struct {
		rules   imaptest.Rules
		outcome doctor.Outcome
		want    string
	}{
		"to create": {imaptest.Rules{"CREATE": no, "STATUS": no}, doctor.Failed, "not for you"},
		"to put":    {imaptest.Rules{"APPEND": no}, doctor.Failed, "not for you"},
		"to move":   {imaptest.Rules{"UID MOVE": no}, doctor.Failed, "not for you"},
		"to delete": {imaptest.Rules{"DELETE": no}, doctor.Warning, "delete it"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if test.rules["APPEND"] == nil {
				test.rules["APPEND"] = swallow
			}
			s := imaptest.NewScript(t, "MOVE UIDPLUS LITERAL+", nil, test.rules)
			_, steps := examine(t, doctor.Doctor{}, request(s.Target()))
			if step := steps[doctor.StepRights]; step.Outcome != test.outcome || !strings.Contains(step.Answer+step.Remedy, test.want) {
				t.Errorf("%+v", step)
			}
		})
	}
}

func TestAReadOnlyMailboxFails(t *testing.T) {
	t.Parallel()
	s := imaptest.NewScript(t, "MOVE", nil, imaptest.Rules{"SELECT": func(c *imaptest.ScriptConn, tag, _ string) {
		c.Send("* 3 EXISTS\r\n* OK [UIDVALIDITY 7] valid\r\n* OK [UIDNEXT 4] next\r\n%s OK [READ-ONLY] selected", tag)
	}})
	_, steps := examine(t, doctor.Doctor{}, request(s.Target()))
	if step := steps[doctor.StepInbox]; step.Outcome != doctor.Failed || !strings.Contains(step.Remedy, "read only") {
		t.Errorf("%+v", step)
	}
}

// While a server hangs in the middle, the doctor is cancelled: it comes back at
// once and removes over another connection what it made.
func TestCancelledRunCleansUp(t *testing.T) {
	t.Parallel()
	hung := make(chan struct{})
	var made []string
	s := imaptest.NewScript(t, "MOVE UIDPLUS LITERAL+", nil, imaptest.Rules{
		"APPEND": func(c *imaptest.ScriptConn, _, _ string) { close(hung); c.Hang() },
		"STATUS": func(c *imaptest.ScriptConn, tag, args string) {
			name, _, _ := strings.Cut(args, " (")
			if !slices.Contains(made, name) {
				c.Send("%s NO [NONEXISTENT] no such folder", tag)
				return
			}
			c.Answer("STATUS", tag, args)
		},
		"CREATE": func(c *imaptest.ScriptConn, tag, args string) { made = append(made, args); c.OK(tag) },
	})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() { <-hung; cancel() }()
	began := time.Now()
	report := doctor.Doctor{}.Run(ctx, request(s.Target()), nil)
	if took := time.Since(began); took > time.Minute { // less than the time that a run has
		t.Errorf("it took %v", took)
	}
	if report.Outcome != doctor.Failed {
		t.Errorf("a cancelled run is %s", report.Outcome)
	}
	for _, step := range report.Steps {
		if step.Outcome == doctor.Running || step.Outcome == "" {
			t.Errorf("%+v", step)
		}
	}
	if deleted := s.Received("DELETE "); len(made) != 1 || len(deleted) != 1 || deleted[0] != "DELETE "+made[0] {
		t.Errorf("made %q, %q", made, deleted)
	}
}

func TestTheLimitEndsARun(t *testing.T) {
	t.Parallel()
	s := imaptest.NewScript(t, "", nil, imaptest.Rules{"SELECT": func(c *imaptest.ScriptConn, _, _ string) { c.Hang() }})
	began := time.Now()
	report, steps := examine(t, doctor.Doctor{Limit: 3 * time.Second}, request(s.Target()))
	if step := steps[doctor.StepInbox]; report.Outcome != doctor.Failed || step.Outcome != doctor.Failed || !strings.Contains(step.Answer, "3s") || time.Since(began) > time.Minute {
		t.Errorf("%+v after %v", step, time.Since(began))
	}
}

func TestOddFolderListsDoNotHurt(t *testing.T) {
	t.Parallel()
	s := imaptest.NewScript(t, "", nil, imaptest.Rules{"LIST": func(c *imaptest.ScriptConn, tag, args string) {
		if !strings.Contains(args, "*") {
			c.Answer("LIST", tag, args)
			return
		}
		c.Send(`* LIST (\HasNoChildren) "/" "R&D"`) // no modified UTF-7
		c.Raw("* LIST () \"/\" \"caf\xe9\"\r\n")    // Latin-1
		c.Send(`* LIST (\Noselect) "/" "Archive"`)
		c.Send(`* LIST () "" "Flat"`)
		c.Send(`* LIST () NIL {5}` + "\r\nWords")
		c.Send(`* LIST () "/" "Entw&APw-rfe"`)
		for n := range 1500 {
			c.Send(`* LIST () "/" "many/%d"`, n)
		}
		c.OK(tag)
	}})
	names, err := doctor.Doctor{}.Folders(t.Context(), request(s.Target()))
	if err != nil || len(names) != 1000 || !slices.Contains(names, "Entwürfe") || !slices.Contains(names, "Flat") || !slices.Contains(names, "Words") || slices.Contains(names, "Archive") {
		t.Errorf("%d names, %v: %.200q", len(names), err, names)
	}
}

func TestAnErrorOfAStepSaysWhatToDo(t *testing.T) {
	t.Parallel()
	for answer, want := range map[string]string{
		"server said NO":            "Sign in: server said NO. Check it.",
		"Nobody answered.":          "Sign in: Nobody answered. Check it.",
		"server said far too much…": "Sign in: server said far too much… Check it.",
	} {
		step := doctor.Step{Title: "Sign in", Answer: answer, Remedy: "Check it."}
		if got := error(&doctor.StepError{Step: step}).Error(); got != want {
			t.Errorf("the error says %q; want %q", got, want)
		}
		if got := step.ForTenant(); got != want {
			t.Errorf("the tenant reads %q; want %q", got, want)
		}
	}
}
