package leaseserver_test

import (
	"net"
	"net/url"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"

	"github.com/mailyard/mailyard/pkg/lease/leaseserver"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestServerNeedsThePasswordAndListensOnLoopback(t *testing.T) {
	s, err := leaseserver.Start(leaseserver.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	host, _, err := net.SplitHostPort(s.Addr())
	if err != nil || !net.ParseIP(host).IsLoopback() {
		t.Errorf("it listens on %s; want loopback", s.Addr())
	}
	for _, c := range []struct {
		name string
		url  string
		ok   bool
	}{
		{"with password", s.URL(), true},
		{"without", "redis://" + s.Addr(), false},
	} {
		o, err := redis.ParseURL(c.url)
		if err != nil {
			t.Fatal(err)
		}
		r := redis.NewClient(o)
		if err := r.Set(t.Context(), "key", "value", 0).Err(); (err == nil) != c.ok {
			t.Errorf("%s: SET = %v", c.name, err)
		}
		r.Close()
	}
}

func TestGivenAddressAndPassword(t *testing.T) {
	first, err := leaseserver.Start(leaseserver.Options{Password: "p/w:d@"})
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(first.URL())
	if err != nil {
		t.Fatal(err)
	}
	if pw, _ := u.User.Password(); pw != "p/w:d@" {
		t.Errorf("password in the URL = %q", pw)
	}
	if _, err := leaseserver.Start(leaseserver.Options{Addr: first.Addr()}); err == nil || !strings.Contains(err.Error(), first.Addr()) {
		t.Errorf("Start on an address in use = %v; want an error that names it", err)
	}
	first.Close()
	second, err := leaseserver.Start(leaseserver.Options{Addr: first.Addr()})
	if err != nil {
		t.Fatalf("the address is not free after Close: %v", err)
	}
	second.Close()
}
