package egress_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/mailyard/mailyard/pkg/egress"
)

func policy(t testing.TB, networks []string, ports ...int) egress.Policy {
	t.Helper()
	p, err := egress.ParsePolicy(networks, ports)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestOnlyPublicAddressesAreAllowedByDefault(t *testing.T) {
	t.Parallel()
	for address, allowed := range map[string]bool{
		"93.184.216.34": true, "1.1.1.1": true, "172.15.255.255": true, "172.32.0.0": true, "100.63.255.255": true, "100.128.0.0": true,
		"11.0.0.0": true, "169.253.255.255": true, "192.0.1.0": true, "198.20.0.0": true, "223.255.255.255": true,
		"0.0.0.0": false, "0.1.2.3": false, "10.0.0.1": false, "10.255.255.255": false, "100.64.0.1": false, "100.127.255.255": false,
		"127.0.0.1": false, "127.255.255.255": false, "169.254.0.1": false, "169.254.169.254": false, "172.16.0.1": false, "172.31.255.255": false,
		"192.0.0.1": false, "192.0.0.192": false, "192.0.2.1": false, "192.88.99.1": false, "192.168.1.1": false, "198.18.0.1": false, "198.19.255.255": false,
		"198.51.100.1": false, "203.0.113.1": false, "224.0.0.1": false, "239.255.255.255": false, "240.0.0.1": false, "255.255.255.255": false,
		"100.100.100.200": false, "168.63.129.16": false, "168.63.129.17": true,

		"2606:2800:220:1::1": true, "2a00:1450:4001::1": true, "2001:200::1": true, "2001:4860:4860::8888": true,
		"::": false, "::1": false, "::2": false, "::127.0.0.1": false, "::93.184.216.34": false,
		"::ffff:127.0.0.1": false, "::ffff:10.1.2.3": false, "::ffff:93.184.216.34": true,
		"64:ff9b::127.0.0.1": false, "64:ff9b::10.1.2.3": false, "64:ff9b::169.254.169.254": false, "64:ff9b::93.184.216.34": true, "64:ff9b:1::1": false,
		"2002:7f00:1::": false, "2002:5db8:d822::1": false, "2001::1": false, "2001:0:4136:e378:8000:63bf:3fff:fdd2": false,
		"2001:db8::1": false, "2001:10::1": false, "3fff::1": false, "100::1": false, "5f00::1": false, "4000::1": false,
		"fc00::1": false, "fd12:3456::1": false, "fd00:ec2::254": false, "fe80::1": false, "fe80::1%eth0": false, "febf::1": false, "fec0::1": false,
		"ff02::1": false, "ff02::1%lo": false, "2606:2800:220:1::1%eth0": true,
	} {
		reason := egress.Policy{}.Check(netip.MustParseAddr(address), 993)
		if (reason == "") != allowed {
			t.Errorf("%s: %q; allowed is to be %v", address, reason, allowed)
		}
	}
	if (egress.Policy{}).Check(netip.Addr{}, 993) == "" {
		t.Error("what is no address is allowed")
	}
}

func TestOnlyMailPortsAreAllowedByDefault(t *testing.T) {
	t.Parallel()
	public := netip.MustParseAddr("93.184.216.34")
	for port, allowed := range map[int]bool{
		25: true, 143: true, 465: true, 587: true, 993: true, 2525: true,
		22: false, 80: false, 443: false, 3306: false, 4222: false, 5432: false, 6379: false, 8420: false, 0: false, -1: false, 65536 + 993: false,
	} {
		if reason := (egress.Policy{}).Check(public, port); (reason == "") != allowed {
			t.Errorf("port %d: %q; allowed is to be %v", port, reason, allowed)
		}
	}
	if reason := policy(t, nil, 1993).Check(public, 1993); reason != "" {
		t.Errorf("a port that the landlord allowed: %s", reason)
	}
	if policy(t, nil, 1993).Check(netip.MustParseAddr("10.0.0.1"), 1993) == "" {
		t.Error("a port that the landlord allowed opens private networks")
	}
}

func TestTheLandlordAllowsNetworks(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		allowed, address string
		port             int
		want             bool
	}{
		{"10.0.0.0/8", "10.1.2.3", 993, true},
		{"10.0.0.0/8", "10.1.2.3", 5432, false},
		{"10.0.0.0/8", "::ffff:10.1.2.3", 993, true},
		{"10.0.0.0/8", "64:ff9b::10.1.2.3", 993, true}, // the same host, through translation
		{"10.0.0.0/8", "11.1.2.3", 993, true},          // public anyway
		{"10.0.0.0/8", "192.168.0.1", 993, false},
		{"10.1.2.3", "10.1.2.3", 993, true},
		{"10.1.2.3", "10.1.2.4", 993, false},
		{"::ffff:10.0.0.0/104", "10.1.2.3", 993, true},
		{"::ffff:10.1.2.3", "10.1.2.3", 993, true},
		{"127.0.0.1:10143", "127.0.0.1", 10143, true},
		{"127.0.0.1:10143", "127.0.0.1", 993, false},
		{"127.0.0.1:10143", "127.0.0.2", 10143, false},
		{"127.0.0.1:10143", "93.184.216.34", 10143, false},
		{"127.0.0.0/8:*", "127.9.9.9", 6379, true},
		{"127.0.0.0/8:*", "10.1.2.3", 6379, false},
		{"[::1]:10143", "::1", 10143, true},
		{"[fd00::/8]:1143", "fd12::1", 1143, true},
		{"[fd00::/8]:1143", "fd12::1", 993, false},
		{"fe80::/10", "fe80::1%eth0", 993, true},
		{"2002::/16", "2002:0a01:0203::1", 993, true}, // the landlord knows what is behind the tunnel
		// Never by a wide network: only by name.
		{"0.0.0.0/0", "10.1.2.3", 993, true},
		{"0.0.0.0/0", "169.254.169.254", 993, false},
		{"0.0.0.0/0", "0.0.0.0", 993, false},
		{"0.0.0.0/0", "255.255.255.255", 993, false},
		{"0.0.0.0/0", "224.0.0.1", 993, false},
		{"169.254.0.0/16", "169.254.169.254", 993, false},
		{"169.254.0.0/16", "::ffff:169.254.169.254", 993, false},
		{"169.254.0.0/16:*", "169.254.169.254", 80, false},
		{"169.254.169.254", "169.254.169.254", 993, true},
		{"169.254.169.254:80", "169.254.169.254", 80, true},
		{"::/0", "fd00:ec2::254", 993, false},
		{"::/0", "64:ff9b::169.254.169.254", 993, false},
		{"::/0", "2002:a9fe:a9fe::1", 993, false},
		{"::/0", "2001::1:0:5601:5601", 993, false}, // Teredo: 169.254.169.254, inverted
		{"::/0", "::", 993, false},
		{"::/0", "ff02::1", 993, false},
		{"::/0", "::1", 993, true},
		{"::/0", "127.0.0.1", 993, false}, // IPv6 only
	} {
		reason := policy(t, []string{c.allowed}).Check(netip.MustParseAddr(c.address), c.port)
		if (reason == "") != c.want {
			t.Errorf("%s with %s allowed, port %d: %q; allowed is to be %v", c.address, c.allowed, c.port, reason, c.want)
		}
	}
}

