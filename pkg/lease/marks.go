package lease

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"
)

// A Mailbox names the mailbox of in-flight marks and the epoch they belong to:
// bus.Conn.Epoch. In another epoch the mails in flight are gone, so their marks
// are void.
type Mailbox struct {
	Tenant, ID, Epoch string
}

func (c *Client) marksKey(tenant, mailbox string, uidvalidity uint32) string {
	return fmt.Sprintf("%smarks:{%s/%s}:%d", c.prefix, tenant, mailbox, uidvalidity)
}

func marksError(doing, tenant, mailbox string, err error) error {
	return fmt.Errorf("%s in-flight marks of %s/%s: %w", doing, tenant, mailbox, err)
}

// Mark marks mails as in flight for ttl. Marking again extends the mark.
func (c *Client) Mark(ctx context.Context, m Mailbox, uidvalidity uint32, uids []uint32, ttl time.Duration) error {
	key := c.marksKey(m.Tenant, m.ID, uidvalidity)
	for part := range slices.Chunk(uids, batch) {
		args := []any{m.Epoch, ttl.Milliseconds()}
		for _, uid := range part {
			args = append(args, uid)
		}
		if _, err := c.eval(ctx, markScript, []string{key, key + ":epoch"}, args...); err != nil {
			return marksError("setting", m.Tenant, m.ID, err)
		}
	}
	return nil
}

// Marked returns the UIDs that are in flight, ascending. Marks of another epoch
// than m.Epoch are cleared.
func (c *Client) Marked(ctx context.Context, m Mailbox, uidvalidity uint32) ([]uint32, error) {
	key := c.marksKey(m.Tenant, m.ID, uidvalidity)
	cmd, err := c.eval(ctx, markedScript, []string{key, key + ":epoch"}, m.Epoch)
	if err != nil {
		return nil, marksError("reading", m.Tenant, m.ID, err)
	}
	texts, err := cmd.StringSlice()
	if err != nil {
		return nil, marksError("reading", m.Tenant, m.ID, err)
	}
	uids := make([]uint32, 0, len(texts))
	for _, text := range texts {
		uid, err := strconv.ParseUint(text, 10, 32)
		if err != nil {
			return nil, marksError("reading", m.Tenant, m.ID, err)
		}
		uids = append(uids, uint32(uid))
	}
	slices.Sort(uids)
	return uids, nil
}

// Unmark clears marks. Clearing one that is not there is no error.
func (c *Client) Unmark(ctx context.Context, tenant, mailbox string, uidvalidity uint32, uids []uint32) error {
	err := c.do(ctx, func(p redis.Pipeliner) {
		for part := range slices.Chunk(uids, batch) {
			members := make([]any, len(part))
			for i, uid := range part {
				members[i] = uid
			}
			p.ZRem(ctx, c.marksKey(tenant, mailbox, uidvalidity), members...)
		}
	})
	if err != nil {
		return marksError("clearing", tenant, mailbox, err)
	}
	return nil
}

// CountMarks returns how many mails are in flight.
func (c *Client) CountMarks(ctx context.Context, tenant, mailbox string, uidvalidity uint32) (int, error) {
	cmd, err := c.eval(ctx, countScript, []string{c.marksKey(tenant, mailbox, uidvalidity)})
	if err != nil {
		return 0, marksError("counting", tenant, mailbox, err)
	}
	n, err := cmd.Int()
	if err != nil {
		return 0, marksError("counting", tenant, mailbox, err)
	}
	return n, nil
}
