package lease

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/redis/go-redis/v9"

	"github.com/mailyard/mailyard/schemas"
)

// States are kept in one hash per tenant, and the tenants in a set.

func (c *Client) statesKey(tenant string) string { return c.prefix + "state:" + tenant }
func (c *Client) tenantsKey() string             { return c.prefix + "state-tenants" }

// A state is a MailboxState, whose Detail the people of the tenant read, with what
// the landlord reads in its place.
type state struct {
	schemas.MailboxState
	ForLandlord string `json:"for_landlord,omitempty"`
}

// SetState stores the state of a mailbox, in place of the one before. forLandlord
// is its Detail with what is not for tenants, such as addresses; empty: there is
// no more.
func (c *Client) SetState(ctx context.Context, s schemas.MailboxState, forLandlord string) error {
	value, err := json.Marshal(state{s, forLandlord})
	if err == nil {
		err = c.do(ctx, func(p redis.Pipeliner) {
			p.SAdd(ctx, c.tenantsKey(), s.Tenant)
			p.HSet(ctx, c.statesKey(s.Tenant), s.Mailbox, value)
		})
	}
	if err != nil {
		return fmt.Errorf("storing state of %s/%s: %w", s.Tenant, s.Mailbox, err)
	}
	return nil
}

// States returns the states of a tenant's mailboxes, of all tenants when tenant
// is empty, ordered by tenant and mailbox.
func (c *Client) States(ctx context.Context, tenant string) ([]schemas.MailboxState, error) {
	return c.states(ctx, tenant, false)
}

// DetailedStates is States for the landlord.
func (c *Client) DetailedStates(ctx context.Context, tenant string) ([]schemas.MailboxState, error) {
	return c.states(ctx, tenant, true)
}

func (c *Client) states(ctx context.Context, tenant string, detailed bool) ([]schemas.MailboxState, error) {
	tenants := []string{tenant}
	if tenant == "" {
		var members *redis.StringSliceCmd
		if err := c.do(ctx, func(p redis.Pipeliner) { members = p.SMembers(ctx, c.tenantsKey()) }); err != nil {
			return nil, fmt.Errorf("reading mailbox states: %w", err)
		}
		tenants = members.Val()
	}
	var hashes []*redis.StringSliceCmd
	err := c.do(ctx, func(p redis.Pipeliner) {
		for _, t := range tenants {
			hashes = append(hashes, p.HVals(ctx, c.statesKey(t)))
		}
	})
	if err != nil {
		return nil, fmt.Errorf("reading mailbox states: %w", err)
	}
	var states []schemas.MailboxState
	for _, hash := range hashes {
		for _, value := range hash.Val() {
			var s state
			if err := json.Unmarshal([]byte(value), &s); err != nil {
				return nil, fmt.Errorf("reading mailbox states: %w", err)
			}
			if detailed {
				s.Detail = cmp.Or(s.ForLandlord, s.Detail)
			}
			states = append(states, s.MailboxState)
		}
	}
	slices.SortFunc(states, func(a, b schemas.MailboxState) int {
		return cmp.Or(cmp.Compare(a.Tenant, b.Tenant), cmp.Compare(a.Mailbox, b.Mailbox))
	})
	return states, nil
}

// DeleteState forgets the state of a mailbox, its last SMTP test and its
// protocol log.
func (c *Client) DeleteState(ctx context.Context, tenant, mailbox string) error {
	err := c.do(ctx, func(p redis.Pipeliner) {
		p.HDel(ctx, c.statesKey(tenant), mailbox)
		p.HDel(ctx, c.outgoingKey(tenant), mailbox)
		c.deleteProtocol(ctx, p, tenant, mailbox)
	})
	if err != nil {
		return fmt.Errorf("deleting state of %s/%s: %w", tenant, mailbox, err)
	}
	return nil
}
