package doctor

import (
	"context"

	"github.com/mailyard/mailyard/pkg/mailhost"
	"github.com/mailyard/mailyard/pkg/smtpconn"
)

// smtp signs in to the server that the mailbox sends through. The connection is
// for the caller to close; nil: there is none.
func (r *run) smtp(ctx context.Context) *smtpconn.Conn {
	if r.req.Document.SMTP.Host == "" {
		for _, id := range []string{StepSMTPResolve, StepSMTPConnect, StepSMTPTLS, StepSMTPSignIn, StepSend} {
			r.skip(id, "smtp.host is empty: the mailbox does not send.")
		}
		r.skip(StepAddresses, "Without smtp.host nothing can be sent to them. Send a mail to each address of the folders yourself, to see whether it comes to this mailbox.")
		return nil
	}
	if !r.resolve(ctx, StepSMTPResolve, mailhost.SMTP) || ctx.Err() != nil {
		return nil
	}
	c := r.watch(ctx, mailhost.SMTP, map[mailhost.Stage]string{
		mailhost.StageConnect: StepSMTPConnect, mailhost.StageTLS: StepSMTPTLS, mailhost.StageGreeting: StepSMTPTLS,
		mailhost.StageCapabilities: StepSMTPSignIn, mailhost.StageSignIn: StepSMTPSignIn,
	})
	conn, err := smtpconn.Dial(ctx, c.target, smtpconn.Options{
		Dial: r.doctor.Dial, Observe: c.observe, CommandTimeout: patience, SendTimeout: patience,
	})
	if !c.end(err) {
		return nil
	}
	return conn
}
