//go:build full

package e2e_test

import (
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// A proc is a process of the test's own, which ends with the test. What it
// writes is shown when the test fails.
type proc struct {
	name  string
	path  string
	args  []string
	env   []string
	dir   string
	owner *syscall.Credential // nil: the test's own
	out   *tail
	ready func() bool

	mu   sync.Mutex
	cmd  *exec.Cmd
	done chan struct{}
}

// start starts the process, again after it ended, and waits until it is ready.
func (p *proc) start(t testing.TB) {
	t.Helper()
	p.launch(t)
	p.awaitReady(t)
}

// launch starts the process and waits for nothing.
func (p *proc) launch(t testing.TB) {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.out == nil {
		p.out = &tail{}
		t.Cleanup(func() { p.finish(t) })
	}
	cmd := exec.Command(p.path, p.args...)
	cmd.Env, cmd.Dir, cmd.Stdout, cmd.Stderr = append(os.Environ(), p.env...), p.dir, p.out, p.out
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Credential: p.owner}
	if err := cmd.Start(); err != nil {
		t.Fatalf("starting %s: %v", p.name, err)
	}
	done := make(chan struct{})
	go func() {
		_ = cmd.Wait() // how it ended is for whoever ended it
		close(done)
	}()
	p.cmd, p.done = cmd, done
}

func (p *proc) awaitReady(t testing.TB) {
	t.Helper()
	await(t, p.name+" is ready", func() string {
		select {
		case <-p.done:
			t.Fatalf("%s ended: %s\n%s", p.name, p.cmd.ProcessState, p.out)
		default:
		}
		return unless(p.ready(), "it is not")
	})
}

// kill ends the process with SIGKILL, if it runs.
func (p *proc) kill() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd != nil {
		_ = p.cmd.Process.Kill() // it may have ended
		<-p.done
	}
}

// stop ends the process as an operator does, and returns whether it ended well.
func (p *proc) stop(t testing.TB) {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // it may have ended
	select {
	case <-p.done:
	case <-time.After(patience):
		t.Errorf("%s does not stop", p.name)
		_ = p.cmd.Process.Kill()
		<-p.done
	}
}

// finish ends the process with the test and looks at how it went.
func (p *proc) finish(t testing.TB) {
	t.Helper()
	p.stop(t)
	if out := p.out.String(); strings.Contains(out, "DATA RACE") {
		t.Errorf("%s has a data race", p.name)
	}
	if t.Failed() {
		t.Logf("the last that %s wrote (%s):\n%s", p.name, p.cmd.ProcessState, p.out)
	}
}

// accepts returns a condition: something listens at the address.
func accepts(address string) func() bool {
	return func() bool {
		c, err := net.DialTimeout("tcp", address, time.Second)
		if err != nil {
			return false
		}
		_ = c.Close()
		return true
	}
}

// answers returns a condition: the URL answers with 200.
func answers(url string) func() bool {
	client := http.Client{Timeout: time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	return func() bool {
		r, err := client.Get(url)
		if err != nil {
			return false
		}
		_ = r.Body.Close()
		return r.StatusCode == http.StatusOK
	}
}

// services are the binaries of the pipeline, in the order in which they start:
// downstream first.
var services = [...]string{"admin", "disposer", "persister", "classifier", "fetcher"}

// buildServices builds the binaries and returns their folder.
func buildServices(t testing.TB, flags ...string) string {
	t.Helper()
	dir := t.TempDir()
	args := append([]string{"build", "-o", dir + string(filepath.Separator)}, flags...)
	for _, name := range services {
		args = append(args, "../"+name+"/cmd/"+name)
	}
	if out, err := exec.Command("go", args...).CombinedOutput(); err != nil {
		t.Fatalf("building the services: %v\n%s", err, out)
	}
	return dir
}
