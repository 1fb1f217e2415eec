package control

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"github.com/mailyard/mailyard/pkg/configwatch"
	"github.com/mailyard/mailyard/schemas"
)

func (p *Publisher) open(ctx context.Context) (jetstream.KeyValue, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	kv, err := p.js.KeyValue(ctx, schemas.BucketConfig)
	if err != nil {
		return nil, fmt.Errorf("opening the bucket %s: %w", schemas.BucketConfig, err)
	}
	return kv, nil
}

// assert makes the bucket hold what the control database holds. The bucket is
// read first: what it holds and the database, looked at later, does not have,
// is really gone. Every write is bound to the entry that was read, so that it
// fails when another publisher was faster.
func (p *Publisher) assert(ctx context.Context) error {
	kv, err := p.open(ctx)
	if err != nil {
		return err
	}
	held, err := p.entries(ctx, kv)
	if err != nil {
		return err
	}
	snap, err := p.store.snapshot(ctx)
	if err != nil {
		return err
	}
	if newest, future := fromFuture(held, snap); future {
		if err := p.store.restamp(ctx, newest); err != nil {
			return err
		}
		if snap, err = p.store.snapshot(ctx); err != nil {
			return err
		}
	}
	written, err := p.writeAll(ctx, kv, snap, held)
	if err != nil {
		return err
	}
	removed := 0
	for key, entry := range held {
		if _, ok := snap.records[key]; ok || key == configwatch.AssertedKey {
			continue
		}
		if err := p.remove(ctx, kv, entry); err != nil {
			return err
		}
		removed++
	}
	if _, ok := held[configwatch.AssertedKey]; !ok {
		if err := p.markAsserted(ctx, kv); err != nil {
			return err
		}
	}
	if written+removed > 0 {
		p.logger.Info("the services' configuration was set right", zap.Int("written", written), zap.Int("removed", removed))
	}
	return nil
}

// writeAll writes what the bucket does not hold: what mailboxes refer to, and
// then the mailboxes, several at a time.
func (p *Publisher) writeAll(ctx context.Context, kv jetstream.KeyValue, snap snapshot, held map[string]jetstream.KeyValueEntry) (written int, err error) {
	write := func(ctx context.Context, key string) error {
		err := p.write(ctx, kv, key, snap.records[key], held[key])
		if conflict(err) {
			err = p.put(ctx, kv, key, snap.records[key])
		}
		return err
	}
	g, group := errgroup.WithContext(ctx)
	g.SetLimit(parallelPuts)
	defer func() { err = errors.Join(err, g.Wait()) }()
	for _, key := range snap.keys {
		if entry, ok := held[key]; ok && bytes.Equal(entry.Value(), snap.records[key].value) {
			continue
		}
		written++
		if strings.HasPrefix(key, string(schemas.KindMailbox)+".") {
			g.Go(func() error { return write(group, key) })
		} else if err := write(ctx, key); err != nil {
			return written, err
		}
	}
	return written, nil
}

// fromFuture reports whether the bucket, which was read before the database,
// holds what the database has not come to yet, and the bucket's newest revision.
func fromFuture(held map[string]jetstream.KeyValueEntry, snap snapshot) (newest int64, future bool) {
	for key, entry := range held {
		revision := revisionOf(entry.Value())
		newest = max(newest, revision)
		if r, ok := snap.records[key]; ok && revision > r.revision {
			future = true
		}
	}
	return newest, future || newest > snap.revision
}

// entries reads the whole bucket.
func (p *Publisher) entries(ctx context.Context, kv jetstream.KeyValue) (map[string]jetstream.KeyValueEntry, error) {
	ctx, cancel := context.WithTimeout(ctx, 6*requestTimeout)
	defer cancel()
	w, err := kv.WatchAll(ctx, jetstream.IgnoreDeletes())
	if err != nil {
		return nil, fmt.Errorf("reading the bucket %s: %w", schemas.BucketConfig, err)
	}
	defer func() {
		w.Stop() // an error means that it has ended already
		for range w.Updates() {
		}
	}()
	held := map[string]jetstream.KeyValueEntry{}
	for {
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("reading the bucket %s: %w", schemas.BucketConfig, ctx.Err())
		case entry, ok := <-w.Updates():
			if !ok {
				return nil, fmt.Errorf("reading the bucket %s: the connection was closed", schemas.BucketConfig)
			}
			if entry == nil {
				return held, nil
			}
			held[entry.Key()] = entry
		}
	}
}

// put writes a record unless the bucket holds a newer one. When another
// publisher writes at the same time it looks again.
func (p *Publisher) put(ctx context.Context, kv jetstream.KeyValue, key string, r record) error {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	for {
		entry, err := kv.Get(ctx, key)
		if err != nil && !errors.Is(err, jetstream.ErrKeyNotFound) {
			return fmt.Errorf("reading %s from the bucket %s: %w", key, schemas.BucketConfig, err)
		}
		if err := p.write(ctx, kv, key, r, entry); !conflict(err) {
			return err
		}
	}
}

// write writes a record in the place of the entry, nil for none, unless that is
// newer. It is a conflict if the bucket holds another one by now.
func (p *Publisher) write(ctx context.Context, kv jetstream.KeyValue, key string, r record, entry jetstream.KeyValueEntry) error {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	var err error
	switch {
	case entry == nil:
		_, err = kv.Create(ctx, key, r.value)
	case revisionOf(entry.Value()) > r.revision, bytes.Equal(entry.Value(), r.value):
		return nil
	default:
		_, err = kv.Update(ctx, key, r.value, entry.Revision())
	}
	if err != nil {
		return fmt.Errorf("writing %s to the bucket %s: %w", key, schemas.BucketConfig, err)
	}
	return nil
}

func (p *Publisher) remove(ctx context.Context, kv jetstream.KeyValue, entry jetstream.KeyValueEntry) error {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	// A newer entry stays: the document is there again.
	err := kv.Delete(ctx, entry.Key(), jetstream.LastRevision(entry.Revision()))
	if err != nil && !conflict(err) {
		return fmt.Errorf("removing %s from the bucket %s: %w", entry.Key(), schemas.BucketConfig, err)
	}
	return nil
}

// conflict reports whether the entry is not the one that was read. Replicated
// buckets say so with another code.
func conflict(err error) bool {
	return errors.Is(err, jetstream.ErrKeyExists) || errors.Is(err, jetstream.ErrKeyRevisionMismatch)
}

func (p *Publisher) markAsserted(ctx context.Context, kv jetstream.KeyValue) error {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	if _, err := kv.Put(ctx, configwatch.AssertedKey, []byte("{}")); err != nil {
		return fmt.Errorf("writing %s to the bucket %s: %w", configwatch.AssertedKey, schemas.BucketConfig, err)
	}
	return nil
}

// revisionOf returns the revision of the latest change of a record, of its
// document or of what is encrypted in it; 0 for what is no record.
func revisionOf(value []byte) int64 {
	var r struct {
		Revision         int64 `json:"revision"`
		KeyRevision      int64 `json:"key_revision"`
		PasswordRevision int64 `json:"password_revision"`
	}
	if json.Unmarshal(value, &r) != nil {
		return 0
	}
	return max(r.Revision, r.KeyRevision, r.PasswordRevision)
}
