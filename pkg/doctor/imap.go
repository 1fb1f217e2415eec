package doctor

import (
	"context"

	"github.com/mailyard/mailyard/pkg/imapconn"
	"github.com/mailyard/mailyard/pkg/mailhost"
)

// mailbox tries what the pipeline needs of a mailbox.
func (r *run) mailbox(ctx context.Context) {
	if !r.openInbox(ctx) {
		return
	}
	for _, step := range []func(context.Context){r.rights, r.targets, r.idle} {
		if !r.conn.Alive() {
			return
		}
		step(ctx)
	}
}

// signIn goes from the name of the server to the namespace.
func (r *run) signIn(ctx context.Context) bool {
	if !r.resolve(ctx, StepResolve, mailhost.IMAP) || ctx.Err() != nil {
		return false
	}
	c := r.watch(ctx, mailhost.IMAP, map[mailhost.Stage]string{
		mailhost.StageConnect: StepConnect, mailhost.StageTLS: StepTLS, mailhost.StageGreeting: StepGreeting,
		mailhost.StageCapabilities: StepCapabilities, mailhost.StageSignIn: StepSignIn, mailhost.StageNamespace: StepNamespace,
	})
	conn, err := imapconn.Dial(ctx, c.target, r.options(c.observe))
	if c.end(err) {
		r.conn = conn
	}
	return err == nil
}

func (r *run) options(o mailhost.Observer) imapconn.Options {
	return imapconn.Options{
		Logger: r.log, Dial: r.doctor.Dial, Observe: o,
		CommandTimeout: patience, MoveTimeout: patience, StallTimeout: patience,
	}
}

func (r *run) close() {
	if r.conn != nil {
		r.conn.Close()
		r.conn = nil
	}
}
