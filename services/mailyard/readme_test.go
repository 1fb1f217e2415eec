package mailyard_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

const (
	readmePath     = "../../README.md"
	readmePatience = time.Minute
)

func TestReadme(t *testing.T) {
	t.Parallel()
	bin := t.TempDir()
	build := exec.CommandContext(t.Context(), "go", "build", "-o", bin+"/", "./cmd/mailyard")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building mailyard: %v\n%s", err, out)
	}
	t.Run("commands work", func(t *testing.T) {
		t.Parallel()
		commandsWork(t, newReader(t, bin))
	})
	t.Run("demo prints what is shown", func(t *testing.T) {
		t.Parallel()
		demoPrints(t, newReader(t, bin))
	})
}

// commandsWork runs the README's blocks of shell as they stand, one after the
// other, with the demo mail server as the mail server of the reader. What a
// reader would fill in is filled in, and nothing else.
func commandsWork(t *testing.T, r *reader) {
	server := r.start("mailyard", "demo", "serve", "--data", filepath.Join(t.TempDir(), "server"), "--listen", "127.0.0.1:0")
	_, rest, _ := strings.Cut(server.await("listens on "), "listens on ")
	addr, _, _ := strings.Cut(rest, ";")
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	r.environ = append(r.environ, "MAILYARD_INSECURE_HOSTS="+addr, "MAILYARD_MAIL_NETWORKS="+addr)
	r.fill("host: imap.acme.example", "host: "+host+", port: "+port)
	r.fill("@acme.example", "@demo.example")
	r.fill("IMAP_PASSWORD=…", "IMAP_PASSWORD=demo")

	var printed strings.Builder
	blocks := readmeBlocks(t, "sh")
	for _, block := range blocks {
		script, up := strings.CutSuffix(block, "\nmailyard up\n")
		printed.WriteString(r.run(script))
		if up {
			r.start("mailyard", "up").await("✓ light") // the first accepted mail has gone its way
			r.await(func() bool { return len(r.mails()) >= 12 })
			r.fill("show ID", "show "+r.mails()[0])
			r.fill("raw ID", "raw "+r.mails()[0])
		}
	}
	for _, want := range []string{
		"acme/support                     created",
		"acme/support                     is so already",
		"moved to PersistedCCSPItems",
		"support@demo.example",
		`"reason": "no-matching-folder"`,
		"FETCHED_LIGHT",
		"There are no dead letters.",
		"Mailbox info is changed.",
		"connect_retries: 3 → 5",
	} {
		if !strings.Contains(printed.String(), want) {
			t.Errorf("%q is not in what the commands print:\n%s", want, &printed)
		}
	}
	for name, want := range map[string]string{"everything.yaml": "username: info@demo.example", "mail.eml": "Message-ID:"} {
		if raw, err := os.ReadFile(filepath.Join(r.dir, name)); err != nil || !bytes.Contains(bytes.ToLower(raw), []byte(strings.ToLower(want))) {
			t.Errorf("%s holds no %q: %v\n%s", name, want, err, raw)
		}
	}
	for old := range r.filled {
		if !slices.ContainsFunc(blocks, func(b string) bool { return strings.Contains(b, old) }) {
			t.Errorf("the README no longer says %q", old)
		}
	}
}

// demoPrints looks for every line that the README shows of `make run`, but for
// times and for the summary, which comes when it comes.
func demoPrints(t *testing.T, r *reader) {
	demo := r.start("mailyard", "up", "--demo", "--data", "./data")
	demo.await("“Scan 13”") // the burst at the start is over
	demo.stop()
	printed := plain(demo.text())
	for _, line := range strings.Split(readmeBlocks(t, "text")[0], "\n") {
		if strings.Contains(line, "= so far") {
			line = "= so far"
		}
		if !strings.Contains(printed, plain(line)) {
			t.Errorf("the demo does not print %q:\n%s", line, printed)
		}
	}
}

// plain removes times, the secret of the link to the console and its port, and
// runs of spaces.
func plain(s string) string {
	s = regexp.MustCompile(`http://127\.0\.0\.1:\d+/link#\S+`).ReplaceAllString(s, "the link to the console")
	s = regexp.MustCompile(`\d\d:\d\d:\d\d|\b\d+ ms`).ReplaceAllString(s, "")
	return strings.TrimSpace(regexp.MustCompile(` +`).ReplaceAllString(s, " "))
}

