package doctor

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
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
		allowed := r.allowed(addresses, t.Port)
		r.hidden[p] = err == nil && len(allowed) == 0 && len(addresses) > 0
		if !r.req.Detailed {
			addresses = allowed
		}
		if err != nil || len(addresses) == 0 {
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

// allowed returns the addresses that may be dialled, at the port of the settings
// or at the usual one: a wrong port is no secret.
func (r *run) allowed(addresses []netip.Addr, port int) []netip.Addr {
	if r.doctor.Allows == nil {
		return addresses
	}
	return slices.DeleteFunc(slices.Clone(addresses), func(a netip.Addr) bool {
		return !r.doctor.Allows(a, port) && !r.doctor.Allows(a, 993)
	})
}

// unresolved tells of a name that leads nowhere. To a tenant a name that only
// the landlord's network knows, one that does not exist and one whose name
// servers do not answer are the same.
func (r *run) unresolved(ctx context.Context, s *Step, t mailhost.Target, err error) error {
	if ctx.Err() != nil && err != nil {
		return err
	}
	s.Outcome = Failed
	s.Answer, s.Remedy = unknownName(t)
	if !r.req.Detailed {
		return nil
	}
	s.Coarse = joined(s.Title+": "+s.Answer, s.Remedy)
	var dns *net.DNSError
	switch {
	case err == nil, errors.As(err, &dns) && dns.IsNotFound:
		s.Answer, s.Remedy = "There is no such name: "+t.Hostname()+".", "Check the spelling. The provider's help pages name its servers."
	default:
		s.Answer = "The name servers do not answer for " + t.Hostname() + ". " + mailhost.CleanText(err.Error())
		s.Remedy = "Try again in a minute. If it stays so, the domain's name servers are in trouble."
	}
	return nil
}

// unknownName is what a tenant is told of a name under which there is nothing for it.
func unknownName(t mailhost.Target) (answer, remedy string) {
	return "There is no mail server of the name " + t.Hostname() + " that may be used here.",
		"Check the spelling. The provider's help pages name its servers. If it is right, the name servers may be in trouble: try again in a minute. A server that is not on the internet must be allowed by the landlord."
}

// coarse is what a tenant may know of a step that failed.
func (r *run) coarse(s *Step, p mailhost.Protocol, stage mailhost.Stage, err error) string {
	if stage == mailhost.StageConnect && r.hidden[p] {
		resolve := r.step(map[mailhost.Protocol]string{mailhost.IMAP: StepResolve, mailhost.SMTP: StepSMTPResolve}[p])
		answer, remedy := unknownName(r.req.target(p))
		return joined(resolve.Title+": "+answer, remedy)
	}
	return joined(s.Title+": "+r.words(p, stage, err, false), r.advice(p, stage, err, false))
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
