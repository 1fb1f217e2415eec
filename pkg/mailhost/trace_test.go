package mailhost_test

import (
	"errors"
	"fmt"
	"net"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/mailyard/mailyard/pkg/fault"
	"github.com/mailyard/mailyard/pkg/mailhost"
)

func TestLinesAreFitToBeShown(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("ü", 3000)
	for line, want := range map[string]string{
		"* OK hello ü":           "* OK hello ü",
		"tab\tnul\x00esc\x1b[2J": `tab\x09nul\x00esc\x1b[2J`,
		"bad \xff\xfe utf":       "bad \uFFFD\uFFFD utf",
		"over\u202eride\u2028":   `over\u202eride\u2028`,
		long:                     strings.Repeat("ü", 1000) + "… (4000 bytes more)",
		strings.Repeat("x", 999): strings.Repeat("x", 999),
		"":                       "",
	} {
		var on atomic.Bool
		on.Store(true)
		got := ""
		trace := &mailhost.Trace{On: &on, Take: func(d mailhost.Direction, text string) { got = string(d) + text }}
		trace.Say(mailhost.FromServer, line)
		if got != "S"+want {
			t.Errorf("%.40q is shown as %.60q", line, got)
		}
	}
	if (*mailhost.Trace)(nil).Active() {
		t.Error("a nil trace is active")
	}
}

func TestErrorsTellNoAddresses(t *testing.T) {
	t.Parallel()
	reset := &net.OpError{Op: "read", Net: "tcp", Source: &net.TCPAddr{IP: net.IPv4(10, 0, 0, 5), Port: 40000}, Addr: &net.TCPAddr{IP: net.IPv4(10, 1, 2, 3), Port: 993}, Err: syscall.ECONNRESET}
	for _, err := range []error{reset, fmt.Errorf("greeting: %w", reset)} {
		e := (&mailhost.Error{Op: "reading", Kind: mailhost.KindUnreachable, Err: err}).ForFault()
		if strings.Contains(e.Error(), "10.") || !strings.Contains(e.Error(), "connection reset") || !errors.Is(e, syscall.ECONNRESET) || !mailhost.IsNetwork(e) || !fault.IsUnavailable(e) {
			t.Errorf("the error is %v", e)
		}
	}
	plain := errors.New("server closed the connection")
	if err := mailhost.WithoutAddresses(plain); !errors.Is(err, plain) {
		t.Errorf("another error became %v", err)
	}
}
