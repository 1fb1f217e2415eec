package bus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/mailyard/mailyard/schemas"
)

const parkedPrefix = "parked."

// parkedValue is the value of a parked key: where to look for the reason.
type parkedValue struct {
	Stage schemas.Stage `json:"stage"`
	Dead  uint64        `json:"dead"` // sequence of the dead letter
}

// parkedKey is "parked.<tenant>.<mailbox>.<uidvalidity>.<uid>".
func parkedKey(k schemas.MailKey) string {
	return fmt.Sprintf("%s%s.%s.%d.%d", parkedPrefix, k.Tenant, k.Mailbox, k.UIDValidity, k.UID)
}

func parseParkedKey(key string) (schemas.MailKey, bool) {
	tokens := strings.Split(strings.TrimPrefix(key, parkedPrefix), ".")
	if len(tokens) != 4 || !strings.HasPrefix(key, parkedPrefix) {
		return schemas.MailKey{}, false
	}
	k := schemas.MailKey{Tenant: tokens[0], Mailbox: tokens[1], UIDValidity: number(tokens[2]), UID: number(tokens[3])}
	return k, k.UIDValidity != 0 && k.UID != 0
}

// park writes the keys.
func (c *Conn) park(ctx context.Context, a about, stage schemas.Stage, sequence uint64) error {
	value, err := json.Marshal(parkedValue{Stage: stage, Dead: sequence})
	if err != nil {
		return err
	}
	keys := make([]schemas.MailKey, len(a.uids))
	for i, uid := range a.uids {
		keys[i] = a.key(uid)
	}
	if err := c.putParked(ctx, keys, value, nats.Header{jetstream.MsgTTLHeader: {parkedTTL.String()}}); err != nil {
		return fmt.Errorf("parking mails of %s/%s: %w", a.tenant, a.mailbox, err)
	}
	return nil
}

// unpark removes keys, so that the fetcher takes the mails again.
func (c *Conn) unpark(ctx context.Context, keys []schemas.MailKey) error {
	// A purge of NATS ADR-8, whose marker goes away by itself.
	marker := nats.Header{"KV-Operation": {"PURGE"}, jetstream.MsgRollup: {jetstream.MsgRollupSubject}, jetstream.MsgTTLHeader: {markerTTL.String()}}
	if err := c.putParked(ctx, keys, nil, marker); err != nil {
		return fmt.Errorf("releasing parked mails: %w", err)
	}
	return nil
}

// putParked writes one value to all keys, up to schemas.MaxDisposeUIDs, which
// are in flight at once. The key-value interface of the library would take a
// round trip for each, and sets a TTL only on keys that are new.
func (c *Conn) putParked(ctx context.Context, keys []schemas.MailKey, value []byte, header nats.Header) error {
	pending := make([]*Pending, 0, len(keys))
	for _, k := range keys {
		p, err := c.publishAsync(ctx, &nats.Msg{Subject: "$KV." + schemas.BucketControl + "." + parkedKey(k), Data: value, Header: header})
		if err != nil {
			return err
		}
		pending = append(pending, p)
	}
	var errs []error
	for _, p := range pending {
		errs = append(errs, p.Wait(ctx))
	}
	return errors.Join(errs...)
}
