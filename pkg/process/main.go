package process

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
)

// Main runs a program: run's ctx is done at the first SIGINT or SIGTERM; a
// second one ends the process at once. An error of run is printed on
// stderr as it is, a list of problems one a line; the exit code is 1 then, or
// what the ExitCode method of the error says. Main returns only when run
// returned nil.
func Main(name string, run func(ctx context.Context) error) {
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	done := make(chan struct{})
	go func() {
		defer close(done)
		if _, ok := <-signals; !ok {
			return
		}
		cancel()
		if _, ok := <-signals; !ok {
			return
		}
		fmt.Fprintf(os.Stderr, "%s: second signal, ending at once\n", name)
		os.Exit(1)
	}()
	err := run(ctx)
	signal.Stop(signals)
	close(signals)
	<-done
	cancel()
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %s\n", name, strings.TrimSpace(err.Error()))
		code := 1
		var coded interface{ ExitCode() int }
		if errors.As(err, &coded) {
			code = coded.ExitCode()
		}
		os.Exit(code)
	}
}
