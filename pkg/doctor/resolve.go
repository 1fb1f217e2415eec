package doctor

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"

	"github.com/mailyard/mailyard/pkg/egress"
	"github.com/mailyard/mailyard/pkg/mailhost"
)

// resolve finds the addresses of a server, which are only told: the connection
// finds and checks them once more. It reports whether the name has any.
func (r *run) resolve(ctx context.Context, id string, p mailhost.Protocol) bool {
	t := r.req.target(p)
	return r.try(ctx, id, "Look up "+t.Hostname()+".", func(s *Step) error {
		if t.Host == "" {
			s.Outcome, s.Answer, s.Remedy = Failed, "The "+strings.ToUpper(string(p))+" address is not set.", "Set "+string(p)+".host to the name of the mail server."
			s.Tried = ""
			return nil
		}
		if a, err := netip.ParseAddr(strings.Trim(t.Host, "[]")); err == nil {
			r.note(p, []netip.Addr{a})
			s.Answer = "It is an address already."
			return nil
		}
		addresses, err := r.doctor.LookupNetIP(ctx, "ip", t.Hostname())
		if err != nil {
			return r.unresolved(ctx, s, t, err)
		}
		r.note(p, addresses)
		s.Answer = fmt.Sprintf("%s has %s.", t.Hostname(), count(len(addresses), "address", "addresses"))
		if r.req.Detailed || r.public[p] {
			for _, a := range addresses[:min(len(addresses), 16)] {
				s.fact("Address", a.Unmap().String())
			}
		}
		return nil
	})
}

func (r *run) unresolved(ctx context.Context, s *Step, t mailhost.Target, err error) error {
	var dns *net.DNSError
	switch {
	case ctx.Err() != nil:
		return err
	case errors.As(err, &dns) && dns.IsNotFound:
		s.Answer, s.Remedy = "There is no such name: "+t.Hostname()+".", "Check the spelling. The provider's help pages name its servers."
	default:
		s.Answer, s.Remedy = "The name servers do not answer for "+t.Hostname()+".", "Try again in a minute. If it stays so, the domain's name servers are in trouble."
		if r.req.Detailed {
			s.Coarse = joined(s.Answer, s.Remedy)
			s.Answer += " " + mailhost.CleanText(err.Error())
		}
	}
	s.Outcome = Failed
	return nil
}

// note remembers whether a server is on the internet, where everybody can see
// what a tenant is told of it.
func (r *run) note(p mailhost.Protocol, addresses []netip.Addr) {
	public := len(addresses) > 0
	for _, a := range addresses {
		public = public && egress.Policy{}.Check(a, 993) == ""
	}
	r.public[p] = public
}

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