// readmeBlocks returns the README's fenced blocks of one language.
func readmeBlocks(t *testing.T, language string) []string {
	t.Helper()
	raw, err := os.ReadFile(readmePath)
	if err != nil {
		t.Fatal(err)
	}
	var blocks []string
	for _, m := range regexp.MustCompile("(?ms)^```(\\w*)\n(.*?)^```$").FindAllStringSubmatch(string(raw), -1) {
		if m[1] == language {
			blocks = append(blocks, m[2])
		}
	}
	if len(blocks) == 0 {
		t.Fatalf("the README has no block of %s", language)
	}
	return blocks
}

// A reader follows the README in an empty folder, with mailyard in the PATH.
type reader struct {
	t       *testing.T
	dir     string
	environ []string
	filled  map[string]string
}

func newReader(t *testing.T, bin string) *reader {
	return &reader{
		t: t, dir: t.TempDir(), filled: map[string]string{},
		environ: []string{"PATH=" + bin + ":" + os.Getenv("PATH"), "HOME=" + bin, "TZ=UTC"},
	}
}

func (r *reader) fill(old, new string) { r.filled[old] = new }

// run runs a script, which must succeed, and returns what it prints.
func (r *reader) run(script string) string {
	r.t.Helper()
	for old, new := range r.filled {
		script = strings.ReplaceAll(script, old, new)
	}
	cmd := exec.CommandContext(r.t.Context(), "sh", "-euc", script)
	cmd.Dir, cmd.Env = r.dir, r.environ
	out, err := cmd.CombinedOutput()
	if err != nil {
		r.t.Fatalf("%v\n%s\n%s", err, script, out)
	}
	return string(out)
}

// mails returns the ids of the stored mails.
func (r *reader) mails() []string {
	r.t.Helper()
	var page struct {
		Mails []struct {
			ID string `json:"mail_id"`
		}
	}
	if err := json.Unmarshal([]byte(r.run("mailyard mail list --json --verdict accepted")), &page); err != nil {
		r.t.Fatal(err)
	}
	var ids []string
	for _, m := range page.Mails {
		ids = append(ids, m.ID)
	}
	return ids
}

func (r *reader) await(condition func() bool) {
	r.t.Helper()
	deadline := time.After(readmePatience)
	for !condition() {
		select {
		case <-deadline:
			r.t.Fatal("waited in vain")
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// A program runs in the background until it is stopped, at the latest at the
// end of the test.
type program struct {
	r     *reader
	cmd   *exec.Cmd
	ended chan struct{} // closed after the last line
	stop  func()

	mu      sync.Mutex
	printed strings.Builder
}

func (r *reader) start(name string, args ...string) *program {
	r.t.Helper()
	cmd := exec.Command("env", append([]string{name}, args...)...) // env finds it in the reader's PATH
	cmd.Dir, cmd.Env = r.dir, r.environ
	out, in := io.Pipe()
	cmd.Stdout, cmd.Stderr = in, in
	if err := cmd.Start(); err != nil {
		r.t.Fatal(err)
	}
	p := &program{r: r, cmd: cmd, ended: make(chan struct{})}
	go func() {
		defer close(p.ended)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			p.mu.Lock()
			fmt.Fprintln(&p.printed, lines.Text())
			p.mu.Unlock()
		}
	}()
	waited := make(chan error, 1)
	go func() {
		err := cmd.Wait()
		in.Close()
		waited <- err
	}()
	p.stop = sync.OnceFunc(func() {
		if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
			r.t.Errorf("stopping %s %v: %v", name, args, err)
		}
		select {
		case err := <-waited:
			if err != nil {
				r.t.Errorf("%s %v: %v\n%s", name, args, err, p.text())
			}
		case <-time.After(readmePatience):
			r.t.Errorf("%s %v does not stop", name, args)
			_ = cmd.Process.Kill() // it may have ended at last
		}
		<-p.ended
	})
	r.t.Cleanup(p.stop)
	return p
}

func (p *program) text() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.printed.String()
}

// await returns the first line with a text.
func (p *program) await(text string) (line string) {
	p.r.t.Helper()
	p.r.await(func() bool {
		for _, l := range strings.Split(p.text(), "\n") {
			if strings.Contains(l, text) {
				line = l
				return true
			}
		}
		return false
	})
	return line
}
