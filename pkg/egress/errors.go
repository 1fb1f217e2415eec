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
	Hidden  bool       // only the landlord's network knows the name: for tenants there is none
}

func (e *RefusedError) Error() string {
	if e.Hidden {
		return unknown(e.Host)
	}
	return fmt.Sprintf("connections to %s port %d are not allowed; ask the landlord to allow them", shown(e.Host), e.Port)
}

// unknown is what tenants read of a name that leads nowhere for them.
func unknown(host string) string {
	return fmt.Sprintf("there is no mail server of the name %s that may be used here; check the spelling, or ask the landlord to allow it", shown(host))
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
	// Inside: the host is not on the internet, or the port is not one of mail. Why
	// it cannot be reached would map the landlord's networks.
	Inside bool
	Err    error // of the resolver or the network
}

func (e *FailedError) Error() string {
	var dns *net.DNSError
	switch {
	case errors.As(e.Err, &dns) && dns.IsNotFound:
		return unknown(e.Host)
	case errors.As(e.Err, &dns):
		return "the name cannot be resolved at the moment"
	case errors.Is(e.Err, context.Canceled):
		return "it was called off"
	case e.Inside:
		return "the server cannot be reached"
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

// Inside reports whether an error is that of a host that was dialled and is not
// on the internet, or not at a port of mail: why is not for tenants.
func Inside(err error) bool {
	var failed *FailedError
	return errors.As(err, &failed) && failed.Inside
}

// Lasting reports whether it makes no sense to try again soon: the host may not be
// dialled, or there is no such name. A tenant does not learn which of them.
func Lasting(err error) bool {
	var refused *RefusedError
	var failed *FailedError
	var dns *net.DNSError
	return errors.As(err, &refused) || errors.As(err, &failed) && errors.As(failed.Err, &dns) && dns.IsNotFound
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
