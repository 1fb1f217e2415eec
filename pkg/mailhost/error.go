package mailhost

import (
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"github.com/mailyard/mailyard/pkg/fault"
)

// Kind says what sort of trouble an error is.
type Kind int

// The kinds of trouble.
const (
	KindOther       Kind = iota
	KindCredentials      // the server refused the username or password
	KindTLS              // no secure connection could be made, or not as configured
	KindUnreachable      // no connection, or it was lost
	KindThrottled        // the server asked us to wait
	KindFolder           // a folder is missing, cannot be made, or is full
	KindProtocol         // the server said something that cannot be understood or accepted
)

var kindNames = [...]string{"other", "credentials", "tls", "unreachable", "throttled", "folder", "protocol"}

// String returns the kind in lower case, for logs and metrics.
func (k Kind) String() string {
	if k < 0 || int(k) >= len(kindNames) {
		return "other"
	}
	return kindNames[k]
}

// An Error is trouble with a mail server. For package fault it is Delayed when
// After is set, and Unavailable when the server could not be reached; a retry
// may always help.
type Error struct {
	Op    string        // what was being done, with tenant and mailbox
	Kind  Kind          // which sort of trouble
	After time.Duration // with KindThrottled: the wait that the server asked for, or a default
	Hint  string        // how to mend it, for people; may be empty
	Err   error         // the cause; server text in it is cleaned and cut
}

func (e *Error) Error() string {
	if e.Hint == "" {
		return fmt.Sprintf("%s: %v", e.Op, e.Err)
	}
	return fmt.Sprintf("%s: %v (%s)", e.Op, e.Err, e.Hint)
}

func (e *Error) Unwrap() error { return e.Err }

// ForFault wraps the cause so that package fault sees its class. It returns e.
func (e *Error) ForFault() *Error {
	switch e.Kind {
	case KindThrottled:
		e.Err = &fault.Delayed{Err: e.Err, After: e.After}
	case KindUnreachable:
		e.Err = fault.Unavailable(WithoutAddresses(e.Err))
	}
	return e
}

// KindOf returns the kind of an *Error, KindOther for others.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return KindOther
}

// IsTimeout reports whether an error of the network is that time ran out.
func IsTimeout(err error) bool {
	var ne net.Error
	return errors.As(err, &ne) && ne.Timeout()
}

// IsNetwork reports whether an error is the network's, or a connection's end.
func IsNetwork(err error) bool {
	var ne net.Error
	return errors.As(err, &ne) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed)
}

// WithoutAddresses returns an error of the network without the addresses that
// its text tells: a tenant may not read those of the landlord's networks.
func WithoutAddresses(err error) error {
	var op *net.OpError
	if !errors.As(err, &op) || !strings.Contains(err.Error(), op.Error()) {
		return err
	}
	return &net.OpError{Op: op.Op, Net: op.Net, Err: op.Err}
}
