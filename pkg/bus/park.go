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

// park writes the keys, all in flight at once. It does not use the key-value
// interface of the library, which can set a TTL only on keys that are new.
func (c *Conn) park(ctx context.Context, a about, stage schemas.Stage, sequence uint64) error {
	value, err := json.Marshal(parkedValue{Stage: stage, Dead: sequence})
	if err != nil {
		return err
	}
	pending := make([]*Pending, 0, len(a.uids))
	for _, uid := range a.uids {
		msg := &nats.Msg{Subject: "$KV." + schemas.BucketControl + "." + parkedKey(a.key(uid)), Data: value, Header: nats.Header{}}
		msg.Header.Set(jetstream.MsgTTLHeader, parkedTTL.String())
		p, err := c.publishAsync(ctx, msg)
		if err != nil {
			return fmt.Errorf("parking mail %s: %w", a.key(uid), err)
		}
		pending = append(pending, p)
	}
	var errs []error
	for _, p := range pending {
		errs = append(errs, p.Wait(ctx))
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("parking mails of %s/%s: %w", a.tenant, a.mailbox, err)
	}
	return nil
}

// unpark removes keys, so that the fetcher takes the mails again.
func (c *Conn) unpark(ctx context.Context, keys []schemas.MailKey) error {
	kv, err := c.js.KeyValue(ctx, schemas.BucketControl)
	if err != nil {
		return fmt.Errorf("opening bucket %s: %w", schemas.BucketControl, classify(err))
	}
	for _, k := range keys {
		if err := kv.Purge(ctx, parkedKey(k), jetstream.PurgeTTL(markerTTL)); err != nil {
			return fmt.Errorf("releasing parked mail %s: %w", k, classify(err))
		}
	}
	return nil
}
