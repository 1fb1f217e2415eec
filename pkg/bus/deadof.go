package bus

import (
	"context"
	"fmt"
	"strings"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/mailyard/mailyard/schemas"
)

// DeadLetterOf is DeadLetter for who may see the letters of one tenant: to them
// a letter of another tenant does not exist, nor one of which it is not known
// whose it is.
func (c *Conn) DeadLetterOf(ctx context.Context, tenant string, sequence uint64) (DeadLetter, error) {
	raw, err := c.deadMessageOf(ctx, tenant, sequence)
	if err != nil {
		return DeadLetter{}, deadError("reading", sequence, err)
	}
	return decodeDead(raw)
}

// ReplayOf is Replay for who may see the letters of one tenant; see DeadLetterOf.
func (c *Conn) ReplayOf(ctx context.Context, tenant string, sequence uint64) error {
	if _, err := c.deadMessageOf(ctx, tenant, sequence); err != nil {
		return deadError("reading", sequence, err)
	}
	return c.Replay(ctx, sequence)
}

// DropOf is DropDead for who may see the letters of one tenant; see DeadLetterOf.
func (c *Conn) DropOf(ctx context.Context, tenant string, sequence uint64) error {
	if _, err := c.deadMessageOf(ctx, tenant, sequence); err != nil {
		return deadError("deleting", sequence, err)
	}
	return c.DropDead(ctx, sequence)
}

// deadMessageOf goes by the subject, which the server keeps, not by what the
// letter says of itself. A sequence never names another letter later.
func (c *Conn) deadMessageOf(ctx context.Context, tenant string, sequence uint64) (*jetstream.RawStreamMsg, error) {
	raw, err := c.deadMessage(ctx, sequence)
	if err != nil {
		return nil, err
	}
	if owner, _ := ownerOfDead(raw.Subject); tenant == unknownID || owner != tenant {
		return nil, jetstream.ErrMsgNotFound
	}
	return raw, nil
}

// ownerOfDead returns tenant and mailbox of the subject of a dead letter,
// mail.v1.dead.<stage>.<tenant>.<mailbox>.
func ownerOfDead(subject string) (tenant, mailbox string) {
	tokens := strings.Split(subject, ".")
	if len(tokens) != 6 {
		return "", ""
	}
	return tokens[4], tokens[5]
}

// CountDeadOf returns how many dead letters each mailbox of a tenant has,
// without reading them; mailboxes without any are not there.
func (c *Conn) CountDeadOf(ctx context.Context, tenant string) (map[string]uint64, error) {
	counts := map[string]uint64{}
	filter, ok := DeadQuery{Tenant: tenant}.filter()
	if !ok {
		return counts, nil
	}
	stream, err := c.js.Stream(ctx, schemas.StreamDead)
	if err != nil {
		return nil, fmt.Errorf("counting dead letters of %s: %w", tenant, classify(err))
	}
	info, err := stream.Info(ctx, jetstream.WithSubjectFilter(filter))
	if err != nil {
		return nil, fmt.Errorf("counting dead letters of %s: %w", tenant, classify(err))
	}
	for subject, n := range info.State.Subjects {
		_, mailbox := ownerOfDead(subject)
		counts[mailbox] += n
	}
	return counts, nil
}
