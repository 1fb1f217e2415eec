package doctor

import (
	"context"
	"strconv"
	"time"

	"github.com/mailyard/mailyard/schemas/config"
)

// open the watched folder and tell of it.
func (r *run) openInbox(ctx context.Context) bool {
	return r.try(ctx, StepInbox, "Open "+quoted(r.req.Document.Inbox)+".", func(s *Step) error {
		inbox, err := r.conn.Select(ctx, r.req.Document.Inbox)
		if err != nil {
			return err
		}
		r.inbox = inbox
		s.Answer = r.conn.Answer()
		s.fact("Messages", number(inbox.Messages))
		s.fact("UIDNEXT", number(inbox.UIDNext))
		s.fact("UIDVALIDITY", number(inbox.UIDValidity))
		if inbox.ReadOnly {
			s.Outcome, s.Remedy = Failed, "The folder can be read only, and mail could not be moved out of it. This account needs the right to change it."
		}
		return nil
	})
}

func number(n uint32) string { return strconv.FormatUint(uint64(n), 10) }

// targets tells which of the folders exist that mail is moved to.
func (r *run) targets(ctx context.Context) {
	doc := r.req.Document
	deletes := doc.PersistedMethod == config.MethodDelete || doc.InvalidMethod == config.MethodDelete
	r.try(ctx, StepFolders, "Look for the folders that mail is moved to.", func(s *Step) error {
		missing := 0
		for _, f := range []struct {
			name string
			used bool
		}{
			{doc.PersistedFolder, doc.PersistedMethod != config.MethodDelete},
			{doc.InvalidFolder, doc.InvalidMethod != config.MethodDelete},
			{doc.DeletedFolder, deletes},
		} {
			found, err := r.conn.HasFolder(ctx, f.name)
			switch {
			case err != nil:
				return err
			case found:
				s.fact(f.name, "exists")
			case !f.used:
				s.fact(f.name, "does not exist; it is not needed")
			default:
				s.fact(f.name, "will be created when it is needed")
				missing++
			}
		}
		s.Answer = "All that are needed exist."
		if missing > 0 {
			s.Answer = count(missing, "folder", "folders") + " will be created."
		}
		return nil
	})
}

// idle enters IDLE and leaves it (RFC 2177).
func (r *run) idle(ctx context.Context) {
	r.try(ctx, StepIdle, "Enter IDLE and leave it.", func(s *Step) error {
		const lack = "New mail is noticed within 45 seconds instead of at once. Nothing need be done."
		if !r.conn.HasIdle() {
			s.Answer = "The server does not offer IDLE."
			s.warn(lack)
			return nil
		}
		// A server that has news already is not asked to wait for some.
		for news := true; news; {
			var err error
			if news, err = r.conn.Wait(ctx, 200*time.Millisecond); err != nil {
				return err
			}
		}
		s.Answer = r.conn.Answer()
		if !r.conn.HasIdle() {
			s.warn("The server offers IDLE and then refuses it. " + lack)
		}
		return nil
	})
}
