package egress_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/mailyard/mailyard/pkg/egress"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A world is a DNS and a network: what names resolve to, and what is dialled.
type world struct {
	mu      sync.Mutex
	answers map[string][][]string // of a name, one after the other; the last stays
	asked   int
	dialled []string
	down    map[string]error // of "address:port"
	hang    map[string]bool
}

func (w *world) LookupNetIP(_ context.Context, network, host string) ([]netip.Addr, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.asked++
	answers := w.answers[host]
	if len(answers) == 0 {
		return nil, &net.DNSError{Err: "no such host", Name: host, Server: "10.0.0.53:53", IsNotFound: true}
	}
	if len(answers) > 1 {
		w.answers[host] = answers[1:]
	}
	var found []netip.Addr
	for _, text := range answers[0] {
		if a := netip.MustParseAddr(text); network == "ip" || (network == "ip4") == a.Is4() {
			found = append(found, a)
		}
	}
	return found, nil
}

func (w *world) dial(ctx context.Context, _, addr string) (net.Conn, error) {
	w.mu.Lock()
	w.dialled = append(w.dialled, addr)
	err, hang := w.down[addr], w.hang[addr]
	w.mu.Unlock()
	if hang {
		<-ctx.Done()
		err = ctx.Err()
	}
	if err != nil {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Addr: net.TCPAddrFromAddrPort(netip.MustParseAddrPort(addr)), Err: err}
	}
	near, far := net.Pipe()
	return near, far.Close()
}

// connect dials and returns where the connection went.
func (w *world) connect(t *testing.T, p egress.Policy, network, addr string) (dialled []string, err error) {
	t.Helper()
	d := egress.New(p, egress.Options{Resolver: w, Dial: w.dial})
	w.dialled = nil
	conn, err := d.DialContext(t.Context(), network, addr)
	if err == nil {
		conn.Close()
	}
	return w.dialled, err
}

func TestEveryAddressOfANameIsChecked(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		answer, allowed, down, dialled []string
		refused, failed                bool
	}{
		"public":                        {answer: []string{"93.184.216.34"}, dialled: []string{"93.184.216.34:993"}},
		"private":                       {answer: []string{"10.1.2.3"}, refused: true},
		"private, allowed":              {answer: []string{"10.1.2.3"}, allowed: []string{"10.0.0.0/8"}, dialled: []string{"10.1.2.3:993"}},
		"all private":                   {answer: []string{"127.0.0.1", "::1", "10.1.2.3"}, refused: true},
		"one private among public":      {answer: []string{"127.0.0.1", "93.184.216.34", "10.1.2.3"}, dialled: []string{"93.184.216.34:993"}},
		"the public one is down":        {answer: []string{"127.0.0.1", "93.184.216.34"}, down: []string{"93.184.216.34:993"}, dialled: []string{"93.184.216.34:993"}, failed: true},
		"the next when one is down":     {answer: []string{"2a00::1", "93.184.216.34"}, down: []string{"[2a00::1]:993"}, dialled: []string{"[2a00::1]:993", "93.184.216.34:993"}},
		"all are down":                  {answer: []string{"1.1.1.1", "1.0.0.1"}, down: []string{"1.1.1.1:993", "1.0.0.1:993"}, dialled: []string{"1.1.1.1:993", "1.0.0.1:993"}, failed: true},
		"mapped loopback":               {answer: []string{"::ffff:127.0.0.1"}, refused: true},
		"mapped public is dialled IPv4": {answer: []string{"::ffff:93.184.216.34"}, dialled: []string{"93.184.216.34:993"}},
		"translated metadata":           {answer: []string{"64:ff9b::a9fe:a9fe"}, allowed: []string{"64:ff9b::/96"}, refused: true},
		"no address":                    {answer: []string{}, failed: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := &world{answers: map[string][][]string{"mail.example.com": {c.answer}}, down: map[string]error{}}
			for _, addr := range c.down {
				w.down[addr] = syscall.ECONNREFUSED
			}
			dialled, err := w.connect(t, policy(t, c.allowed), "tcp", "mail.example.com:993")
			var refused *egress.RefusedError
			var failed *egress.FailedError
			if errors.As(err, &refused) != c.refused || errors.As(err, &failed) != c.failed || (err != nil) != (c.refused || c.failed) {
				t.Errorf("DialContext = %v", err)
			}
			if !slices.Equal(dialled, c.dialled) {
				t.Errorf("dialled %v; want %v", dialled, c.dialled)
			}
		})
	}
}

