package cli_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"github.com/mailyard/mailyard/services/admin/operation"
)

// A program is `mailyard up` as a process of its own.
type program struct {
	t      *testing.T
	cmd    *exec.Cmd
	mu     sync.Mutex
	out    bytes.Buffer
	ended  chan struct{}
	failed error
}

// Write collects what the process prints.
func (p *program) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.out.Write(b)
}

func (p *program) printed() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.out.String()
}

func (u *user) start(args ...string) *program {
	u.t.Helper()
	self, err := os.Executable()
	if err != nil {
		u.t.Fatal(err)
	}
	p := &program{t: u.t, ended: make(chan struct{})}
	p.cmd = exec.Command(self, append([]string{"--data", u.data}, args...)...)
	p.cmd.Env = append(os.Environ(), asProgram+"=1")
	p.cmd.Stdout, p.cmd.Stderr = p, p
	if err := p.cmd.Start(); err != nil {
		u.t.Fatal(err)
	}
	go func() {
		p.failed = p.cmd.Wait()
		close(p.ended)
	}()
	u.t.Cleanup(func() {
		_ = p.cmd.Process.Kill() // it may have ended
		<-p.ended
	})
	return p
}

func (p *program) signal(s os.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		p.t.Fatal(err)
	}
}

// await returns when a condition holds. What the process printed is shown if it never does.
func (p *program) await(what string, holds func() bool) {
	p.t.Helper()
	deadline := time.After(60 * time.Second)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-deadline:
			p.t.Fatalf("waited in vain until %s; it printed:\n%s", what, p.printed())
		}
	}
}

func (p *program) awaitText(text string) {
	p.t.Helper()
	p.await("it prints "+text, func() bool { return strings.Contains(p.printed(), text) })
}

func (p *program) awaitEnd() error {
	p.t.Helper()
	p.await("it ends", func() bool {
		select {
		case <-p.ended:
			return true
		default:
			return false
		}
	})
	return p.failed
}

func TestUpWithTheDemoFromStartToCtrlC(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	p := u.start("up", "--demo")
	p.awaitText("✓ light")
	p.awaitText("demo/info is live")

	var s struct {
		Running   bool
		Problem   string
		Mailboxes []struct{ Status string }
		Streams   []any
	}
	u.json(&s, "status")
	if !s.Running || s.Problem != "" || len(s.Mailboxes) != 1 || len(s.Streams) == 0 {
		t.Errorf("status = %+v", s)
	}
	if out := u.do("status"); !strings.Contains(out, "demo/info") || strings.Contains(out, "Not running") {
		t.Errorf("status:\n%s", out)
	}
	if out := u.do("dead", "list"); !strings.Contains(out, "There are no dead letters.") {
		t.Errorf("dead list:\n%s", out)
	}
	var letters operation.DeadLetters
	u.json(&letters, "dead", "list")
	for _, action := range []string{"show", "replay", "drop"} {
		u.refused([]string{"no dead letter 99", "mailyard dead list"}, "dead", action, "99")
	}
	u.refused([]string{"already running", u.data, strconv.Itoa(p.cmd.Process.Pid), "--data"}, "up", "--demo")
	u.refused([]string{"already running"}, "up")
	if out := u.do("apply", "-f", u.file("acme.yaml", strings.Replace(documents, "enabled: true", "enabled: false", 1))); !strings.Contains(out, "created") {
		t.Errorf("apply while it runs:\n%s", out)
	}

	p.signal(syscall.SIGINT)
	if err := p.awaitEnd(); err != nil {
		t.Errorf("it ended with %v", err)
	}
	out := p.printed()
	if strings.Count(out, "Stopping") != 1 || !strings.HasSuffix(strings.TrimSpace(out), "goes on at the next start.") {
		t.Errorf("it does not end as told:\n%s", out)
	}
	_, end, _ := strings.Cut(out, "Stopping")
	if strings.Count(end, "= so far") != 1 {
		t.Errorf("no final summary:\n%s", out)
	}
	for _, ugly := range []string{"{\"", "Plaintext", "goroutine ", "DATA RACE"} {
		if strings.Contains(out, ugly) {
			t.Errorf("%q was printed:\n%s", ugly, out)
		}
	}
}

