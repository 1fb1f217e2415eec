package imapconn

import (
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mailyard/mailyard/pkg/mailhost"
)

func TestResponsesAreShownWithoutWhatIsInMail(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		line, want string
		inside     bool
		phase      phase
	}{
		{"* OK [CAPABILITY IMAP4rev1] Dovecot ready.", "* OK [CAPABILITY IMAP4rev1] Dovecot ready.", false, phaseGreeting},
		{"220 mail.example.com ESMTP", "220 mail.example.com ESMTP", false, phaseGreeting},
		{"+ PDEyMzRAZXhhbXBsZT4=", "+ (not shown)", false, phaseSignIn},
		{"+ ", "+ ", false, phaseSignIn},
		{"M2 NO [AUTHENTICATIONFAILED] Invalid credentials", "M2 NO [AUTHENTICATIONFAILED] Invalid credentials", false, phaseSignIn},
		{"AHUxAHB3MQ==", "(12 bytes, not shown)", false, phaseSignIn},
		{`* NAMESPACE (("INBOX." ".")) NIL NIL`, `* NAMESPACE (("INBOX." ".")) NIL NIL`, false, phaseSignIn},
		{"+ idling", "+ idling", false, phaseOpen},
		{"* 23 EXISTS", "* 23 EXISTS", false, phaseOpen},
		{"* SEARCH 1 2 3", "* SEARCH 1 2 3", false, phaseOpen},
		{`* LIST (\HasNoChildren) "." INBOX.Sent`, `* LIST (\HasNoChildren) "." INBOX.Sent`, false, phaseOpen},
		{`* LIST () "." {5}`, `* LIST () "." {5 bytes}`, false, phaseOpen},
		{"T3 OK [COPYUID 1 2 3] Moved.", "T3 OK [COPYUID 1 2 3] Moved.", false, phaseOpen},
		{`* 1 FETCH (UID 7 RFC822.SIZE 1234 FLAGS (\Seen $Junk custom) INTERNALDATE "22-Nov-2026 10:00:00 +0000")`, `* 1 FETCH (UID 7 RFC822.SIZE 1234 FLAGS (\Seen $Junk …) INTERNALDATE "…")`, false, phaseOpen},
		{"* 1 FETCH (UID 7 BODY[] {1234}", "* 1 FETCH (UID 7 BODY[] {1234 bytes}", false, phaseOpen},
		{"* 1 fetch (uid 7 body[header.fields (subject to)]<0> {88}", "* 1 FETCH (uid 7 body[header.fields (subject to)]<0> {88 bytes}", false, phaseOpen},
		{`* 1 FETCH (ENVELOPE ("date" "Secret \"plans\"" (("Ann" NIL "ann" "example.com")) NIL))`, `* 1 FETCH (ENVELOPE ("…" "…" (("…" NIL "…" "…")) NIL))`, false, phaseOpen},
		{`* 1 FETCH (BODYSTRUCTURE ("text" "plain" ("name" "secret.pdf") NIL NIL "7bit" 10 1))`, `* 1 FETCH (BODYSTRUCTURE ("…" "…" ("…" "…") NIL NIL "…" 10 1))`, false, phaseOpen},
		{`* 1 FETCH (BODY[] "whole mail in quotes`, `* 1 FETCH (BODY[] "…"`, false, phaseOpen},
		{`* 1 FETCH (ENVELOPE (ann@example.com plans))`, `* 1 FETCH (ENVELOPE (…))`, false, phaseOpen},
		{` UID 7)`, ` UID 7)`, true, phaseOpen},
		{` "Secret" FLAGS (\Seen) {9}`, ` "…" FLAGS (\Seen) {9 bytes}`, true, phaseOpen},
		// A literal that is longer than announced: the rest of the mail looks like a response.
		{`and so the secret plan is`, `…`, true, phaseOpen},
		{`Everything OK with you?`, `(23 bytes, not shown)`, false, phaseOpen},
		{`* first point`, `(13 bytes, not shown)`, false, phaseOpen},
		{`To: ann@example.com`, `(19 bytes, not shown)`, false, phaseOpen},
		{``, `(0 bytes, not shown)`, false, phaseOpen},
	} {
		if got := shownResponse(c.line, c.inside, c.phase); got != c.want {
			t.Errorf("%q is shown as\n%q; want\n%q", c.line, got, c.want)
		}
	}
}

func TestCommandsAreShownWithoutSignIns(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		`M1 CAPABILITY`:                         `M1 CAPABILITY`,
		`M2 LOGIN "u1" "pw1"`:                   `M2 LOGIN (not shown)`,
		`M2 login u1 pw1`:                       `M2 LOGIN (not shown)`,
		`M2 LOGIN {2}`:                          `M2 LOGIN (not shown)`,
		`M2 AUTHENTICATE PLAIN AHUxAHB3MQ==`:    `M2 AUTHENTICATE PLAIN (not shown)`,
		`M2 AUTHENTICATE PLAIN`:                 `M2 AUTHENTICATE PLAIN`,
		`T4 SELECT "INBOX"`:                     `T4 SELECT "INBOX"`,
		`T5 UID FETCH 1:50 (UID BODY.PEEK[])`:   `T5 UID FETCH 1:50 (UID BODY.PEEK[])`,
		`T6 UID SEARCH HEADER Message-ID "<x>"`: `T6 UID SEARCH HEADER Message-ID "…"`,
		`T7 APPEND "INBOX" (\Seen) {1234+}`:     `T7 APPEND "INBOX" (\Seen) {1234 bytes}`,
		`DONE`:                                  `DONE`,
	} {
		if got := shownCommand(line); got != want {
			t.Errorf("%q is shown as %q; want %q", line, got, want)
		}
	}
}

