package imapconn

import (
	"context"
	"slices"

	"github.com/emersion/go-imap/v2"
	"go.uber.org/zap"
)

// Delete removes mails from the selected folder for good: it moves them to the
// deleted folder and expunges them there, and selects the folder again. The
// inbox itself is never expunged: without UIDPLUS that would take what others
// marked, and there are servers where it only archives.
//
// In the deleted folder nothing is expunged but what this call brought there.
// Where the server does not tell which mails that are and it cannot be found out
// for certain, they stay there. The rest is as with Move.
//
// When the connection is lost between the move and the expunge, the mails stay
// in the deleted folder for good: what the server told of where they went is
// lost with this call. A call that repeats it finds nothing left to move, with
// Count 0 and without an error; the mails are out of the inbox either way.
func (c *Conn) Delete(ctx context.Context, uidvalidity uint32, uids []uint32, deletedFolder string) (Moved, error) {
	if err := c.fence(uidvalidity); err != nil {
		return Moved{}, err
	}
	inbox := c.selected
	name, err := c.destination(deletedFolder)
	if err != nil {
		return Moved{}, err
	}
	if trash, err := c.trash(ctx); err != nil {
		return Moved{}, err
	} else if trash != "" {
		name = trash
	}
	before, _, err := c.status(ctx, name)
	if err != nil {
		return Moved{}, err
	}
	moved, copied, err := c.move(ctx, uidvalidity, uids, name)
	if moved.Count == 0 && len(copied) == 0 {
		return moved, err
	}
	moveErr := err
	moved.Expunged, err = c.purge(ctx, name, before, copied, moved.Count)
	if _, serr := c.selectName(ctx, inbox.name, inbox.readOnly); err == nil {
		err = serr
	}
	if moveErr != nil {
		err = moveErr
	}
	return moved, err
}

// purge expunges from the deleted folder what was just moved there.
func (c *Conn) purge(ctx context.Context, name string, before imap.StatusData, copied []copyUID, count int) (int, error) {
	inbox, err := c.selectName(ctx, name, false)
	if err != nil {
		return 0, err
	}
	ours, err := c.arrived(ctx, inbox, before, copied, count)
	if err != nil || len(ours) == 0 {
		return 0, err
	}
	for _, part := range chunks(ours, maxSetUIDs) {
		if err := c.markDeleted(ctx, part); err != nil {
			return 0, err
		}
	}
	if c.caps.Has(imap.CapUIDPlus) {
		for _, part := range chunks(ours, maxSetUIDs) {
			if err := c.expunge(ctx, part); err != nil {
				return 0, err
			}
		}
		return len(ours), nil
	}
	marked, err := c.search(ctx, "looking for deleted mails", &imap.SearchCriteria{Flag: []imap.Flag{imap.FlagDeleted}})
	if err != nil {
		return 0, err
	}
	if !slices.Equal(marked, ours) {
		c.log.Debug("deleted folder holds deleted mails of others, expunging nothing", zap.Int("marked", len(marked)), zap.Int("ours", len(ours)))
		return 0, nil
	}
	err = c.do(ctx, "expunging the deleted folder", c.opts.MoveTimeout, func() error { return c.client.Expunge().Close() })
	if err != nil {
		return 0, err
	}
	return len(ours), nil
}

// arrived returns the UIDs, in the selected deleted folder, of the mails that
// were just moved there: as the server told them, or else those that are new, if
// they are exactly as many.
func (c *Conn) arrived(ctx context.Context, folder Inbox, before imap.StatusData, copied []copyUID, count int) ([]uint32, error) {
	var ours []uint32
	for _, cp := range copied {
		if cp.uidvalidity == folder.UIDValidity {
			ours = append(ours, cp.dest...)
		}
	}
	if len(ours) > 0 {
		return normalize(ours), nil
	}
	from := uint32(before.UIDNext)
	if from == 0 && before.UIDValidity == 0 {
		from = 1 // the folder did not exist
	}
	if from == 0 || before.UIDValidity != 0 && before.UIDValidity != folder.UIDValidity {
		return nil, nil
	}
	arrived, err := c.search(ctx, "looking for the moved mails", &imap.SearchCriteria{UID: []imap.UIDSet{{imap.UIDRange{Start: imap.UID(from)}}}})
	arrived = slices.DeleteFunc(arrived, func(uid uint32) bool { return uid < from }) // n:* is never empty
	if err != nil || len(arrived) != count {
		return nil, err
	}
	return arrived, nil
}

// trash returns the folder in which Gmail deletes: to expunge in any other only
// takes a label off. On other servers there is none.
func (c *Conn) trash(ctx context.Context) (string, error) {
	if !c.caps.Has("X-GM-EXT-1") {
		return "", nil
	}
	var name string
	err := c.do(ctx, "looking for the trash folder", c.opts.CommandTimeout, func() error {
		cmd := c.client.List("", "*", nil)
		for data := cmd.Next(); data != nil; data = cmd.Next() {
			if slices.Contains(data.Attrs, imap.MailboxAttrTrash) {
				name = data.Mailbox
			}
		}
		return cmd.Close()
	})
	return name, err
}
