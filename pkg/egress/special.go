package egress

import "net/netip"

// A block is a range of addresses that are not a host's on the internet.
type block struct {
	prefix netip.Prefix
	what   string
}

func blocks(texts ...string) []block {
	var all []block
	for i := 0; i < len(texts); i += 2 {
		all = append(all, block{netip.MustParsePrefix(texts[i]), texts[i+1]})
	}
	return all
}

// specials are the blocks of the IANA special-purpose address registries (RFC
// 6890 and its updates), as far as they are not within each other. Of IPv6,
// whatever is outside 2000::/3 is special, too.
var specials = blocks(
	"0.0.0.0/8", "is of this network",
	"10.0.0.0/8", "is private",
	"100.64.0.0/10", "is shared behind a carrier's address translation",
	"127.0.0.0/8", "is loopback",
	"169.254.0.0/16", "is link-local",
	"172.16.0.0/12", "is private",
	"192.0.0.0/24", "is reserved for protocols",
	"192.0.2.0/24", "is for documentation",
	"192.88.99.0/24", "is of 6to4 relays",
	"192.168.0.0/16", "is private",
	"198.18.0.0/15", "is for benchmarks",
	"198.51.100.0/24", "is for documentation",
	"203.0.113.0/24", "is for documentation",
	"224.0.0.0/4", "is multicast",
	"240.0.0.0/4", "is reserved",
	"2001::/32", "is a Teredo tunnel",
	"2001::/23", "is reserved for protocols",
	"2001:db8::/32", "is for documentation",
	"2002::/16", "is a 6to4 tunnel",
	"3fff::/20", "is for documentation",
	"::1/128", "is loopback",
	"::/96", "is an obsolete spelling of an IPv4 address",
	"64:ff9b:1::/48", "is of local address translation",
	"100::/64", "is for discarding",
	"5f00::/16", "is of segment routing",
	"fc00::/7", "is private",
	"fe80::/10", "is link-local",
	"fec0::/10", "is private",
	"ff00::/8", "is multicast",
)

// nevers are no mail server's, however wide a network the landlord allows: who
// reaches a metadata service has the landlord's credentials.
var nevers = blocks(
	"0.0.0.0/32", "is the unspecified address",
	"255.255.255.255/32", "is the broadcast address",
	"224.0.0.0/4", "is multicast",
	"169.254.169.254/32", "is a metadata service",
	"169.254.169.253/32", "is a cloud's name server",
	"169.254.169.123/32", "is a cloud's time server",
	"169.254.170.2/32", "is a metadata service",
	"169.254.170.23/32", "is a metadata service",
	"100.100.100.200/32", "is a metadata service", // Alibaba
	"168.63.129.16/32", "is a metadata service", // Azure; a public address
	"192.0.0.192/32", "is a metadata service", // Oracle
	"::/128", "is the unspecified address",
	"ff00::/8", "is multicast",
	"fd00:ec2::23/128", "is a metadata service", // AWS
	"fd00:ec2::253/128", "is a cloud's name server",
	"fd00:ec2::254/128", "is a metadata service",
	"fd20:ce::254/128", "is a metadata service", // Google
	"fd00:42::42/128", "is a metadata service", // Scaleway
)

var global = netip.MustParsePrefix("2000::/3")

func special(a netip.Addr) (what string) {
	if what := within(specials, a); what != "" {
		return what
	}
	if a.Is6() && !global.Contains(a) {
		return "is not of the internet"
	}
	return ""
}

// never tells what an address, or the IPv4 address within it, is that is no mail
// server's.
func never(a netip.Addr) (what string) {
	if what := within(nevers, a); what != "" {
		return what
	}
	v4, _ := embedded(a)
	return within(nevers, v4)
}

func within(all []block, a netip.Addr) string {
	for _, b := range all {
		if b.prefix.Contains(a) {
			return b.what
		}
	}
	return ""
}

var nat64, compatible, sixToFour, teredo = netip.MustParsePrefix("64:ff9b::/96"), netip.MustParsePrefix("::/96"),
	netip.MustParsePrefix("2002::/16"), netip.MustParsePrefix("2001::/32")

// embedded returns the IPv4 address that an IPv6 address leads to; the zero
// Addr if none. translated says that it is reached through the usual address
// translation (RFC 6052), and so is as good or bad as the IPv4 address.
func embedded(a netip.Addr) (inside netip.Addr, translated bool) {
	if !a.Is6() {
		return netip.Addr{}, false
	}
	b := a.As16()
	switch {
	case nat64.Contains(a):
		return netip.AddrFrom4([4]byte(b[12:])), true
	case compatible.Contains(a) && b[12] != 0:
		return netip.AddrFrom4([4]byte(b[12:])), false
	case sixToFour.Contains(a):
		return netip.AddrFrom4([4]byte(b[2:6])), false
	case teredo.Contains(a): // RFC 4380: the client's address, inverted
		return netip.AddrFrom4([4]byte{^b[12], ^b[13], ^b[14], ^b[15]}), false
	}
	return netip.Addr{}, false
}
