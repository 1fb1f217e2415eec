package imapconn

import (
	"context"
	"errors"
	"fmt"

	"github.com/emersion/go-imap/v2"

	"github.com/mailyard/mailyard/pkg/mailhost"
)

// An Inbox is what the server says of a folder when it is selected.
type Inbox struct {
	UIDValidity uint32 // never 0
	UIDNext     uint32 // of a server that does not say (Courier): one above the last UID
	Messages    uint32
	ReadOnly    bool // nothing can be changed in it
}

// Select opens a folder by its display name, "INBOX" or as EnsureFolder takes it.
func (c *Conn) Select(ctx context.Context, display string) (Inbox, error) {
	return c.selectName(ctx, c.ns.folder(display), false)
}

// Examine opens a folder as Select does, but so that nothing in it can change,
// not even which mails are \Recent.
func (c *Conn) Examine(ctx context.Context, display string) (Inbox, error) {
	return c.selectName(ctx, c.ns.folder(display), true)
}

func (c *Conn) selectName(ctx context.Context, name string, readOnly bool) (Inbox, error) {
	op := "selecting " + quoteName(name)
	var inbox Inbox
	c.selected = selection{}
	seen := &c.guard.filter.seen
	seen.mu.Lock()
	seen.uidvalidity, seen.readOnly = 0, false
	seen.mu.Unlock()
	err := c.do(ctx, op, c.opts.CommandTimeout, func() error {
		data, err := c.client.Select(name, &imap.SelectOptions{ReadOnly: readOnly}).Wait()
		if err != nil {
			return err
		}
		inbox = Inbox{UIDValidity: data.UIDValidity, UIDNext: uint32(data.UIDNext), Messages: data.NumMessages}
		seen.mu.Lock()
		inbox.ReadOnly = seen.readOnly || readOnly
		seen.mu.Unlock()
		return nil
	})
	if err != nil {
		return Inbox{}, missing(err)
	}
	if inbox.UIDValidity == 0 {
		// RFC 3501, section 6.3.1: the server cannot keep UIDs, and no mail
		// could be told from another that comes later.
		return Inbox{}, &Error{Op: op + " of " + c.target.Name(), Kind: KindProtocol, Err: errors.New("server gives no UIDVALIDITY"), Hint: "mail cannot be taken from this folder without the danger of confusing mails"}
	}
	if inbox.UIDNext == 0 {
		// "n:*" finds the last mail, whatever n is.
		last, err := c.search(ctx, "looking for the last mail", &imap.SearchCriteria{UID: []imap.UIDSet{{{Start: 1<<32 - 1}}}})
		if err != nil {
			return Inbox{}, err
		}
		if len(last) > 0 {
			inbox.UIDNext = last[len(last)-1]
		}
		inbox.UIDNext++
	}
	c.selected = selection{name, inbox.UIDValidity, readOnly, inbox.UIDNext - 1}
	return inbox, nil
}

// refresh makes the server tell this connection of mails up to a UID, which
// another connection was told of: until then, commands that name them do nothing.
func (c *Conn) refresh(ctx context.Context, uid uint32) error {
	if uid <= c.selected.highest {
		return nil
	}
	if err := c.do(ctx, "asking for news", c.opts.CommandTimeout, c.noop); err != nil {
		return err
	}
	c.selected.highest = uid
	return nil
}

func (c *Conn) noop() error { return c.client.Noop().Wait() }

// missing makes an unclassified refusal the folder's.
func missing(err error) error {
	var e *Error
	var r *refusal
	if errors.As(err, &e) && errors.As(err, &r) && e.Kind == KindOther {
		e.Kind, e.Hint = KindFolder, "check that the folder exists and that this account may use it"
	}
	return err
}

// fence reports whether the selected folder is still the one that uidvalidity
// belongs to.
func (c *Conn) fence(uidvalidity uint32) error {
	seen := &c.guard.filter.seen
	seen.mu.Lock()
	told := seen.uidvalidity
	seen.mu.Unlock()
	if c.selected.name == "" || uidvalidity == 0 || c.selected.uidvalidity != uidvalidity || told != uidvalidity {
		return fmt.Errorf("using UIDs of UIDVALIDITY %d in %s: %w", uidvalidity, c.target.Name(), ErrUIDValidity)
	}
	return nil
}

func quoteName(name string) string { return quote(mailhost.CleanText(name)) }
