package imapconn

import (
	"context"
	"slices"
	"strings"

	"github.com/emersion/go-imap/v2"
)

// Folders returns the display names of the folders that can be selected, sorted,
// at most limit of them. A name that the server does not encode properly is left
// out.
func (c *Conn) Folders(ctx context.Context, limit int) ([]string, error) {
	return c.list(ctx, "*", limit)
}

// FoldersNamed returns the display names of the folders whose name begins with
// a prefix, sorted, at most limit of them.
func (c *Conn) FoldersNamed(ctx context.Context, prefix string, limit int) ([]string, error) {
	return c.list(ctx, c.ns.folder(prefix)+"*", limit)
}

func (c *Conn) list(ctx context.Context, pattern string, limit int) ([]string, error) {
	var names []string
	err := c.do(ctx, "listing the folders", c.opts.CommandTimeout, func() error {
		cmd := c.client.List("", pattern, nil)
		for data := cmd.Next(); data != nil; data = cmd.Next() {
			if len(names) < limit && !slices.Contains(data.Attrs, imap.MailboxAttrNoSelect) && !slices.Contains(data.Attrs, imap.MailboxAttrNonExistent) {
				names = append(names, c.ns.display(data.Mailbox))
			}
		}
		return cmd.Close()
	})
	slices.Sort(names)
	return slices.Compact(names), err
}

// display is the inverse of folder.
func (ns namespace) display(name string) string {
	if strings.EqualFold(name, "INBOX") {
		return "INBOX"
	}
	if n := len(ns.prefix); len(name) > n && strings.EqualFold(name[:n], ns.prefix) {
		name = name[n:]
	}
	if ns.delim != 0 && ns.delim != '/' {
		name = strings.ReplaceAll(name, string(ns.delim), "/")
	}
	return name
}

// HasFolder reports whether a folder exists, by its display name.
func (c *Conn) HasFolder(ctx context.Context, display string) (bool, error) {
	name, err := c.destination(display)
	if err != nil {
		return false, err
	}
	_, found, err := c.status(ctx, name)
	return found, err
}

// CreateFolder creates a folder that must not exist yet, by its display name. It
// is not subscribed to.
func (c *Conn) CreateFolder(ctx context.Context, display string) error {
	name, err := c.destination(display)
	if err != nil {
		return err
	}
	return missing(c.create(ctx, name))
}

// RemoveFolder deletes a folder and the mails in it. It must not be the selected one.
func (c *Conn) RemoveFolder(ctx context.Context, display string) error {
	name, err := c.destination(display)
	if err != nil {
		return err
	}
	delete(c.folders, name)
	// EnsureFolder subscribes to what it creates; a server may keep that for ever.
	err = c.do(ctx, "unsubscribing from "+quoteName(name), c.opts.CommandTimeout, c.client.Unsubscribe(name).Wait)
	if err != nil && !refusedBy(err) {
		return err
	}
	return missing(c.do(ctx, "deleting folder "+quoteName(name), c.opts.CommandTimeout, func() error {
		return c.client.Delete(name).Wait()
	}))
}

// Append puts a mail into a folder, by its display name, as if it had been read.
func (c *Conn) Append(ctx context.Context, display string, mail []byte) error {
	name := c.ns.folder(display)
	return missing(c.do(ctx, "putting a mail into "+quoteName(name), c.opts.CommandTimeout, func() error {
		c.guard.filter.seen.expectGoAhead(true)
		defer c.guard.filter.seen.expectGoAhead(false)
		cmd := c.client.Append(name, int64(len(mail)), &imap.AppendOptions{Flags: []imap.Flag{imap.FlagSeen}})
		_, err := cmd.Write(mail)
		if cerr := cmd.Close(); err == nil {
			err = cerr
		}
		if _, werr := cmd.Wait(); werr != nil {
			err = werr // the server's word tells more than a write that failed for it
		}
		return err
	}))
}

// Has reports whether the server has a capability, such as "UIDPLUS".
func (c *Conn) Has(capability string) bool { return c.caps.Has(imap.Cap(capability)) }
