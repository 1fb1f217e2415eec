package doctor

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/mailyard/mailyard/pkg/address"
	"github.com/mailyard/mailyard/pkg/mailhost"
	"github.com/mailyard/mailyard/pkg/smtpconn"
)

// addresses sends a mail to every address of the mailbox's folders that is in its
// own domain, and tells which arrived.
func (r *run) addresses(ctx context.Context, conn *smtpconn.Conn, from address.Address) {
	if len(r.req.Addresses) == 0 {
		r.skip(StepAddresses, "The mailbox has no folders with addresses yet.")
		return
	}
	r.try(ctx, StepAddresses, "Send a mail to each address of the folders and see which arrive.", func(s *Step) error {
		tested := make(map[address.Key]*probe)
		if len(r.probes) > 0 {
			tested[from.Key()] = r.probes[0]
		}
		for _, text := range r.req.Addresses {
			a, err := address.ParseOne(text)
			if err != nil || tested[a.Key()] != nil || len(tested) >= mostAddresses || !sameDomain(a, from) {
				continue
			}
			p := newProbe(r.req, from.Addr(), a.Addr())
			tested[a.Key()] = p
			if r.send(ctx, conn, p); ctx.Err() != nil {
				return p.refused
			}
		}
		if err := r.await(ctx, r.doctor.addressesTime()); err != nil {
			return err
		}
		r.tellAddresses(s, tested, from)
		return nil
	})
}

func sameDomain(a, b address.Address) bool {
	return address.Address{Local: "x", Domain: a.Domain}.Key() == address.Address{Local: "x", Domain: b.Domain}.Key()
}

// tellAddresses tells of every address of the folders what became of its mail.
func (r *run) tellAddresses(s *Step, tested map[address.Key]*probe, from address.Address) {
	var lost []string
	taken := make(map[string][]string) // addresses by the mailbox that has them
	arrived, untested, seen := 0, 0, make(map[address.Key]bool)
	for _, text := range r.req.Addresses {
		a, err := address.ParseOne(text)
		if err != nil || seen[a.Key()] {
			continue
		}
		seen[a.Key()] = true
		switch p := tested[a.Key()]; {
		case p == nil && !sameDomain(a, from):
			untested++
			s.fact(a.Addr(), "not tested: it is in another domain than "+from.Addr())
		case p == nil:
			untested++
			s.fact(a.Addr(), fmt.Sprintf("not tested: at most %d addresses are", mostAddresses))
		case p.refused != nil:
			lost = append(lost, a.Addr())
			s.fact(a.Addr(), "could not be sent: "+r.words(mailhost.SMTP, "", p.refused, r.req.Detailed))
		case r.elsewhere(p):
			taken[p.taker.Name] = append(taken[p.taker.Name], a.Addr())
			s.fact(a.Addr(), "came to the mailbox "+p.taker.Name+", which knew it for a test")
		case p.arrived.IsZero() && p.taker.ID == "":
			lost = append(lost, a.Addr())
			s.fact(a.Addr(), "did not arrive")
		default:
			arrived++
			s.fact(a.Addr(), p.came())
		}
	}
	s.Answer = fmt.Sprintf("%d arrived, %d did not, %d not tested.", arrived, len(seen)-arrived-untested, untested)
	for _, name := range slices.Sorted(maps.Keys(taken)) {
		s.warn(fmt.Sprintf("Mail to %s comes to the mailbox %s. If that is meant, take the folder out of this mailbox's list; else make the address an alias of this one on the mail server.", strings.Join(taken[name], ", "), name))
	}
	if len(lost) > 0 {
		s.warn(fmt.Sprintf("Mail to %s does not come to this mailbox. Make it an alias of the mailbox on the mail server, or take its folder out of the mailbox's list.", strings.Join(lost, ", ")))
	}
	if untested > 0 {
		s.warn("Send a mail to each address that was not tested, to see whether it comes to this mailbox.")
	}
}
