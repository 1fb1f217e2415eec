package egress

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// mailPorts are those of SMTP (25, 465, 587 and its usual stand-in 2525) and
// IMAP (143, 993).
var mailPorts = []int{25, 143, 465, 587, 993, 2525}

// A Policy says what may be dialled beyond public addresses and mail ports. The
// zero value allows nothing more.
type Policy struct {
	// Networks may be dialled although they are not public. Addresses that are
	// never a mail server's (metadata services, unspecified, multicast,
	// broadcast) are allowed only by a prefix of that one address.
	Networks []netip.Prefix
	// Ports may be dialled, besides those of mail, wherever an address is allowed.
	Ports []int
	// Endpoints may be dialled, each with this very address and port.
	Endpoints []netip.AddrPort
}

// ParsePolicy reads a policy. A network is a prefix ("10.0.0.0/8"), an address
// ("10.1.2.3"), or an address with the one port that is allowed on it
// ("127.0.0.1:10143", "[::1]:10143"). The error tells every entry that is none.
func ParsePolicy(networks []string, ports []int) (Policy, error) {
	var p Policy
	var problems []error
	for _, text := range networks {
		if err := p.allow(text); err != nil {
			problems = append(problems, err)
		}
	}
	for _, port := range ports {
		if port < 1 || port > 65535 {
			problems = append(problems, fmt.Errorf("%d is not a port (1-65535)", port))
			continue
		}
		p.Ports = append(p.Ports, port)
	}
	if len(problems) > 0 {
		return Policy{}, errors.Join(problems...)
	}
	return p, nil
}

// allow adds a network, an address or an endpoint.
func (p *Policy) allow(text string) error {
	if a, err := netip.ParseAddr(text); err == nil && a.Zone() == "" {
		a = a.Unmap()
		p.Networks = append(p.Networks, netip.PrefixFrom(a, a.BitLen()))
		return nil
	}
	if e, err := netip.ParseAddrPort(text); err == nil && e.Addr().Zone() == "" && e.Port() != 0 {
		p.Endpoints = append(p.Endpoints, netip.AddrPortFrom(e.Addr().Unmap(), e.Port()))
		return nil
	}
	n, err := netip.ParsePrefix(text)
	if err != nil {
		return fmt.Errorf("%q is neither a network (10.0.0.0/8), an address (10.1.2.3) nor an address with a port (127.0.0.1:10143)", shown(text))
	}
	if n.Addr().Is4In6() {
		if n.Bits() < 96 {
			return fmt.Errorf("%q holds IPv4 addresses written as IPv6 and more: write the IPv4 network itself", shown(text))
		}
		n = netip.PrefixFrom(n.Addr().Unmap(), n.Bits()-96)
	}
	if n != n.Masked() {
		return fmt.Errorf("%q has bits set behind its length: write %s, or %s for the one address", shown(text), n.Masked(), n.Addr())
	}
	p.Networks = append(p.Networks, n)
	return nil
}

// shown cuts what may be anything.
func shown(text string) string {
	const most = 60
	if len(text) > most {
		return strings.ToValidUTF8(text[:most], "") + "…"
	}
	return text
}

// port reports whether a port may be dialled.
func (p Policy) port(n int) bool { return slices.Contains(mailPorts, n) || slices.Contains(p.Ports, n) }

// Check returns why an address and port may not be dialled, for the landlord;
// empty: they may.
func (p Policy) Check(address netip.Addr, port int) (reason string) {
	a := address.Unmap().WithZone("") // a prefix holds no address with a zone
	if !a.IsValid() {
		return "is not an address"
	}
	if slices.ContainsFunc(p.Endpoints, func(e netip.AddrPort) bool { return e.Addr() == a && int(e.Port()) == port }) {
		return ""
	}
	if !p.port(port) {
		return "is not to be dialled at a port that is not one of mail; mail_ports can allow it"
	}
	return p.address(a)
}

func (p Policy) address(a netip.Addr) (reason string) {
	exact := slices.ContainsFunc(p.Networks, func(n netip.Prefix) bool { return n.IsSingleIP() && n.Addr() == a })
	if exact {
		return ""
	}
	inside, translated := embedded(a)
	for _, each := range []netip.Addr{a, inside} {
		if what := never(each); what != "" {
			return what + "; only the address itself in mail_networks can allow it"
		}
	}
	if slices.ContainsFunc(p.Networks, func(n netip.Prefix) bool { return n.Contains(a) }) {
		return ""
	}
	if translated {
		return p.address(inside)
	}
	if what := special(a); what != "" {
		return what + "; mail_networks can allow it"
	}
	return ""
}
