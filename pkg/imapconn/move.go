package imapconn

import (
	"context"
	"errors"
	"slices"

	"github.com/emersion/go-imap/v2"
	"go.uber.org/zap"
)

// How mails left the selected folder: Moved.Method.
const (
	MethodMove        = "move"         // MOVE (RFC 6851)
	MethodCopyExpunge = "copy-expunge" // UID COPY, \Deleted, UID EXPUNGE (RFC 4315)
	MethodCopyFlag    = "copy-flag"    // UID COPY, \Deleted: without UIDPLUS nothing is expunged from a shared folder
)

// Moved tells what a Move or Delete did.
type Moved struct {
	Method      string // the last one used; empty when there was nothing to do
	Count       int    // mails that left the folder as far as the server told; those gone before are not counted
	Destination string // name on the server of the folder they went to
	Expunged    int    // of Delete: mails removed from the destination
}

// Move moves mails from the selected folder to another, which is created when it
// is missing. Nothing is touched, and ErrUIDValidity returned, unless the
// selected folder has the given UIDVALIDITY. UIDs that are gone are no error. A
// refusal in the middle leaves what came before moved; to repeat a Move is safe
// at any time.
func (c *Conn) Move(ctx context.Context, uidvalidity uint32, uids []uint32, dest string) (Moved, error) {
	moved, _, err := c.move(ctx, uidvalidity, uids, dest)
	return moved, err
}

// move also returns what the server told about the copies.
func (c *Conn) move(ctx context.Context, uidvalidity uint32, uids []uint32, dest string) (moved Moved, copied []copyUID, err error) {
	if err := c.fence(uidvalidity); err != nil {
		return moved, nil, err
	}
	name, err := c.destination(dest)
	if err != nil {
		return moved, nil, err
	}
	moved.Destination = name
	if uids = normalize(uids); len(uids) > 0 {
		if err := c.refresh(ctx, uids[len(uids)-1]); err != nil {
			return moved, nil, err
		}
	}
	// One command at a time: answers to several at once cannot be told apart.
	for _, part := range chunks(uids, maxSetUIDs) {
		if err := c.fence(uidvalidity); err != nil {
			return moved, copied, err
		}
		step := c.copyStep
		if c.hasMove {
			step = c.moveStep
		}
		r, err := step(ctx, part, name)
		if errors.Is(err, errNoMove) {
			c.hasMove = false
			r, err = c.copyStep(ctx, part, name)
		}
		if err != nil && c.worthCreating(ctx, err, name) {
			if step = c.copyStep; c.hasMove {
				step = c.moveStep
			}
			r, err = step(ctx, part, name)
		}
		copied = append(copied, r.copied...)
		if err != nil {
			return moved, copied, missing(err)
		}
		moved.Method = r.method
		moved.Count += r.count
	}
	return moved, copied, nil
}

// worthCreating creates the destination if that is why a command was refused.
func (c *Conn) worthCreating(ctx context.Context, err error, name string) bool {
	var r *refusal
	if !errors.As(err, &r) || r.status != "NO" || KindOf(err) == KindThrottled || r.code == "OVERQUOTA" {
		return false
	}
	created, cerr := c.ensure(ctx, name)
	if cerr != nil {
		c.log.Debug("creating the destination did not help", zap.Error(cerr))
	}
	return cerr == nil && (created || r.code == "TRYCREATE")
}

// A step is what one command, or one sequence of them, did.
type step struct {
	method string
	count  int
	copied []copyUID
}

var errNoMove = errors.New("server does not know MOVE")

// moveStep moves by MOVE: every mail is either moved or untouched, so that the
// tagged OK is final.
func (c *Conn) moveStep(ctx context.Context, uids []uint32, name string) (step, error) {
	if !c.client.Caps().Has(imap.CapMove) {
		return step{}, errNoMove // go-imap would fall back to commands that lose mail
	}
	told := c.listen()
	err := c.do(ctx, "moving mails to "+quoteName(name), c.opts.MoveTimeout, func() error {
		_, err := c.client.Move(uidSet(uids), name).Wait()
		return err
	})
	copied, expunged := told()
	var r *refusal
	if errors.As(err, &r) && r.status == "BAD" && KindOf(err) != KindThrottled {
		return step{}, errNoMove
	}
	s := step{method: MethodMove, copied: copied, count: min(expunged, len(uids))}
	if len(copied) > 0 {
		s.count = len(sources(copied, uids))
	}
	return s, err
}