// Whatever stands in strings and words of a FETCH, nothing of it is shown.
func FuzzShownItems(f *testing.F) {
	for _, seed := range []string{`(UID 7 BODY[] {12}`, `(ENVELOPE ("a" NIL (("b" NIL "c" "d"))) UID 3)`, `"open`, `\" x "`, "(BODY[HEADER.FIELDS (TO)]<0> {3}", "a@b", "…"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, line string) {
		if len(line) > maxTraced || strings.ContainsAny(line, "\r\n") {
			return
		}
		got := shownItems(strings.ReplaceAll(line, "secret", "x") + ` "secret" (secret@example.com "se\"secret" secretly)`)
		if strings.Contains(got, "secret") {
			t.Errorf("%q is shown as %q", line, got)
		}
	})
}

// collect returns a trace that is on, and what it took.
func collect() (*mailhost.Trace, *[]string) {
	var on atomic.Bool
	on.Store(true)
	var lines []string
	return &mailhost.Trace{On: &on, Take: func(d mailhost.Direction, text string) { lines = append(lines, string(d)+" "+text) }}, &lines
}

// A trace that is switched on in the middle of a literal, in whatever pieces it
// comes, shows nothing of it.
func TestLiteralsOfTheClientAreNotShown(t *testing.T) {
	t.Parallel()
	said := "T1 APPEND \"INBOX\" {12+}\r\nSubject: sec\r\nT2 NOOP\r\nT3 IDLE\r\nDONE\r\n"
	want := "C T1 APPEND \"INBOX\" {12 bytes}|C |C T2 NOOP|C T3 IDLE|C DONE"
	for size := 2; size <= len(said); size++ { // a command never comes in less
		trace, lines := collect()
		tr := newTracer(trace, Target{})
		tr.client([]byte(said[:5])) // T1 AP
		for rest := said[5:]; len(rest) > 0; {
			n := min(size, len(rest))
			tr.client([]byte(rest[:n]))
			rest = rest[n:]
		}
		if got := strings.Join(*lines, "|"); got != want {
			t.Fatalf("in pieces of %d it shows %s; want %s", size, got, want)
		}
	}
	trace, lines := collect()
	trace.On.Store(false)
	tr := newTracer(trace, Target{})
	tr.client([]byte("T1 APPEND \"INBOX\" {12+}\r\nSub"))
	trace.On.Store(true)
	tr.client([]byte("ject: sec\r\n"))
	tr.client([]byte("T2 NOOP\r\n"))
	if got := strings.Join(*lines, "|"); got != "C T2 NOOP" {
		t.Errorf("switched on in a literal it shows %s", got)
	}
}

func TestLongLinesAreCutBeforeTheyAreLookedAt(t *testing.T) {
	t.Parallel()
	trace, lines := collect()
	tr := newTracer(trace, Target{})
	tr.server([]byte("* SEARCH"+strings.Repeat(" 1234567", 1<<18)+"\r\n"), false, phaseOpen)
	if len(*lines) != 1 || len((*lines)[0]) > 1200 || !strings.HasPrefix((*lines)[0], "S * SEARCH 1234567") {
		t.Errorf("%d lines, %.100q", len(*lines), *lines)
	}
}

// BenchmarkGuardTrace reads a download through a guard: without a trace, with
// one that is off, and with one that is on.
func BenchmarkGuardTrace(b *testing.B) {
	mail := strings.Repeat("x", 5000)
	download := []byte("* 1 FETCH (UID 7 BODY[] {5000}\r\n" + mail + ")\r\n")
	var off, on atomic.Bool
	on.Store(true)
	for name, trace := range map[string]*mailhost.Trace{
		"none": nil, "off": {On: &off, Take: func(mailhost.Direction, string) {}}, "on": {On: &on, Take: func(mailhost.Direction, string) {}},
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(download)))
			conn := &endless{text: download}
			g := newGuard(conn, conn, nil, nil, Options{}.withDefaults(), new(counters))
			g.tracer = newTracer(trace, Target{})
			g.bulk.Store(true)
			p := make([]byte, 32<<10)
			for b.Loop() {
				for n := 0; n < len(download); {
					m, err := g.Read(p)
					if err != nil {
						b.Fatal(err)
					}
					n += m
				}
			}
		})
	}
}

// endless is a connection on which the same comes again and again.
type endless struct {
	net.Conn
	text []byte
	at   int
}

func (e *endless) Read(p []byte) (int, error) {
	n := copy(p, e.text[e.at:])
	e.at = (e.at + n) % len(e.text)
	return n, nil
}

func (e *endless) SetReadDeadline(time.Time) error { return nil }