func TestPolicyTellsWhatIsWrong(t *testing.T) {
	t.Parallel()
	for entry, want := range map[string]string{
		"":                  "neither a network",
		"mail.example.com":  "neither a network",
		"10.0.0.0/33":       "neither a network",
		"10.1":              "neither a network",
		"0x7f.1":            "neither a network",
		"010.0.0.1":         "neither a network",
		"fe80::1%eth0":      "neither a network",
		"fe80::%eth0/10":    "neither a network",
		"10.1.2.3/8":        "10.0.0.0/8",
		"::ffff:0.0.0.0/90": "IPv4",
		"10.0.0.1:0":        "not a port",
		"10.0.0.1:70000":    "not a port",
		"10.0.0.1:imaps":    "not a port",
		"[::1]:":            "not a port",
		"[::1]":             "neither a network",
	} {
		p, err := egress.ParsePolicy([]string{"192.168.0.0/16", entry}, nil)
		if err == nil || !strings.Contains(err.Error(), want) || len(p.Networks) > 0 {
			t.Errorf("%q: %v; want %q", entry, err, want)
		}
	}
	_, err := egress.ParsePolicy([]string{"one", "two"}, []int{993, 0, 65536})
	for _, want := range []string{`"one"`, `"two"`, "0 is not a port", "65536 is not a port"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not tell %s", err, want)
		}
	}
}

func FuzzParsePolicy(f *testing.F) {
	for _, seed := range []string{"10.0.0.0/8", "10.1.2.3", "127.0.0.1:10143", "[fd00::/8]:*", "::ffff:10.0.0.0/104", "fe80::1%eth0", "[", "]:", ":", "1.2.3.4:5:6", "::/0"} {
		f.Add(seed, 993)
	}
	f.Fuzz(func(t *testing.T, network string, port int) {
		p, err := egress.ParsePolicy([]string{network}, []int{port})
		if err != nil {
			if len(p.Networks)+len(p.Ports)+len(p.Endpoints) > 0 {
				t.Errorf("a policy and an error: %+v, %v", p, err)
			}
			return
		}
		prefixes := p.Networks
		for _, e := range p.Endpoints {
			prefixes = append(prefixes, e.Network)
		}
		if len(prefixes) != 1 || prefixes[0] != prefixes[0].Masked() || prefixes[0].Addr().Is4In6() || len(p.Ports) != 1 {
			t.Errorf("%q is %+v", network, p)
		}
	})
}

// Whatever is allowed without a policy is an address of the internet.
func FuzzCheck(f *testing.F) {
	for _, seed := range []string{"127.0.0.1", "::ffff:10.1.2.3", "64:ff9b::a9fe:a9fe", "2002:7f00:1::", "fe80::1%lo", "93.184.216.34", "2a00::1"} {
		f.Add(netip.MustParseAddr(seed).AsSlice(), "lo", 993)
	}
	f.Fuzz(func(t *testing.T, raw []byte, zone string, port int) {
		a, ok := netip.AddrFromSlice(raw)
		if !ok {
			return
		}
		if a.Is6() {
			a = a.WithZone(zone)
		}
		if (egress.Policy{}).Check(a, port) != "" {
			return
		}
		plain := a.Unmap().WithZone("")
		if !plain.IsGlobalUnicast() || plain.IsPrivate() || plain.IsLoopback() || plain.IsLinkLocalUnicast() || plain.IsMulticast() || plain.IsUnspecified() {
			t.Errorf("%s port %d is allowed", a, port)
		}
		b := plain.As16()
		if inside := netip.AddrFrom4([4]byte(b[12:])); netip.MustParsePrefix("64:ff9b::/96").Contains(plain) && (egress.Policy{}).Check(inside, port) != "" {
			t.Errorf("%s port %d is allowed, %s is not", a, port, inside)
		}
	})
}
