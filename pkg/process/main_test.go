package process_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// program is what the test binary runs when it plays a program.
func program(mode string) func(context.Context) error {
	return func(ctx context.Context) error {
		fmt.Println("running")
		switch mode {
		case "fail":
			return errors.New("reading config:\na: no such mailbox\nb: no such folder\n")
		case "wait":
			<-ctx.Done()
			return nil
		default: // ignores the first signal
			<-ctx.Done()
			fmt.Println("stopping")
			select {}
		}
	}
}

// startProgram returns when it printed that it runs. Ctx kills what a failed test leaves.
func startProgram(t *testing.T, mode string) (cmd *exec.Cmd, out *bufio.Scanner, stderr *bytes.Buffer) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd = exec.CommandContext(t.Context(), self)
	cmd.Env = append(os.Environ(), "PROCESS_TEST_PROGRAM="+mode)
	stderr = new(bytes.Buffer)
	cmd.Stderr = stderr
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	out = bufio.NewScanner(pipe)
	if !out.Scan() || out.Text() != "running" {
		t.Fatalf("program says %q", out.Text())
	}
	return cmd, out, stderr
}

func signalProgram(t *testing.T, cmd *exec.Cmd, s os.Signal) {
	t.Helper()
	if err := cmd.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
}

func TestMainPrintsAnErrorAsItIsAndEndsWithExitCode1(t *testing.T) {
	cmd, _, stderr := startProgram(t, "fail")
	err := cmd.Wait()
	if cmd.ProcessState.ExitCode() != 1 {
		t.Errorf("program ended with %v; want exit code 1", err)
	}
	if got := stderr.String(); got != "program: reading config:\na: no such mailbox\nb: no such folder\n" {
		t.Errorf("stderr = %q", got)
	}
}

func TestMainStopsAtTheFirstSignal(t *testing.T) {
	for _, s := range []os.Signal{syscall.SIGINT, syscall.SIGTERM} {
		cmd, _, stderr := startProgram(t, "wait")
		signalProgram(t, cmd, s)
		if err := cmd.Wait(); err != nil || stderr.Len() > 0 {
			t.Errorf("%v: program ended with %v, stderr %q; want a silent success", s, err, stderr)
		}
	}
}

func TestMainEndsAtOnceAtTheSecondSignal(t *testing.T) {
	cmd, out, stderr := startProgram(t, "stubborn")
	signalProgram(t, cmd, syscall.SIGTERM)
	if !out.Scan() || out.Text() != "stopping" {
		t.Fatalf("program says %q after the first signal", out.Text())
	}
	signalProgram(t, cmd, syscall.SIGTERM)
	if err := cmd.Wait(); cmd.ProcessState.ExitCode() != 1 || !strings.Contains(stderr.String(), "second signal") {
		t.Errorf("program ended with %v, stderr %q; want exit code 1", err, stderr)
	}
}
