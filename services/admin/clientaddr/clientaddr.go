package clientaddr

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// Proxies are the networks of the reverse proxies that are believed when they say
// for whom they ask.
type Proxies struct {
	networks []netip.Prefix
	loopback bool
}

// New returns the proxies of a service. Those on this machine are among them if
// there is to be one: if the service has a public URL.
func New(url string, networks []netip.Prefix) Proxies {
	return Proxies{networks: networks, loopback: url != ""}
}

// Of returns the address that a request came from: the last one of the chain that
// is no trusted proxy's. What stands before it in X-Forwarded-For was written by
// whoever asks, and says nothing.
func (p Proxies) Of(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	at, ok := parse(host)
	if !ok {
		return host
	}
	chain := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for _, text := range slices.Backward(chain) {
		if !p.trusts(at) {
			break
		}
		if text = strings.TrimSpace(text); text == "" { // RFC 9110, section 5.6.1.2
			continue
		}
		before, ok := parse(text)
		if !ok {
			break // "unknown": the proxy that wrote it is all that is known
		}
		at = before
	}
	return at.String()
}

func (p Proxies) trusts(a netip.Addr) bool {
	return p.loopback && a.IsLoopback() || slices.ContainsFunc(p.networks, func(n netip.Prefix) bool { return n.Contains(a) })
}

// parse reads an address, with a port if there is one, as some proxies write it.
// It leaves out the zone: it is of no use elsewhere, and may be any text.
func parse(text string) (netip.Addr, bool) {
	a, err := netip.ParseAddr(strings.Trim(text, "[]"))
	if withPort, e := netip.ParseAddrPort(text); e == nil {
		a, err = withPort.Addr(), nil
	}
	return a.Unmap().WithZone(""), err == nil
}
