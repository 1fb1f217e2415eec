package process_test

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/mailyard/mailyard/pkg/process"
)

func TestMain(m *testing.M) {
	if mode := os.Getenv("PROCESS_TEST_PROGRAM"); mode != "" {
		process.Main("program", program(mode))
		return
	}
	goleak.VerifyTestMain(m)
}

// journal collects what happened, in order.
type journal struct {
	mu    sync.Mutex
	lines []string
}

func (j *journal) add(line string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lines = append(j.lines, line)
}

func (j *journal) check(t *testing.T, want ...string) {
	t.Helper()
	j.mu.Lock()
	defer j.mu.Unlock()
	if !slices.Equal(j.lines, want) {
		t.Errorf("happened: %q\nwant:     %q", j.lines, want)
	}
}

// part takes `takes` to become ready and as long to stop.
func (j *journal) part(name string, takes time.Duration) process.Part {
	return process.Part{Name: name, Service: process.Func(func(ctx context.Context, ready func()) error {
		j.add(name + " starts")
		<-time.After(takes)
		j.add(name + " ready")
		ready()
		ready() // a second call is harmless
		<-ctx.Done()
		<-time.After(takes)
		j.add(name + " stopped")
		return ctx.Err()
	})}
}

func TestPartsStartInOrderAndStopInReverse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var j journal
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		task := process.Part{Name: "task", Service: process.Func(func(context.Context, func()) error {
			j.add("task done")
			return nil
		})}
		if err := process.Run(ctx, process.Options{}, j.part("first", 2*time.Second), task, j.part("second", time.Second)); err != nil {
			t.Errorf("Run = %v after a stop that was asked for", err)
		}
		j.check(t, "first starts", "first ready", "task done", "second starts", "second ready", "second stopped", "first stopped")
	})
}

func TestStopWhileStarting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var j journal
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		if err := process.Run(ctx, process.Options{}, j.part("first", time.Second), j.part("second", 5*time.Second), j.part("third", 0)); err != nil {
			t.Errorf("Run = %v after a stop that was asked for", err)
		}
		j.check(t, "first starts", "first ready", "second starts", "second ready", "second stopped", "first stopped")
	})
}

func TestFirstFailureStopsTheOthersAndIsNamed(t *testing.T) {
	boom := errors.New("boom")
	fail := func(err error) process.Service {
		return process.Func(func(_ context.Context, ready func()) error {
			ready()
			<-time.After(time.Second)
			return err
		})
	}
	cases := []struct {
		name    string
		service process.Service
		want    string
	}{
		{"error", fail(boom), "bad: boom"},
		{"unasked end", fail(nil), "bad: ended though nobody asked it to"},
		{"unasked cancellation", fail(context.Canceled), "bad: context canceled"},
		{"before ready", process.Func(func(context.Context, func()) error { return boom }), "bad: boom"},
		{"panic", process.Func(func(context.Context, func()) error { panic("boom") }), "bad: panic: boom"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var j journal
				core, logs := observer.New(zap.InfoLevel)
				err := process.Run(t.Context(), process.Options{Logger: zap.New(core)}, j.part("good", 0), process.Part{Name: "bad", Service: c.service})
				if err == nil || err.Error() != c.want {
					t.Errorf("Run = %v; want %s", err, c.want)
				}
				j.check(t, "good starts", "good ready", "good stopped")
				if c.name != "panic" {
					return
				}
				entries := logs.FilterMessage("part panicked").All()
				if len(entries) != 1 || !strings.Contains(string(entries[0].ContextMap()["stack"].(string)), "run_test.go") {
					t.Errorf("the log does not show where it panicked: %v", entries)
				}
			})
		})
	}
}

func TestGraceThenHardStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		begin := time.Now()
		var cause error
		slow := process.Part{Name: "slow", Service: process.Func(func(ctx context.Context, ready func()) error {
			ready()
			<-ctx.Done()
			<-process.Hard(ctx).Done()
			cause = context.Cause(process.Hard(ctx))
			return process.Hard(ctx).Err()
		})}
		time.AfterFunc(time.Second, cancel)
		var j journal
		err := process.Run(ctx, process.Options{Grace: 10 * time.Second}, j.part("good", 0), slow)
		if !errors.Is(err, process.ErrGrace) || !strings.Contains(err.Error(), "slow") {
			t.Errorf("Run = %v; want the grace to be over for slow", err)
		}
		if !errors.Is(cause, process.ErrGrace) {
			t.Errorf("cause of the hard stop = %v", cause)
		}
		if d := time.Since(begin); d != 11*time.Second {
			t.Errorf("stopped after %v; want 1 s of service and 10 s of grace", d)
		}
		j.check(t, "good starts", "good ready", "good stopped")
	})
}

func TestPartThatIgnoresTheHardStopIsLeftBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		release := make(chan struct{})
		stuck := process.Part{Name: "stuck", Service: process.Func(func(ctx context.Context, ready func()) error {
			ready()
			cancel()
			<-release
			return nil
		})}
		err := process.Run(ctx, process.Options{Grace: time.Second}, stuck)
		if !errors.Is(err, process.ErrGrace) || !strings.Contains(err.Error(), "left behind: stuck") {
			t.Errorf("Run = %v; want stuck to be named", err)
		}
		close(release)
		synctest.Wait()
	})
}

func TestHardOutsideOfRunNeverEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := process.Hard(ctx).Err(); err != nil {
		t.Errorf("Hard ended with the soft context: %v", err)
	}
}
