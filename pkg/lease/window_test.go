package lease_test

import (
	"testing"
	"time"

	"github.com/mailyard/mailyard/pkg/fault"
	"github.com/mailyard/mailyard/pkg/lease"
)

func testWindow(t *testing.T, b *backend) {
	l := b.line(t)
	one, other := b.dialURL(t, l.url), b.dial(t)
	host, all := lease.Window{Key: "acme/host", Most: 2}, lease.Window{Key: "acme", Most: 3}
	lately := func(span time.Duration, windows ...lease.Window) time.Duration {
		t.Helper()
		wait, err := other.Lately(t.Context(), span, windows...)
		if err != nil {
			t.Fatal(err)
		}
		return wait
	}
	happened := func(span time.Duration, windows ...lease.Window) {
		t.Helper()
		if err := one.Happened(t.Context(), span, windows...); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		if wait := lately(time.Hour, host, all); wait != 0 {
			t.Errorf("nothing is full, and the wait is %v", wait)
		}
		happened(time.Hour, host, all)
	}
	full := func(what string, windows ...lease.Window) {
		t.Helper()
		if wait := lately(time.Hour, windows...); wait <= 50*time.Minute || wait > time.Hour {
			t.Errorf("%s: the wait is %v", what, wait)
		}
	}
	full("the host", host)
	full("one of both", all, host)
	if wait := lately(time.Hour, all); wait != 0 {
		t.Errorf("two of three: the wait is %v", wait)
	}
	happened(time.Hour, all)
	full("all", all)
	if wait := lately(time.Hour, lease.Window{Key: "rival", Most: 1}); wait != 0 {
		t.Errorf("another key: the wait is %v", wait)
	}
	short := lease.Window{Key: "short", Most: 1}
	happened(300*time.Millisecond, short)
	eventually(t, "it is forgotten", func() bool { return lately(300*time.Millisecond, short) == 0 })

	l.setCut(true)
	if _, err := one.Lately(t.Context(), time.Hour, host); !fault.IsUnavailable(err) {
		t.Errorf("without Redis: %v", err)
	}
	if err := one.Happened(t.Context(), time.Hour, host); !fault.IsUnavailable(err) {
		t.Errorf("without Redis: %v", err)
	}
}