// The answers change as soon as somebody asks a second time.
func TestWhatIsDialledIsWhatWasChecked(t *testing.T) {
	t.Parallel()
	rebinding := func() *world {
		return &world{answers: map[string][][]string{"rebind.example.com": {{"93.184.216.34"}, {"127.0.0.1"}}}}
	}
	w := rebinding()
	dialled, err := w.connect(t, egress.Policy{}, "tcp", "rebind.example.com:993")
	if err != nil || !slices.Equal(dialled, []string{"93.184.216.34:993"}) || w.asked != 1 {
		t.Errorf("dialled %v after asking %d times, %v", dialled, w.asked, err)
	}
	// The next connection asks anew, and the new answer is checked anew.
	if dialled, err := w.connect(t, egress.Policy{}, "tcp", "rebind.example.com:993"); err == nil || len(dialled) > 0 {
		t.Errorf("dialled %v, %v", dialled, err)
	}
	// A connection that fails is not a reason to ask again.
	w = rebinding()
	w.down = map[string]error{"93.184.216.34:993": syscall.ETIMEDOUT}
	if dialled, err := w.connect(t, egress.Policy{}, "tcp", "rebind.example.com:993"); err == nil || !slices.Equal(dialled, []string{"93.184.216.34:993"}) || w.asked != 1 {
		t.Errorf("dialled %v after asking %d times, %v", dialled, w.asked, err)
	}
}

// Resolvers of operating systems take many spellings of an address for one.
func TestOddSpellingsDoNotGetRoundTheCheck(t *testing.T) {
	t.Parallel()
	for _, host := range []string{"2130706433", "0x7f.1", "0x7f000001", "0177.0.0.1", "127.1", "127.0.0.1.", "localhost", "LOCALHOST.", "①②⑦.⓪.⓪.①"} {
		w := &world{answers: map[string][][]string{host: {{"127.0.0.1"}}}}
		var refused *egress.RefusedError
		if dialled, err := w.connect(t, egress.Policy{}, "tcp", net.JoinHostPort(host, "993")); !errors.As(err, &refused) || len(dialled) > 0 {
			t.Errorf("%q: dialled %v, %v", host, dialled, err)
		}
	}
	// What the real resolver makes of them is checked as well.
	d := egress.New(egress.Policy{}, egress.Options{Dial: func(_ context.Context, _, addr string) (net.Conn, error) {
		t.Errorf("dialled %s", addr)
		return nil, syscall.ECONNREFUSED
	}})
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	for _, host := range []string{"localhost", "127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "[fe80::1%25lo]", "[fe80::1%lo]", "0", "0.0.0.0", "[::]"} {
		if conn, err := d.DialContext(ctx, "tcp", host+":993"); err == nil {
			conn.Close()
			t.Errorf("%s was dialled", host)
		}
	}
}

func TestLiteralAddressesNeedNoResolver(t *testing.T) {
	t.Parallel()
	w := &world{}
	if dialled, err := w.connect(t, egress.Policy{}, "tcp", "[2a00::1]:993"); err != nil || !slices.Equal(dialled, []string{"[2a00::1]:993"}) || w.asked != 0 {
		t.Errorf("dialled %v, %v", dialled, err)
	}
	if dialled, err := w.connect(t, policy(t, []string{"127.0.0.1:10143"}), "tcp", "127.0.0.1:10143"); err != nil || !slices.Equal(dialled, []string{"127.0.0.1:10143"}) {
		t.Errorf("dialled %v, %v", dialled, err)
	}
	var refused *egress.RefusedError
	if _, err := w.connect(t, policy(t, []string{"127.0.0.1:10143"}), "tcp", "127.0.0.1:6379"); !errors.As(err, &refused) {
		t.Errorf("another port of an allowed address: %v", err)
	}
}

