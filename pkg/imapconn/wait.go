package imapconn

import (
	"context"
	"errors"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
)

// HasIdle reports whether the server tells of new mail by itself (RFC 2177).
func (c *Conn) HasIdle() bool { return c.hasIdle }

// Wait waits for new mail in the selected folder, for d at most, and reports
// whether the server told of some. It begins with what was told since the last
// List. With IDLE it is ended by DONE, which the server must answer within
// Options.DoneTimeout; without IDLE it ends with a NOOP. So it is the proof, too,
// that the connection lives: call it again and again, with d of some minutes (29
// at most, RFC 2177), and list after every return.
func (c *Conn) Wait(ctx context.Context, d time.Duration) (changed bool, err error) {
	select {
	case <-c.changed:
		return true, nil
	default:
	}
	if c.hasIdle {
		idling, changed, err := c.idle(ctx, d)
		if idling || err != nil {
			return changed, err
		}
	}
	if changed, err := c.pause(ctx, d); changed || err != nil {
		return changed, err
	}
	err = c.do(ctx, "asking for news", c.opts.DoneTimeout, c.noop)
	select {
	case <-c.changed:
		changed = true
	default:
	}
	return changed, err
}

// idle runs one IDLE. A server that offers it and then refuses is polled instead.
func (c *Conn) idle(ctx context.Context, d time.Duration) (idling, changed bool, err error) {
	const op = "waiting for mail"
	seen := &c.guard.filter.seen
	seen.expectGoAhead(true)
	var cmd *imapclient.IdleCommand
	err = c.do(ctx, op, c.opts.CommandTimeout, func() error {
		var err error
		cmd, err = c.client.Idle()
		var refused *imap.Error
		if errors.As(err, &refused) {
			c.hasIdle = false
			return nil
		}
		return err
	})
	seen.expectGoAhead(false)
	if err != nil || !c.hasIdle {
		return false, false, err
	}
	changed, err = c.pause(ctx, d)
	if ctx.Err() != nil {
		c.guard.kill(context.Cause(ctx))
	}
	doneErr := c.do(context.WithoutCancel(ctx), op, c.opts.DoneTimeout, func() error {
		if err := cmd.Close(); err != nil {
			return err
		}
		return cmd.Wait()
	})
	if err == nil {
		err = doneErr
	}
	select {
	case <-c.changed: // told between the wake-up and the end of IDLE
		changed = true
	default:
	}
	return true, changed, err
}

// Wake ends a Wait, or the next one, as if the server had told of new mail. It
// may be called beside any other method.
func (c *Conn) Wake() {
	select {
	case c.changed <- struct{}{}:
	default:
	}
}

// pause waits for an EXISTS, for d, for the end of ctx or of the connection.
func (c *Conn) pause(ctx context.Context, d time.Duration) (changed bool, err error) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-c.changed:
		return true, nil
	case <-timer.C:
		return false, nil
	case <-c.client.Closed():
		return false, c.explain("waiting for mail", errors.New("server closed the connection"))
	case <-ctx.Done():
		return false, &Error{Op: "waiting for mail of " + c.target.Name(), Err: context.Cause(ctx)}
	}
}
