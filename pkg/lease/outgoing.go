package lease

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"
)

// outgoingKept is for how long the outcome of an SMTP test is told.
const outgoingKept = 30 * 24 * time.Hour

// An OutgoingState is what the last SMTP test of a mailbox found.
type OutgoingState struct {
	Tenant   string    `json:"tenant"`
	Mailbox  string    `json:"mailbox"`
	OK       bool      `json:"ok"`
	Detail   string    `json:"detail,omitempty"` // what happened and how to mend it, for people; no secrets
	At       time.Time `json:"at"`
	Revision int64     `json:"revision"` // config revision that was tested; 0: one that was not saved
}

func (c *Client) outgoingKey(tenant string) string { return c.prefix + "outgoing:" + tenant }

// SetOutgoing stores the outcome of an SMTP test, in place of the one before.
func (c *Client) SetOutgoing(ctx context.Context, s OutgoingState) error {
	value, err := json.Marshal(s)
	if err == nil {
		err = c.do(ctx, func(p redis.Pipeliner) {
			p.HSet(ctx, c.outgoingKey(s.Tenant), s.Mailbox, value)
			p.Expire(ctx, c.outgoingKey(s.Tenant), outgoingKept)
		})
	}
	if err != nil {
		return fmt.Errorf("storing the SMTP test of %s/%s: %w", s.Tenant, s.Mailbox, err)
	}
	return nil
}

// Outgoing returns the outcomes of the last SMTP tests of a tenant's mailboxes
// in 30 days, ordered by mailbox.
func (c *Client) Outgoing(ctx context.Context, tenant string) ([]OutgoingState, error) {
	var hash *redis.StringSliceCmd
	if err := c.do(ctx, func(p redis.Pipeliner) { hash = p.HVals(ctx, c.outgoingKey(tenant)) }); err != nil {
		return nil, fmt.Errorf("reading the SMTP tests of tenant %s: %w", tenant, err)
	}
	var states []OutgoingState
	for _, value := range hash.Val() {
		var s OutgoingState
		if err := json.Unmarshal([]byte(value), &s); err != nil {
			return nil, fmt.Errorf("reading the SMTP tests of tenant %s: %w", tenant, err)
		}
		if time.Since(s.At) < outgoingKept {
			states = append(states, s)
		}
	}
	slices.SortFunc(states, func(a, b OutgoingState) int { return cmp.Compare(a.Mailbox, b.Mailbox) })
	return states, nil
}
