package egress

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"
)

// A RefusedError says that a host may not be dialled. Its text is for tenants
// and tells nothing of the landlord's networks; Detail is for the landlord.
type RefusedError struct {
	Host    string
	Port    int
	Address netip.Addr // the first one that was refused
	Reason  string     // such as "is private; mail_networks can allow it"
}

func (e *RefusedError) Error() string {
	return fmt.Sprintf("connections to %s port %d are not allowed; ask the landlord to allow them", shown(e.Host), e.Port)
}

// Detail tells what was refused and why.
func (e *RefusedError) Detail() string {
	return fmt.Sprintf("%s port %d: %s %s", shown(e.Host), e.Port, e.Address, e.Reason)
}

// A FailedError says that a host that may be dialled could not be reached. Its
// text is for tenants, without addresses; Detail is for the landlord.
type FailedError struct {
	Host string
	Port int
	Err  error // of the resolver or the network
}

func (e *FailedError) Error() string {
	var dns *net.DNSError
	switch {
	case errors.As(e.Err, &dns) && dns.IsNotFound:
		return "no address is known for the name"
	case errors.As(e.Err, &dns):
		return "the name cannot be resolved at the moment"
	case errors.Is(e.Err, context.Canceled):
		return "it was called off"
	case timeout(e.Err):
		return "there is no answer in time"
	case errors.Is(e.Err, syscall.ECONNREFUSED):
		return "the connection is refused"
	case errors.Is(e.Err, syscall.ENETUNREACH), errors.Is(e.Err, syscall.EHOSTUNREACH):
		return "there is no way to it"
	}
	return "no connection can be made"
}

// Detail tells the addresses, too.
func (e *FailedError) Detail() string {
	return fmt.Sprintf("%s port %d: %v", shown(e.Host), e.Port, e.Err)
}

func (e *FailedError) Unwrap() error { return e.Err }

// Timeout reports whether there was no answer in time.
func (e *FailedError) Timeout() bool { return timeout(e.Err) }

func timeout(err error) bool {
	var ne net.Error
	return errors.Is(err, context.DeadlineExceeded) || errors.As(err, &ne) && ne.Timeout()
}

// Detail returns what the landlord may know of an error beyond its text; empty:
// nothing.
func Detail(err error) string {
	var refused *RefusedError
	var failed *FailedError
	switch {
	case errors.As(err, &refused):
		return refused.Detail()
	case errors.As(err, &failed):
		return failed.Detail()
	}
	return ""
}
