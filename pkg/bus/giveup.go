package bus

import (
	"context"
	"fmt"
	"time"

	"github.com/mailyard/mailyard/schemas"
)

// GiveUp makes a dead letter of a mail that never became a message, because it
// could not be downloaded, and parks its key, so that it is left alone. What a
// replay publishes is a release: the mail is fetched again.
func (c *Conn) GiveUp(ctx context.Context, stage schemas.Stage, key schemas.MailKey, attempts int, cause error) error {
	now := time.Now().UTC()
	release := schemas.MailDispose{
		Attributes: schemas.NewAttributes(schemas.TypeMailDispose, key.Source(), key.Subject(), key.ID(), schemas.ContentJSON, now),
		Data:       schemas.Dispose{Tenant: key.Tenant, Mailbox: key.Mailbox, UIDValidity: key.UIDValidity, Action: schemas.ActionRelease, UIDs: []uint32{key.UID}},
	}
	subject := schemas.SubjectDispose(key.Tenant, key.Mailbox)
	msg, err := encode(subject, release, "")
	if err != nil {
		return fmt.Errorf("giving up %s: %w", key, err)
	}
	l := letter{
		stage: stage, subject: subject, header: msg.Header, payload: msg.Data,
		stream: "inbox", sequence: uint64(now.UnixMilli()), attempts: attempts, reason: errorText(cause),
	}
	about := aboutMessage(l)
	about.park = true
	if err := c.buryAbout(ctx, l, about); err != nil {
		return fmt.Errorf("giving up %s: %w", key, err)
	}
	return nil
}