func TestFamiliesAndWhatIsNotTCP(t *testing.T) {
	t.Parallel()
	w := &world{answers: map[string][][]string{"mail.example.com": {{"2a00::1", "1.1.1.1"}}}}
	if dialled, err := w.connect(t, egress.Policy{}, "tcp4", "mail.example.com:993"); err != nil || !slices.Equal(dialled, []string{"1.1.1.1:993"}) {
		t.Errorf("tcp4 dialled %v, %v", dialled, err)
	}
	for _, c := range [][2]string{{"udp", "mail.example.com:993"}, {"unix", "/run/redis.sock"}, {"tcp", "mail.example.com"}, {"tcp", "mail.example.com:imaps"}, {"tcp", "mail.example.com:0"}, {"tcp", "mail.example.com:70000"}, {"tcp", ":993"}} {
		if dialled, err := w.connect(t, egress.Policy{}, c[0], c[1]); err == nil || len(dialled) > 0 {
			t.Errorf("%v: dialled %v, %v", c, dialled, err)
		}
	}
}

func TestTenantsReadNothingOfTheNetwork(t *testing.T) {
	t.Parallel()
	w := &world{
		answers: map[string][][]string{"inside.example.com": {{"10.1.2.3"}}, "down.example.com": {{"1.1.1.1"}}, "port.example.com": {{"1.1.1.1"}}},
		down:    map[string]error{"1.1.1.1:993": syscall.ECONNREFUSED},
	}
	for host, c := range map[string]struct{ say, detail string }{
		"inside.example.com":  {"ask the landlord", "10.1.2.3 is private; mail_networks can allow it"},
		"down.example.com":    {"refused", "1.1.1.1:993"},
		"missing.example.com": {"no mail server of the name", "10.0.0.53:53"},
	} {
		_, err := w.connect(t, egress.Policy{}, "tcp", host+":993")
		if err == nil || !strings.Contains(err.Error(), c.say) || strings.Contains(err.Error(), "10.") || strings.Contains(err.Error(), "1.1.1.1") {
			t.Errorf("a tenant reads %v", err)
		}
		if detail := egress.Detail(err); !strings.Contains(detail, c.detail) || !strings.Contains(detail, host) {
			t.Errorf("the landlord reads %q; want %q", detail, c.detail)
		}
	}
	_, err := w.connect(t, egress.Policy{}, "tcp", "down.example.com:993")
	if !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("the cause is not to be seen in %v", err)
	}
	if detail := egress.Detail(errors.New("other")); detail != "" {
		t.Errorf("detail of another error: %q", detail)
	}
}

