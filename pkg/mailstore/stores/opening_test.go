package stores

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/mailyard/mailyard/pkg/fault"
	"github.com/mailyard/mailyard/pkg/mailstore"
)

// A flaky database opens and answers as it is told.
type flaky struct {
	mailstore.Store
	mu     sync.Mutex
	err    error // of opening it and of every call
	opened int   // attempts
	closed bool
}

func (f *flaky) set(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.err = err
}

func (f *flaky) open(context.Context, *zap.Logger) (mailstore.Store, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.opened++
	return f, f.err
}

func (f *flaky) IndexPending(context.Context, int) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return 7, f.err
}

func (f *flaky) Raw(ctx context.Context, _, _ string) ([]byte, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err == nil {
		return nil, mailstore.ErrNotFound
	}
	if errors.Is(f.err, errSilent) {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return nil, f.err
}

func (f *flaky) Close() error {
	f.closed = true
	return nil
}

var (
	errSilent = errors.New("silent")
	errGone   = fault.Unavailable(errors.New("connection refused"))
	errNewer  = fault.Permanent(errors.New("schema has version 9: run the newer mailyard"))
)

func TestDatabaseIsOpenedWhenItIsBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		core, logs := observer.New(zap.InfoLevel)
		f := &flaky{err: errGone}
		all, err := openAll(t.Context(), map[string]opener{"other": f.open}, zap.New(core))
		if err != nil {
			t.Fatal(err)
		}
		<-time.After(10 * time.Minute)
		if _, err := all["other"].IndexPending(t.Context(), 1); !fault.IsUnavailable(err) {
			t.Errorf("while it is away: %v", err)
		}
		if f.opened < 20 || f.opened > 40 {
			t.Errorf("%d attempts in 10 minutes", f.opened)
		}
		// It comes back with a schema that this program does not know: the mail
		// waits all the same, and the log says what to do.
		f.set(errNewer)
		<-time.After(2 * longestPause)
		if _, err := all["other"].IndexPending(t.Context(), 1); !fault.IsUnavailable(err) || fault.IsPermanent(err) || !strings.Contains(err.Error(), "run the newer mailyard") {
			t.Errorf("while its schema is too new: %v", err)
		}
		f.set(nil)
		<-time.After(2 * longestPause)
		if n, err := all["other"].IndexPending(t.Context(), 1); n != 7 || err != nil {
			t.Errorf("when it is back: %v, %v", n, err)
		}
		if away := all.Away(); len(away) != 0 {
			t.Errorf("away: %v", away)
		}
		var told []string
		for _, e := range logs.All() {
			told = append(told, e.Message)
		}
		want := "messaging database is away; mail of its tenants waits/messaging database cannot be used; mail of its tenants waits until that is mended/messaging database is back"
		if got := strings.Join(told, "/"); got != want {
			t.Errorf("logged %q", got)
		}
		if err := all.Close(); err != nil || !f.closed {
			t.Errorf("Close: %v, closed %v", err, f.closed)
		}
	})
}

func TestWhatWaitingDoesNotMendIsRefused(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		good, bad, away := &flaky{}, &flaky{err: errNewer}, &flaky{err: errGone}
		all, err := openAll(t.Context(), map[string]opener{"good": good.open, "bad": bad.open, "away": away.open}, zap.NewNop())
		if all != nil || !errors.Is(err, errNewer) || !strings.Contains(err.Error(), `"bad"`) || !good.closed {
			t.Errorf("Open = %v, %v; the good one closed: %v", all, err, good.closed)
		}
	})
}

func TestDatabaseThatDoesNotAnswerDoesNotHoldUpTheStart(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		silent := func(ctx context.Context, _ *zap.Logger) (mailstore.Store, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}
		good := &flaky{}
		all, err := openAll(t.Context(), map[string]opener{"good": good.open, "silent": silent}, zap.NewNop())
		if err != nil || time.Since(began) != firstWait {
			t.Fatalf("after %s: %v", time.Since(began), err)
		}
		if _, err := all["silent"].IndexPending(t.Context(), 1); !fault.IsUnavailable(err) {
			t.Errorf("it answers %v", err)
		}
		if away := all.Away(); len(away) != 1 || away[0].Database != "silent" {
			t.Errorf("away: %v", away)
		}
		if err := all.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestCallsTellWhetherADatabaseIsAway(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := &flaky{}
		all, err := openAll(t.Context(), map[string]opener{"default": f.open}, zap.NewNop())
		if err != nil {
			t.Fatal(err)
		}
		defer all.Close()
		for _, test := range []struct {
			err  error
			away bool
		}{{nil, false}, {errGone, true}, {context.Canceled, true}, {errors.New("about what was asked"), false}} {
			f.set(test.err)
			if _, err := all["default"].IndexPending(t.Context(), 1); err != test.err {
				t.Errorf("%v became %v", test.err, err)
			}
			if away := all.Away(); (len(away) == 1) != test.away {
				t.Errorf("after %v: away %v", test.err, away)
			}
		}
		for _, err := range []error{errGone, errSilent} {
			f.set(err)
			if away := all.Check(t.Context()); len(away) != 1 {
				t.Errorf("asked while %v: away %v", err, away)
			}
			f.set(nil)
			if away := all.Check(t.Context()); len(away) != 0 {
				t.Errorf("asked when it is back: away %v", away)
			}
		}
	})
}
