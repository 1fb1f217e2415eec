package egress

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// mailPorts are those of SMTP (25, 465, 587 and its usual stand-in 2525) and
// IMAP (143, 993).
var mailPorts = []int{25, 143, 465, 587, 993, 2525}

// A Policy says what may be dialled beyond public addresses and mail ports. The
// zero value allows nothing more. Addresses that are never a mail server's
// (metadata services, unspecified, multicast, broadcast) are allowed only by a
// prefix of that one address, never by a wider one.
type Policy struct {
	Networks  []netip.Prefix // may be dialled although they are not public
	Ports     []int          // may be dialled, besides those of mail, wherever an address is allowed
	Endpoints []Endpoint     // may be dialled, whatever the rest says
}

// An Endpoint is a network with the one port that is allowed in it.
type Endpoint struct {
	Network netip.Prefix
	Port    int // 0: every port
}

// ParsePolicy reads a policy. A network is a prefix ("10.0.0.0/8") or an address
// ("10.1.2.3"), on whose mail ports servers may be; with a port behind it
// ("127.0.0.1:10143", "[fd00::/8]:10143", "10.1.2.3:*") it is an endpoint. The
// error tells every entry that is none.
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

// allow adds a network or an endpoint.
func (p *Policy) allow(text string) error {
	network, port, isEndpoint := cutPort(text)
	n, err := parseNetwork(network)
	if err != nil {
		return err
	}
	if !isEndpoint {
		p.Networks = append(p.Networks, n)
		return nil
	}
	e := Endpoint{Network: n}
	if port != "*" {
		number, err := strconv.ParseUint(port, 10, 16)
		if err != nil || number == 0 {
			return fmt.Errorf("%q: %q is not a port (1-65535, or * for every port)", shown(text), shown(port))
		}
		e.Port = int(number)
	}
	p.Endpoints = append(p.Endpoints, e)
	return nil
}

// cutPort cuts "network:port". IPv6 stands in brackets when a port follows.
func cutPort(text string) (network, port string, ok bool) {
	if inside, ok := strings.CutPrefix(text, "["); ok {
		if network, port, ok := strings.Cut(inside, "]:"); ok {
			return network, port, true
		}
		return text, "", false
	}
	if network, port, ok := strings.Cut(text, ":"); ok && !strings.Contains(port, ":") {
		return network, port, true
	}
	return text, "", false
}

func parseNetwork(text string) (netip.Prefix, error) {
	if a, err := netip.ParseAddr(text); err == nil && a.Zone() == "" {
		a = a.Unmap()
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	n, err := netip.ParsePrefix(text)
	if err != nil {
		return n, fmt.Errorf("%q is neither a network (10.0.0.0/8), nor an address (10.1.2.3), nor one of them with a port (127.0.0.1:10143, [fd00::1]:10143)", shown(text))
	}
	if n.Addr().Is4In6() {
		if n.Bits() < 96 {
			return n, fmt.Errorf("%q is IPv4 written as IPv6: write the IPv4 network", shown(text))
		}
		n = netip.PrefixFrom(n.Addr().Unmap(), n.Bits()-96)
	}
	if n != n.Masked() {
		return n, fmt.Errorf("%q has bits set behind its length: write %s, or %s for the one address", shown(text), n.Masked(), n.Addr())
	}
	return n, nil
}

// shown cuts what may be anything.
func shown(text string) string {
	const most = 100
	if len(text) > most {
		return strings.ToValidUTF8(text[:most], "") + "…"
	}
	return text
}

// Check returns why an address and port may not be dialled, for the landlord;
// empty: they may.
func (p Policy) Check(address netip.Addr, port int) (reason string) {
	a := address.Unmap().WithZone("") // a prefix holds no address with a zone
	if !a.IsValid() {
		return "is not an address"
	}
	for _, e := range p.Endpoints {
		if (e.Port == 0 || e.Port == port) && inside(e.Network, a) {
			return ""
		}
	}
	if !slices.Contains(mailPorts, port) && !slices.Contains(p.Ports, port) {
		return "is not to be dialled at a port that is not one of mail; mail_ports can allow it"
	}
	return p.address(a)
}

// inside reports whether a network of the policy allows an address.
func inside(n netip.Prefix, a netip.Addr) bool {
	return n.Contains(a) && (n.IsSingleIP() || never(a) == "")
}

func (p Policy) address(a netip.Addr) (reason string) {
	if slices.ContainsFunc(p.Networks, func(n netip.Prefix) bool { return inside(n, a) }) {
		return ""
	}
	if what := never(a); what != "" {
		return what + "; only the address itself in mail_networks can allow it"
	}
	if v4, translated := embedded(a); translated {
		return p.address(v4)
	}
	if what := special(a); what != "" {
		return what + "; mail_networks can allow it"
	}
	return ""
}