// Of a host in networks that the landlord allowed, a tenant learns that it cannot
// be reached, and not why; of a name that only they know, not that it is there.
func TestTenantsDoNotMapTheNetworksThatAreAllowed(t *testing.T) {
	t.Parallel()
	allowed := policy(t, []string{"10.0.0.0/8"})
	allowed.Ports = []int{2000}
	w := &world{
		answers: map[string][][]string{"allowed.corp": {{"10.1.2.3"}}, "hidden.corp": {{"192.168.1.1"}}, "mixed.corp": {{"1.1.1.1", "10.1.2.3"}}, "mail.example.com": {{"1.1.1.1"}}},
		down:    map[string]error{},
	}
	say := func(addr string, down error) string {
		for _, a := range []string{"10.1.2.3:993", "10.1.2.3:22", "1.1.1.1:993", "1.1.1.1:2000"} {
			w.down[a] = down
		}
		_, err := w.connect(t, allowed, "tcp", addr)
		if err == nil || !strings.Contains(egress.Detail(err), strings.Split(addr, ":")[0]) {
			t.Fatalf("%s: %v", addr, err)
		}
		return err.Error()
	}
	reasons := []error{syscall.ECONNREFUSED, syscall.EHOSTUNREACH, syscall.ETIMEDOUT, context.DeadlineExceeded, errors.New("other")}
	for _, addr := range []string{"allowed.corp:993", "10.1.2.3:993", "mixed.corp:993", "mail.example.com:2000"} {
		for _, reason := range reasons {
			if got := say(addr, reason); got != "the server cannot be reached" {
				t.Errorf("%s, %v: a tenant reads %q", addr, reason, got)
			}
		}
	}
	if got := say("mail.example.com:993", syscall.ECONNREFUSED); got != "the connection is refused" {
		t.Errorf("of a host on the internet a tenant reads %q", got)
	}
	name := func(host string) string {
		_, err := w.connect(t, allowed, "tcp", host+":993")
		if !egress.Lasting(err) {
			t.Errorf("%s: %v does not last", host, err)
		}
		return strings.ReplaceAll(err.Error(), host, "HOST")
	}
	if hidden, missing := name("hidden.corp"), name("missing.corp"); hidden != missing {
		t.Errorf("a name inside: %q, one that is not: %q", hidden, missing)
	}
	for _, addr := range []string{"allowed.corp:22", "mail.example.com:22", "192.168.1.1:993"} { // a wrong port is no secret
		if _, err := w.connect(t, allowed, "tcp", addr); err == nil || !strings.Contains(err.Error(), "are not allowed") {
			t.Errorf("%s: %v", addr, err)
		}
	}
}

// A host that does not answer leaves time for the next of its addresses.
func TestOneAddressDoesNotTakeTheTimeOfTheOthers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := &world{answers: map[string][][]string{"mail.example.com": {{"1.1.1.1", "1.0.0.1", "9.9.9.9"}}}, hang: map[string]bool{"1.1.1.1:993": true, "1.0.0.1:993": true}}
		d := egress.New(egress.Policy{}, egress.Options{Resolver: w, Dial: w.dial})
		ctx, cancel := context.WithTimeout(t.Context(), 15*time.Second)
		defer cancel()
		began := time.Now()
		conn, err := d.DialContext(ctx, "tcp", "mail.example.com:993")
		if err != nil {
			t.Fatal(err)
		}
		conn.Close()
		if took := time.Since(began); took != 10*time.Second {
			t.Errorf("it took %s", took)
		}
		w.hang["9.9.9.9:993"] = true
		began = time.Now()
		var failed *egress.FailedError
		if _, err := d.DialContext(t.Context(), "tcp", "mail.example.com:993"); !errors.As(err, &failed) || !failed.Timeout() || !strings.Contains(err.Error(), "in time") {
			t.Errorf("without an answer: %v", err)
		}
		if took := time.Since(began); took != 30*time.Second {
			t.Errorf("without a deadline it took %s", took)
		}
	})
}

// A name server of a tenant's must not make a port scanner of this process.
func TestManyAddressesAreNotAllDialled(t *testing.T) {
	t.Parallel()
	w := &world{answers: map[string][][]string{"many.example.com": {nil}}, down: map[string]error{}}
	for i := range 200 {
		a := netip.AddrFrom4([4]byte{93, 184, 216, byte(i)})
		w.answers["many.example.com"][0] = append(w.answers["many.example.com"][0], a.String())
		w.down[netip.AddrPortFrom(a, 25).String()] = syscall.ECONNREFUSED
	}
	if dialled, err := w.connect(t, egress.Policy{}, "tcp", "many.example.com:25"); err == nil || len(dialled) > 16 {
		t.Errorf("dialled %d addresses, %v", len(dialled), err)
	}
}

func TestConnectionsAreReal(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	d := egress.New(policy(t, []string{l.Addr().String()}), egress.Options{})
	conn, err := d.DialContext(t.Context(), "tcp", net.JoinHostPort("localhost", l.Addr().String()[strings.LastIndex(l.Addr().String(), ":")+1:]))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if conn.RemoteAddr().String() != l.Addr().String() {
		t.Errorf("connected to %s", conn.RemoteAddr())
	}
}
