package doctor

import (
	"context"
	"errors"
	"net"
	"syscall"

	"github.com/mailyard/mailyard/pkg/egress"
	"github.com/mailyard/mailyard/pkg/mailhost"
)

// words tell of an error what a tenant may know, or, detailed, the landlord. A
// tenant learns nothing of addresses, and of a host that is not on the internet
// not even why it cannot be reached: that would map the landlord's network.
func (r *run) words(p mailhost.Protocol, stage mailhost.Stage, err error, detailed bool) string {
	var known *mailhost.Error
	if errors.As(err, &known) {
		err = known.Err
	}
	var refused *egress.RefusedError
	var network *net.OpError
	switch {
	case errors.As(err, &refused):
		if detailed {
			return mailhost.CleanText(refused.Detail())
		}
		return "This server and port are not allowed here."
	case stage == mailhost.StageConnect && !detailed && (!r.public[p] || egress.Inside(err)):
		return "The server could not be reached."
	case stage == mailhost.StageConnect && !detailed:
		return "The server could not be reached: " + reason(err) + "."
	case detailed:
		if detail := egress.Detail(err); detail != "" {
			return mailhost.CleanText(detail)
		}
	case errors.As(err, &network):
		return "The connection broke off: " + mailhost.CleanText(network.Err.Error()) + "."
	}
	return mailhost.CleanText(err.Error())
}

// reason says why a host on the internet cannot be reached.
func reason(err error) string {
	var dns *net.DNSError
	switch {
	case errors.As(err, &dns) && dns.IsNotFound:
		return "there is no such name"
	case errors.As(err, &dns):
		return "its name cannot be resolved at the moment"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "it refuses connections on this port"
	case errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.EHOSTUNREACH):
		return "there is no way to it from here"
	case mailhost.IsTimeout(err), errors.Is(err, context.DeadlineExceeded), errors.Is(err, mailhost.ErrNoConnection):
		return "it does not answer on this port"
	}
	return "no connection can be made"
}
