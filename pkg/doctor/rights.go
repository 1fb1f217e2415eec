package doctor

import (
	"context"
	"fmt"
	"strings"

	"github.com/mailyard/mailyard/pkg/imapconn"
	"github.com/mailyard/mailyard/pkg/mailhost"
	"github.com/mailyard/mailyard/schemas/config"
)

// rights tries in a throw-away folder what will be done with mail.
func (r *run) rights(ctx context.Context) {
	r.try(ctx, StepRights, "Make a throw-away folder, put a mail into it, and take it out again as handled mail is.", func(s *Step) error {
		left, err := r.sweep(ctx)
		if err != nil {
			return err
		}
		if left > 0 {
			s.fact("Left over from an earlier run", count(left, "folder", "folders")+" removed")
		}
		err = r.practise(ctx, s)
		if ctx.Err() != nil {
			return err // what was made is removed at the end
		}
		names := strings.Join(r.made, " and ")
		if derr := r.discard(ctx); derr != nil {
			s.fact("Delete a folder", r.words(mailhost.IMAP, "", derr, r.req.Detailed))
			s.warn(fmt.Sprintf("Mail works without the right to delete folders, but %s could not be removed; please delete it.", names))
			r.made = nil
		} else if err == nil {
			s.fact("Delete a folder", r.done())
		}
		return err
	})
}

// done is a fact about something that the server just did.
func (r *run) done() string {
	if answer := r.conn.Answer(); answer != "" {
		return "done: " + answer
	}
	return "done"
}

// practise uses every method that the mailbox uses, each on a mail of its own.
func (r *run) practise(ctx context.Context, s *Step) error {
	from, to := r.throwAway(), r.throwAway()
	if err := r.conn.CreateFolder(ctx, from); err != nil {
		return err
	}
	s.fact("Create a folder", r.done())
	s.Answer = "All that is needed is allowed."
	methods := []config.Method{r.req.Document.PersistedMethod}
	if r.req.Document.InvalidMethod != methods[0] {
		methods = append(methods, r.req.Document.InvalidMethod)
	}
	for _, method := range methods {
		if err := r.conn.Append(ctx, from, r.text(newProbe(r.req, "doctor@localhost", "doctor@localhost"))); err != nil {
			return err
		}
		folder, err := r.conn.Select(ctx, from)
		if err != nil {
			return err
		}
		uids, err := r.conn.List(ctx, imapconn.ListOptions{})
		if err != nil {
			return err
		}
		if len(uids) == 0 {
			s.Outcome, s.Answer, s.Remedy = Failed, "The server took a mail and does not show it.", "The server does not work as IMAP demands; ask its operator."
			return nil
		}
		if method == config.MethodDelete {
			err = r.practiseDelete(ctx, s, folder, uids, to)
		} else {
			err = r.practiseMove(ctx, s, folder, uids, to)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (r *run) practiseMove(ctx context.Context, s *Step, folder imapconn.Inbox, uids []uint32, to string) error {
	moved, err := r.conn.Move(ctx, folder.UIDValidity, uids, to)
	if err != nil {
		return err
	}
	switch moved.Method {
	case imapconn.MethodMove:
		s.fact("Move a mail by MOVE", r.done())
	case imapconn.MethodCopyExpunge:
		s.fact("Move a mail by copying and expunging it", r.done())
	default:
		s.fact("Move a mail", "only by copying it: the original stays, marked as deleted")
		s.warn("This server has neither MOVE nor UIDPLUS. Handled mail stays in the inbox, marked as deleted, until a mail program removes it.")
	}
	return nil
}

func (r *run) practiseDelete(ctx context.Context, s *Step, folder imapconn.Inbox, uids []uint32, to string) error {
	moved, err := r.conn.Delete(ctx, folder.UIDValidity, uids, to)
	if err != nil {
		return err
	}
	if moved.Expunged == len(uids) {
		s.fact("Delete a mail", "done")
		return nil
	}
	s.fact("Delete a mail", "it stays in the deleted folder")
	s.warn(fmt.Sprintf("The server does not tell which mails were moved, so deleted mail stays in %s. Empty that folder from time to time.", r.req.Document.DeletedFolder))
	return nil
}
