package imapconn

import (
	"context"
	"errors"
	"strings"
	"unicode"

	"github.com/emersion/go-imap/v2"
)

// EnsureFolder makes sure that a folder exists, and subscribes to it when it had
// to be created. The name is a display name: "/" separates the levels whatever
// the server's delimiter is, the namespace prefix ("INBOX.") is added unless it
// is there, and the encoding of the name is the server's business.
func (c *Conn) EnsureFolder(ctx context.Context, display string) error {
	name, err := c.destination(display)
	if err != nil {
		return err
	}
	if c.folders[name] {
		return nil
	}
	_, err = c.ensure(ctx, name)
	return err
}

// destination returns the name on the server of a folder to move mails to.
func (c *Conn) destination(display string) (string, error) {
	op := "using folder " + quoteName(display) + " of " + c.target.Name()
	name := c.ns.folder(display)
	switch {
	case strings.Trim(display, "/ ") == "":
		return "", &Error{Op: op, Kind: KindFolder, Err: errors.New("folder has no name")}
	case strings.ContainsFunc(name, unicode.IsControl) || strings.ContainsAny(name, "*%"):
		return "", &Error{Op: op, Kind: KindFolder, Err: errors.New("folder name has characters that no server takes")}
	case name == c.selected.name:
		return "", &Error{Op: op, Kind: KindFolder, Err: errors.New("it is the folder that mail is taken from")}
	}
	return name, nil
}

// ensure creates a folder unless it exists, and reports whether it did.
func (c *Conn) ensure(ctx context.Context, name string) (created bool, err error) {
	if _, found, err := c.status(ctx, name); err != nil || found {
		c.remember(name, found)
		return false, err
	}
	if err = c.create(ctx, name); refusedBy(err) && c.ns.delim != 0 {
		// Not every server makes the levels above (RFC 9051, section 6.3.4: it should).
		levels := strings.Split(strings.TrimPrefix(name, c.ns.prefix), string(c.ns.delim))
		for i := 1; i < len(levels); i++ {
			above := c.ns.prefix + strings.Join(levels[:i], string(c.ns.delim))
			if aerr := c.create(ctx, above); aerr != nil && !refusedBy(aerr) {
				return false, aerr
			}
		}
		if len(levels) > 1 {
			err = c.create(ctx, name)
		}
	}
	if refusedBy(err) {
		// Somebody else may have been quicker; the texts of servers differ.
		if _, found, serr := c.status(ctx, name); serr == nil && found {
			c.remember(name, true)
			return false, nil
		}
		return false, missing(err)
	}
	if err != nil {
		return false, err
	}
	err = c.do(ctx, "subscribing to "+quoteName(name), c.opts.CommandTimeout, c.client.Subscribe(name).Wait)
	if err != nil && !refusedBy(err) {
		return true, err
	}
	c.remember(name, true)
	return true, nil
}

func (c *Conn) remember(name string, exists bool) {
	if c.folders == nil {
		c.folders = make(map[string]bool)
	}
	c.folders[name] = exists
}

func (c *Conn) create(ctx context.Context, name string) error {
	return c.do(ctx, "creating folder "+quoteName(name), c.opts.CommandTimeout, func() error {
		return c.client.Create(name, nil).Wait()
	})
}

// status asks after a folder that is not selected.
func (c *Conn) status(ctx context.Context, name string) (s imap.StatusData, found bool, err error) {
	err = c.do(ctx, "looking for folder "+quoteName(name), c.opts.CommandTimeout, func() error {
		data, err := c.client.Status(name, &imap.StatusOptions{UIDNext: true, UIDValidity: true}).Wait()
		if err == nil {
			s = *data
		}
		return err
	})
	if refusedBy(err) && KindOf(err) != KindThrottled {
		return s, false, nil
	}
	return s, err == nil, err
}

// refusedBy reports whether the server answered NO or BAD: the connection is good.
func refusedBy(err error) bool {
	var r *refusal
	return errors.As(err, &r) && r.status != "BYE"
}