// copyStep moves without MOVE. Only what was copied is marked, only what was
// marked is expunged, and each only after the OK of the command before.
func (c *Conn) copyStep(ctx context.Context, uids []uint32, name string) (step, error) {
	s := step{method: MethodCopyFlag}
	uidplus := c.caps.Has(imap.CapUIDPlus)
	if uidplus {
		s.method = MethodCopyExpunge
	} else {
		// What is marked already was copied before, or is deleted by somebody
		// who uses the mailbox; it will not be expunged and must not be copied again.
		var err error
		uids, err = c.existing(ctx, uids, imap.SearchCriteria{NotFlag: []imap.Flag{imap.FlagDeleted}})
		if err != nil {
			return s, err
		}
		if len(uids) == 0 {
			return s, nil
		}
	}
	told := c.listen()
	err := c.do(ctx, "copying mails to "+quoteName(name), c.opts.MoveTimeout, func() error {
		_, err := c.client.Copy(uidSet(uids), name).Wait()
		return err
	})
	s.copied, _ = told()
	if err != nil {
		return s, quota(err)
	}
	// COPY is all or nothing (RFC 9051, section 6.4.7): after its OK, a mail that
	// exists was copied, even when the server does not say so.
	there, err := c.Exists(ctx, uids)
	if err != nil {
		return s, err
	}
	if len(s.copied) > 0 {
		there = sources(s.copied, there)
	}
	s.count = len(there)
	if len(there) == 0 {
		return s, nil
	}
	if err := c.markDeleted(ctx, there); err != nil {
		return s, err
	}
	if !uidplus {
		return s, nil
	}
	return s, c.expunge(ctx, there)
}

// quota explains a COPY that the mailbox has no room for.
func quota(err error) error {
	var e *Error
	var r *refusal
	if errors.As(err, &e) && errors.As(err, &r) && r.code == "OVERQUOTA" {
		e.Hint = "the mailbox is full, and this server can move mails only by copying: free some space"
	}
	return err
}

// markDeleted sets \Deleted.
func (c *Conn) markDeleted(ctx context.Context, uids []uint32) error {
	return c.do(ctx, `marking mails \Deleted`, c.opts.MoveTimeout, func() error {
		return c.client.Store(uidSet(uids), &imap.StoreFlags{Op: imap.StoreFlagsAdd, Silent: true, Flags: []imap.Flag{imap.FlagDeleted}}, nil).Close()
	})
}

// expunge removes exactly these mails (UIDPLUS).
func (c *Conn) expunge(ctx context.Context, uids []uint32) error {
	return c.do(ctx, "expunging mails", c.opts.MoveTimeout, func() error {
		return c.client.UIDExpunge(uidSet(uids)).Close()
	})
}

// listen starts to note what the server tells about copies and expunged mails;
// the function returned gives what it told since.
func (c *Conn) listen() (told func() (copied []copyUID, expunged int)) {
	seen := &c.guard.filter.seen
	seen.mu.Lock()
	defer seen.mu.Unlock()
	seen.copied, seen.expunged = nil, 0
	return func() ([]copyUID, int) {
		seen.mu.Lock()
		defer seen.mu.Unlock()
		return seen.copied, seen.expunged
	}
}

// sources returns which of the UIDs were copied.
func sources(copied []copyUID, uids []uint32) []uint32 {
	was := make(map[uint32]bool)
	for _, cp := range copied {
		for _, uid := range cp.source {
			was[uid] = true
		}
	}
	return slices.DeleteFunc(slices.Clone(uids), func(uid uint32) bool { return !was[uid] })
}
