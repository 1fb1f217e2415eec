package bus

import (
	"context"
	"errors"
	"fmt"

	"github.com/mailyard/mailyard/pkg/fault"
	"github.com/mailyard/mailyard/schemas/cloudevents"
)

// Replay gives the mails of a dead letter another chance. It publishes the
// message again where it was published first, as if it had never failed,
// releases the parked keys and deletes the letter. When the message needs a
// blob that is gone, it is not published: the mails are fetched again, since
// they are still in the inbox and no longer parked.
//
// ErrNotFound: there is no letter of that sequence. After any other error the
// letter is still there, and Replay can be repeated.
func (c *Conn) Replay(ctx context.Context, sequence uint64) error {
	d, err := c.DeadLetter(ctx, sequence)
	if err != nil {
		return err
	}
	if err := c.replay(ctx, d); err != nil {
		return fmt.Errorf("replaying dead letter %d: %w", sequence, err)
	}
	if err := c.DropDead(ctx, sequence); !errors.Is(err, ErrNotFound) {
		return err
	}
	return nil // someone else replayed or dropped it at the same time
}

func (c *Conn) replay(ctx context.Context, d DeadLetter) error {
	complete, err := c.complete(ctx, d)
	if err != nil {
		return err
	}
	if complete {
		if d.OriginalSubject == "" {
			return fault.Permanent(errors.New("it does not say where it was published first"))
		}
		msg, err := message(d.OriginalSubject, fresh(d.Data.Header), d.Data.Payload, "y:"+d.ID)
		if err != nil {
			return err
		}
		if _, err := c.publish(ctx, msg); err != nil {
			return err
		}
	}
	return c.unpark(ctx, keysOf(d.MailDead))
}

// complete tells whether the message can be handled without fetching anew.
func (c *Conn) complete(ctx context.Context, d DeadLetter) (bool, error) {
	name := cloudevents.Attribute(d.Data.Header, "dataref")
	if name == "" {
		return true, nil
	}
	blobs, err := c.Blobs(ctx)
	if err != nil {
		return false, err
	}
	return blobs.Exists(ctx, name)
}
