package doctor

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"go.uber.org/zap"

	"github.com/mailyard/mailyard/pkg/address"
	"github.com/mailyard/mailyard/pkg/mailhost"
	"github.com/mailyard/mailyard/pkg/smtpconn"
)

// mostAddresses of folders are written to.
const mostAddresses = 10

// selfTime is how long a mail to oneself is waited for, addressesTime those to
// the folders' addresses, together.
func (d Doctor) selfTime() time.Duration      { return d.Limit / 3 }
func (d Doctor) addressesTime() time.Duration { return d.Limit * 2 / 9 }

// mail sends mails to the mailbox and sees them arrive.
func (r *run) mail(ctx context.Context, conn *smtpconn.Conn) {
	if r.conn == nil || r.inbox.UIDValidity == 0 {
		return // end says so
	}
	from, ok := r.sender()
	if !ok {
		r.skip(StepSend, "Neither the username nor a folder has an address to write to.")
		return
	}
	if err := r.announce(ctx); err != nil {
		r.log.Warn("announcing test mails", zap.Error(err))
		r.skip(StepSend, "No mail is sent now: the pipeline could not be told that it is a test, and might give it to an agent. Try again in a minute.")
		return
	}
	if r.self(ctx, conn, from) {
		r.addresses(ctx, conn, from)
	}
}

// sender returns the address that the mailbox has: its username, else that of a folder.
func (r *run) sender() (address.Address, bool) {
	for _, text := range append([]string{r.req.Document.Username}, r.req.Addresses...) {
		if a, err := address.ParseOne(text); err == nil {
			return a, true
		}
	}
	return address.Address{}, false
}

// send sends a probe. A refusal is kept in it.
func (r *run) send(ctx context.Context, conn *smtpconn.Conn, p *probe) {
	r.probes = append(r.probes, p)
	p.sent = time.Now()
	p.refused = conn.Send(ctx, p.from, []string{p.to}, bytes.NewReader(r.text(p)))
}

// self sends a mail to the mailbox's own address.
func (r *run) self(ctx context.Context, conn *smtpconn.Conn, from address.Address) bool {
	return r.try(ctx, StepSend, "Send a mail from "+from.Addr()+" to "+from.Addr()+" and wait for it.", func(s *Step) error {
		// Nothing that was there before is looked at.
		inbox, err := r.conn.Select(ctx, r.req.Document.Inbox)
		if err != nil {
			return err
		}
		r.inbox = inbox
		p := newProbe(r.req, from.Addr(), from.Addr())
		if r.send(ctx, conn, p); p.refused != nil {
			r.failOf(ctx, s, mailhost.SMTP, "", p.refused)
			if s.Remedy == "" {
				s.Remedy = "The server took the sign-in and not the mail. Its answer says why; often this account may not send as this address."
			}
			return nil
		}
		s.Answer = conn.Answer()
		if err := r.await(ctx, r.doctor.selfTime()); err != nil {
			return err
		}
		r.arrival(s, p)
		return nil
	})
}

// inLedger is what the pipeline does with a test mail that it sees.
const inLedger = "the pipeline, which knew it for a test: it went to no folder, and the ledger lists it as a loop"

// arrival tells what became of a probe to the mailbox itself.
func (r *run) arrival(s *Step, p *probe) {
	waited := r.doctor.selfTime().Round(time.Second)
	switch {
	case r.elsewhere(p):
		s.Outcome = Failed
		s.Remedy = fmt.Sprintf("Mail to %s comes to the mailbox %s, which knew this one for a test. Check that the username and the addresses belong to the same account.", p.to, p.taker.Name)
	case p.folder == "" && p.taker.ID != "":
		s.fact("Taken by", inLedger)
	case p.folder == "" && !p.arrived.IsZero(): // and nowhere else
		s.fact("Arrived after", p.arrived.Sub(p.sent).Round(10*time.Millisecond).String())
		s.fact("Taken by", "somebody else, before it could be deleted")
	case p.folder == "" && r.req.Document.Enabled:
		s.warn(fmt.Sprintf("It was sent and not seen within %s. The mailbox is enabled, so it may have been taken away already; else look for it in the mailbox's other folders.", waited))
	case p.folder == "":
		s.Outcome = Failed
		s.Remedy = fmt.Sprintf("It was sent and did not arrive within %s. The address may belong to another mailbox, or a filter may hold it back. Look for it in the mailbox's other folders.", waited)
	default:
		s.fact("Arrived after", p.arrived.Sub(p.sent).Round(10*time.Millisecond).String())
		s.fact("Found in", p.folder)
		switch {
		case p.folder == r.req.Document.InvalidFolder:
			s.fact("Taken by", inLedger)
		case p.folder != r.req.Document.Inbox:
			s.warn("It arrived in " + p.folder + ", which is not watched. Tell the server that mail from this address is no junk.")
		}
		if !p.removed {
			s.warn("It stays there: this server has neither MOVE nor UIDPLUS, without which nothing can be deleted safely. It may be deleted by hand.")
		}
	}
}
