package egress

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"time"
)

const (
	// mostAddresses of a name are considered: a name server of a tenant's must
	// not make a port scanner of this process.
	mostAddresses = 16
	// leastPatience is what an address is given at least, while others are left.
	leastPatience = 2 * time.Second
	// patience is for all addresses together when the caller sets no deadline.
	patience = 30 * time.Second
)

// A Resolver finds the addresses of a name, as *net.Resolver does.
type Resolver interface {
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// Options of New. The zero value is ready for use.
type Options struct {
	Resolver Resolver // nil: net.DefaultResolver
	// Dial connects to a checked "address:port"; nil: a net.Dialer.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
}

// A Dialer makes connections that its policy allows. It is safe for concurrent use.
type Dialer struct {
	policy  Policy
	options Options
}

// New returns a dialer.
func New(p Policy, o Options) *Dialer {
	if o.Resolver == nil {
		o.Resolver = net.DefaultResolver
	}
	if o.Dial == nil {
		o.Dial = new(net.Dialer).DialContext
	}
	return &Dialer{policy: p, options: o}
}

// Allows reports whether the policy allows an address and port.
func (d *Dialer) Allows(address netip.Addr, port int) bool {
	return d.policy.Check(address, port) == ""
}

// DialContext connects to "host:port" over "tcp", "tcp4" or "tcp6". Of several
// addresses those that are allowed are tried one after the other. The error is
// a *RefusedError when none is allowed, else a *FailedError.
func (d *Dialer) DialContext(ctx context.Context, network, addr string) (net.Conn, error) {
	families := map[string]string{"tcp": "ip", "tcp4": "ip4", "tcp6": "ip6"}
	family, ok := families[network]
	if !ok {
		return nil, fmt.Errorf("connecting to %s: network %q is not one of TCP", shown(addr), network)
	}
	host, service, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, fmt.Errorf("connecting to %q: it is not host:port", shown(addr))
	}
	port, err := strconv.ParseUint(service, 10, 16)
	if err != nil || port == 0 {
		return nil, fmt.Errorf("connecting to %s: %q is not a port (1-65535)", shown(host), shown(service))
	}
	ctx, cancel := withPatience(ctx)
	defer cancel()
	found, err := d.resolve(ctx, family, host)
	if err != nil {
		return nil, &FailedError{Host: host, Port: int(port), Err: err}
	}
	allowed, refused := d.check(found, host, int(port))
	if len(allowed) == 0 {
		return nil, refused
	}
	conn, err := d.dial(ctx, network, allowed, uint16(port))
	if err != nil {
		inside := slices.ContainsFunc(allowed, func(a netip.Addr) bool { return Policy{}.Check(a, int(port)) != "" })
		return nil, &FailedError{Host: host, Port: int(port), Inside: inside, Err: err}
	}
	return conn, nil
}

func withPatience(ctx context.Context) (context.Context, context.CancelFunc) {
	if _, ok := ctx.Deadline(); ok {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, patience)
}

// resolve returns the addresses of a host. What is an address already is not
// asked for; every other spelling of one is a name, and what the resolver makes
// of it is checked as every answer is.
func (d *Dialer) resolve(ctx context.Context, family, host string) ([]netip.Addr, error) {
	if a, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{a}, nil
	}
	notFound := &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	if host == "" {
		return nil, notFound
	}
	found, err := d.options.Resolver.LookupNetIP(ctx, family, host)
	if err == nil && len(found) == 0 {
		err = notFound
	}
	return found, err
}

// check returns the addresses that may be dialled; if there are none, why.
func (d *Dialer) check(found []netip.Addr, host string, port int) (allowed []netip.Addr, refused *RefusedError) {
	for _, a := range found {
		a = a.Unmap()
		reason := d.policy.Check(a, port)
		switch {
		case reason == "" && len(allowed) < mostAddresses:
			allowed = append(allowed, a)
		case reason != "" && refused == nil:
			refused = &RefusedError{Host: host, Port: port, Address: a, Reason: reason}
		}
	}
	if _, err := netip.ParseAddr(host); refused != nil && err != nil {
		// What could be dialled at another port is no secret.
		refused.Hidden = !slices.ContainsFunc(found, func(a netip.Addr) bool { return d.Allows(a.Unmap(), 993) })
	}
	return allowed, refused
}

// dial connects to the first of the addresses that answers. Each has its share
// of the time that is left.
func (d *Dialer) dial(ctx context.Context, network string, addresses []netip.Addr, port uint16) (net.Conn, error) {
	var failures []error
	for i, a := range addresses {
		if ctx.Err() != nil {
			break
		}
		deadline, _ := ctx.Deadline()
		left := time.Until(deadline)
		share := min(left, max(left/time.Duration(len(addresses)-i), leastPatience))
		one, cancel := context.WithTimeout(ctx, share)
		conn, err := d.options.Dial(one, network, netip.AddrPortFrom(a, port).String())
		cancel()
		if err == nil {
			return conn, nil
		}
		failures = append(failures, err)
	}
	return nil, cmp.Or(errors.Join(failures...), ctx.Err())
}
