package control

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"github.com/mailyard/mailyard/schemas"
	"github.com/mailyard/mailyard/schemas/cloudevents"
)

// PublisherOptions of a publisher.
type PublisherOptions struct {
	Logger   *zap.Logger   // nil: none
	Poll     time.Duration // how often the outbox is looked at; 0: 200 ms
	Reassert time.Duration // how often everything is compared with the bucket; 0: 10 minutes
}

const (
	batchSize      = 100 // outbox rows at a time
	parallelPuts   = 8
	requestTimeout = 10 * time.Second
	checkEvery     = 2 * time.Second // whether the bucket is still the one that was asserted
	firstBackoff   = 250 * time.Millisecond
	maxBackoff     = 5 * time.Second
)

// A Publisher brings what is committed in the control database to the services:
// every record into the bucket CONFIG, every change to CONFIG_EVENTS. Several
// may run on one database; an old record never takes the place of a newer one.
type Publisher struct {
	store  *Store
	js     jetstream.JetStream
	logger *zap.Logger
	o      PublisherOptions
	// bucket is when the bucket was created that holds everything; zero: none
	// is known to.
	bucket  time.Time
	checked time.Time
	due     time.Time // of the next assertion
}

// NewPublisher returns a publisher.
func NewPublisher(store *Store, js jetstream.JetStream, o PublisherOptions) *Publisher {
	if o.Logger == nil {
		o.Logger = zap.NewNop()
	}
	if o.Poll <= 0 {
		o.Poll = 200 * time.Millisecond
	}
	if o.Reassert <= 0 {
		o.Reassert = 10 * time.Minute
	}
	return &Publisher{store: store, js: js, logger: o.Logger, o: o}
}

// Run publishes until ctx ends. It calls ready when the bucket holds everything
// for the first time. While NATS or the database is away it tries again; what is
// committed meanwhile is published afterwards.
func (p *Publisher) Run(ctx context.Context, ready func()) error {
	return repeat(ctx, p.logger, "publishing the configuration", ready, func(ctx context.Context) (time.Duration, error) {
		return p.o.Poll, p.step(ctx)
	})
}

// step asserts everything if that is due and publishes what is in the outbox.
func (p *Publisher) step(ctx context.Context) error {
	now := time.Now()
	if now.Sub(p.checked) >= checkEvery {
		created, err := p.bucketCreated(ctx)
		if err != nil {
			return err
		}
		if !created.Equal(p.bucket) || !now.Before(p.due) {
			if _, err := p.store.Purge(ctx); err != nil {
				return err
			}
			if err := p.assert(ctx); err != nil {
				return err
			}
			p.bucket, p.due = created, now.Add(p.o.Reassert)
		}
		p.checked = now
	}
	for {
		rows, err := p.store.outbox(ctx, batchSize)
		if err != nil || len(rows) == 0 {
			return err
		}
		if err := p.publish(ctx, rows); err != nil {
			return err
		}
	}
}

// bucketCreated tells one bucket from another: a wiped server has a new one.
func (p *Publisher) bucketCreated(ctx context.Context) (time.Time, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	s, err := p.js.Stream(ctx, "KV_"+schemas.BucketConfig)
	if err != nil {
		return time.Time{}, fmt.Errorf("looking at the bucket %s: %w", schemas.BucketConfig, err)
	}
	return s.CachedInfo().Created, nil
}

// publish brings the records first, so that services follow even while the
// event stream cannot be written, and then the events in order.
//
// A tenant's record goes before those of its mailboxes, both of one moment, and
// an old key is retired only after everything was published that it does not
// open: so whoever follows the bucket can open each password at each moment.
func (p *Publisher) publish(ctx context.Context, rows []outboxRow) error {
	kv, err := p.open(ctx)
	if err != nil {
		return err
	}
	referred, mailboxes, err := p.store.current(ctx, rows)
	if err != nil {
		return err
	}
	for _, r := range referred {
		if err := p.put(ctx, kv, r.key, r.record); err != nil {
			return err
		}
	}
	g, group := errgroup.WithContext(ctx)
	g.SetLimit(parallelPuts)
	for _, r := range mailboxes {
		g.Go(func() error { return p.put(group, kv, r.key, r.record) })
	}
	if err := g.Wait(); err != nil {
		return err
	}
	emitted := int64(0)
	for _, row := range rows {
		if !row.silent() {
			err = p.emit(ctx, row)
		}
		if err != nil {
			break
		}
		emitted = row.id
	}
	if emitted > 0 {
		err = errors.Join(err, p.store.published(ctx, emitted))
	}
	return err
}

// emit publishes one event. Its id makes the stream drop a second copy.
func (p *Publisher) emit(ctx context.Context, row outboxRow) error {
	c := row.change
	event := schemas.ConfigChanged{
		Attributes: schemas.NewAttributes(schemas.TypeConfigChanged, "/tenants/"+c.Tenant, string(c.Kind)+"/"+c.ID, row.eventID, schemas.ContentJSON, c.ChangedAt),
		Data:       c,
	}
	header, payload, err := cloudevents.Encode(&event)
	if err != nil {
		return fmt.Errorf("encoding the event of %s: %w", row.target(), err)
	}
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	msg := &nats.Msg{Subject: schemas.SubjectConfigChanged(c.Tenant, c.Kind, c.ID), Header: nats.Header(header), Data: payload}
	if _, err := p.js.PublishMsg(ctx, msg, jetstream.WithMsgID(row.eventID)); err != nil {
		return fmt.Errorf("publishing the event of %s: %w", row.target(), err)
	}
	return nil
}