func TestSecondStartGoesOnAfterAKill(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	p := u.start("up", "--demo")
	p.awaitText("✓ ") // in the middle of the first burst
	p.signal(syscall.SIGKILL)
	_ = p.awaitEnd() // killed

	killed := imap.UID(u.delivered())

	p = u.start("up", "--demo")
	p.awaitText("In another terminal")
	p.await("the second run delivers", func() bool { return u.delivered() >= max(12, int(killed)+1) })
	next := u.uidNext() // more mails come all the time; those before this one are due
	disposed := map[imap.UID]int{}
	p.await("all that was delivered is stored and has left the inbox", func() bool {
		var page operation.MailPage
		u.json(&page, "mails", "--limit", "500")
		clear(disposed)
		second := next // the first UID that the second run gave
		for _, m := range page.Mails {
			uid := imap.UID(m.UID)
			if uid > killed+1 { // the kill may have fallen before the last one was counted
				second = min(second, uid)
			}
			if m.DisposedAt != nil {
				disposed[uid]++
			}
		}
		for uid := imap.UID(1); uid < next; uid++ {
			if (uid <= killed || uid >= second) && disposed[uid] == 0 {
				return false
			}
		}
		return second < next && u.inboxHasNone(next-1)
	})
	for uid, rows := range disposed {
		if rows > 1 {
			t.Errorf("UID %d has %d rows", uid, rows)
		}
	}
	p.signal(syscall.SIGTERM)
	if err := p.awaitEnd(); err != nil {
		t.Errorf("it ended with %v:\n%s", err, p.printed())
	}
}

// The id of a deleted tenant is not used again: what was stored under it stays.
func TestDemoThatWasDeletedDoesNotKeepMailyardFromStarting(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	p := u.start("up", "--demo")
	p.awaitText("✓ ")
	u.do("tenant", "delete", "demo", "--force", "--yes")
	p.signal(syscall.SIGINT)
	if err := p.awaitEnd(); err != nil {
		t.Errorf("it ended with %v", err)
	}
	p = u.start("up", "--demo")
	p.awaitText("In another terminal")
	if out := p.printed(); !strings.Contains(out, "the demo's tenant was deleted here") || !strings.Contains(out, "--data") || strings.Contains(out, "Sample mails arrive") {
		t.Errorf("it says:\n%s", out)
	}
	if out := u.do("tenant", "list"); strings.Contains(out, "demo") {
		t.Errorf("the tenant is back:\n%s", out)
	}
	p.signal(syscall.SIGINT)
	if err := p.awaitEnd(); err != nil {
		t.Errorf("it ended with %v", err)
	}
}

// delivered returns how many mails the demo has delivered.
func (u *user) delivered() int {
	raw, err := os.ReadFile(filepath.Join(u.data, "demo", "delivered"))
	if err != nil {
		return -1
	}
	n, err := strconv.Atoi(string(raw))
	if err != nil {
		return -1 // being written
	}
	return n
}

// uidNext returns the UID that the next mail of the demo's inbox will have.
func (u *user) uidNext() imap.UID {
	u.t.Helper()
	c := u.imap()
	defer c.Close()
	status, err := c.Status("INBOX", &imap.StatusOptions{UIDNext: true}).Wait()
	if err != nil {
		u.t.Fatal(err)
	}
	return status.UIDNext
}

// inboxHasNone reports whether the demo's inbox has no mail up to a UID.
func (u *user) inboxHasNone(last imap.UID) bool {
	u.t.Helper()
	c := u.imap()
	defer c.Close()
	if _, err := c.Select("INBOX", &imap.SelectOptions{ReadOnly: true}).Wait(); err != nil {
		u.t.Fatal(err)
	}
	found, err := c.UIDSearch(&imap.SearchCriteria{UID: []imap.UIDSet{{{Start: 1, Stop: last}}}}, nil).Wait()
	if err != nil {
		u.t.Fatal(err)
	}
	return len(found.AllUIDs()) == 0
}

// imap returns a connection that is signed in to the demo's mail server.
func (u *user) imap() *imapclient.Client {
	u.t.Helper()
	addr, err := os.ReadFile(filepath.Join(u.data, "demo", "address"))
	if err != nil {
		u.t.Fatal(err)
	}
	c, err := imapclient.DialInsecure(strings.Fields(string(addr))[0], nil) // that of SMTP follows
	if err != nil {
		u.t.Fatal(err)
	}
	if err := c.Login("info@demo.example", "demo").Wait(); err != nil {
		u.t.Fatal(err)
	}
	return c
}
