package doctor

import (
	"context"

	"github.com/mailyard/mailyard/pkg/imapconn"
	"github.com/mailyard/mailyard/pkg/mailhost"
)

// mostFolders bounds what is offered to choose from.
const mostFolders = 1000

// Folders returns the display names of the folders on the server that can hold
// mail, as the settings take them, in order; at most 1000. A failure is a
// *StepError.
func (d Doctor) Folders(ctx context.Context, req Request) ([]string, error) {
	ctx, cancel, r := d.begin(ctx, req, nil)
	defer cancel()
	conn, err := r.open(ctx)
	if err != nil {
		return nil, err
	}
	defer r.close()
	names, err := conn.Folders(ctx, mostFolders)
	if err != nil {
		return nil, r.trouble(ctx, "List the folders", err)
	}
	return names, nil
}

// open signs in, or returns the step that failed as the error.
func (r *run) open(ctx context.Context) (*imapconn.Conn, error) {
	if r.signIn(ctx) {
		return r.conn, nil
	}
	r.end(ctx)
	for _, s := range r.steps {
		if s.Outcome == Failed {
			return nil, &StepError{s}
		}
	}
	return nil, ctx.Err()
}

// trouble makes an error that may be shown of one that happened after the sign-in.
func (r *run) trouble(ctx context.Context, title string, err error) error {
	s := Step{Title: title}
	r.fail(ctx, &s, mailhost.IMAP, err)
	s.Answer, s.Remedy = r.secrets.Redact(s.Answer), r.secrets.Redact(s.Remedy)
	return &StepError{s}
}
