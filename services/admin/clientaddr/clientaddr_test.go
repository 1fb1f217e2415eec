package clientaddr_test

import (
	"net/http"
	"net/netip"
	"testing"

	"github.com/mailyard/mailyard/services/admin/clientaddr"
)

func networks(t testing.TB, texts ...string) (list []netip.Prefix) {
	t.Helper()
	for _, text := range texts {
		p, err := netip.ParsePrefix(text)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, p)
	}
	return list
}

func TestAddressOfWhoAsks(t *testing.T) {
	t.Parallel()
	const url = "https://mail.example.org"
	ingress := []string{"10.244.0.0/16", "fd00:1::/32"}
	cases := []struct {
		name      string
		url       string
		trusted   []string
		remote    string
		forwarded []string
		want      string
	}{
		{"no proxy", "", nil, "192.0.2.7:1", nil, "192.0.2.7"},
		{"a header that anybody can send", url, ingress, "192.0.2.7:1", []string{"203.0.113.1"}, "192.0.2.7"},
		{"loopback without a public URL", "", nil, "127.0.0.1:1", []string{"203.0.113.1"}, "127.0.0.1"},
		{"a proxy on this machine", url, nil, "127.0.0.1:1", []string{"198.51.100.1, 203.0.113.1"}, "203.0.113.1"},
		{"likewise, IPv6", url, nil, "[::1]:1", []string{"::ffff:203.0.113.1"}, "203.0.113.1"},
		{"an ingress", url, ingress, "10.244.0.9:40000", []string{"203.0.113.1"}, "203.0.113.1"},
		{"an ingress without a public URL", "", ingress, "10.244.0.9:40000", []string{"203.0.113.1"}, "203.0.113.1"},
		{"an ingress on a socket of both families", url, ingress, "[::ffff:10.244.0.9]:1", []string{"203.0.113.1"}, "203.0.113.1"},
		{"an ingress of IPv6", url, ingress, "[fd00:1::9]:1", []string{"2001:db8::7"}, "2001:db8::7"},
		{"an ingress that is not trusted", url, nil, "10.244.0.9:1", []string{"203.0.113.1"}, "10.244.0.9"},
		{"what the browser wrote is not believed", url, ingress, "10.244.0.9:1", []string{"198.51.100.66, 203.0.113.1"}, "203.0.113.1"},
		{"nor if it claims to be a proxy", url, ingress, "10.244.0.9:1", []string{"198.51.100.66, 10.244.0.1, 203.0.113.1"}, "203.0.113.1"},
		{"two proxies", url, ingress, "10.244.0.9:1", []string{"198.51.100.66, 203.0.113.1, 10.244.7.7"}, "203.0.113.1"},
		{"two headers", url, ingress, "10.244.0.9:1", []string{"203.0.113.1", "10.244.7.7"}, "203.0.113.1"},
		{"a proxy asks for itself", url, ingress, "10.244.0.9:1", []string{"10.244.0.1"}, "10.244.0.1"},
		{"a proxy that says nothing", url, ingress, "10.244.0.9:1", nil, "10.244.0.9"},
		{"a proxy that does not know", url, ingress, "10.244.0.9:1", []string{"203.0.113.1, unknown"}, "10.244.0.9"},
		{"empty elements", url, ingress, "10.244.0.9:1", []string{"203.0.113.1, ,"}, "203.0.113.1"},
		{"with a port", url, ingress, "10.244.0.9:1", []string{"203.0.113.1:5555"}, "203.0.113.1"},
		{"with brackets", url, ingress, "10.244.0.9:1", []string{"[2001:db8::7]"}, "2001:db8::7"},
		{"with both", url, ingress, "10.244.0.9:1", []string{"[2001:db8::7]:5555"}, "2001:db8::7"},
		{"with a zone", url, ingress, "10.244.0.9:1", []string{"fe80::1%<b>"}, "fe80::1"},
		{"no address", url, ingress, "@", []string{"203.0.113.1"}, "@"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := &http.Request{RemoteAddr: c.remote, Header: http.Header{"X-Forwarded-For": c.forwarded}}
			if got := clientaddr.New(c.url, networks(t, c.trusted...)).Of(r); got != c.want {
				t.Errorf("%s; want %s", got, c.want)
			}
		})
	}
}

// Whatever the header says, the outcome is an address; and it is that of the
// connection, unless the connection is a proxy's.
func FuzzOf(f *testing.F) {
	f.Add("10.244.0.9:1", "203.0.113.1")
	f.Add("10.244.0.9:1", "198.51.100.66, 203.0.113.1, 10.244.7.7")
	f.Add("10.244.0.9:1", "[2001:db8::7]:5555,,unknown")
	f.Add("[fe80::1%eth0]:1", "fe80::1%\x00<b>")
	f.Add("127.0.0.1:1", "127.0.0.1, ::1, ::ffff:127.0.0.1")
	f.Add("192.0.2.7:1", ",,,")
	f.Add("", "]:[")
	trusted := networks(f, "10.244.0.0/16", "fd00:1::/32")
	f.Fuzz(func(t *testing.T, remote, forwarded string) {
		of := func(forwarded string, trusted []netip.Prefix) string {
			return clientaddr.New("https://mail.example.org", trusted).Of(&http.Request{RemoteAddr: remote, Header: http.Header{"X-Forwarded-For": {forwarded}}})
		}
		peer, got := of("", nil), of(forwarded, trusted)
		if a, err := netip.ParseAddr(got); got != peer && (err != nil || a.Zone() != "" || a.Is4In6() || a.String() != got) {
			t.Errorf("%q for %q is %q", remote, forwarded, got)
		}
		a, err := netip.ParseAddr(peer)
		if proxy := err == nil && (a.IsLoopback() || trusted[0].Contains(a) || trusted[1].Contains(a)); !proxy && got != peer {
			t.Errorf("%q is believed: %q", remote, got)
		}
		if peer != got && of("198.51.100.66, "+forwarded, trusted) != got {
			if b, err := netip.ParseAddr(got); err != nil || !(b.IsLoopback() || trusted[0].Contains(b) || trusted[1].Contains(b)) {
				t.Errorf("what stands before counts: %q for %q", remote, forwarded)
			}
		}
	})
}
