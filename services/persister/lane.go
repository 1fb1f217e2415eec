package persister

import (
	"context"
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"github.com/mailyard/mailyard/pkg/bus"
	"github.com/mailyard/mailyard/schemas"
)

// limits bound one batch and how many are in work at once in a replica.
type limits struct {
	messages int
	bytes    int64 // of the mails themselves, blobs included
	linger   time.Duration
	parallel int
}

func limitsOf(l schemas.Lane) limits {
	if l == schemas.Light {
		return limits{messages: 250, bytes: 4 << 20, linger: 20 * time.Millisecond, parallel: 2}
	}
	return limits{messages: 16, bytes: 16 << 20, linger: 50 * time.Millisecond, parallel: 2}
}

type lane struct {
	name   schemas.Lane
	limits limits
	conn   *bus.Conn
	blobs  *bus.Blobs
	stores *stores
	fresh  bus.Source
	retry  bus.Source
	logger *zap.Logger

	committed *prometheus.CounterVec // by lane and verdict
}

func openLane(ctx context.Context, c Config, name schemas.Lane, s *stores, committed *prometheus.CounterVec) (*lane, error) {
	conn, err := bus.Connect(ctx, c.Bus.Named("persister-"+string(name)))
	if err != nil {
		return nil, err
	}
	blobs, err := conn.Blobs(ctx)
	if err != nil {
		return nil, errors.Join(err, conn.Close(ctx))
	}
	l := &lane{name: name, limits: limitsOf(name), conn: conn, blobs: blobs, stores: s, logger: c.Logger.With(zap.String("lane", string(name))), committed: committed}
	durable := string(schemas.StagePersister) + "-" + string(name)
	l.fresh = bus.Source{Stage: schemas.StagePersister, Stream: schemas.ClassifiedStream(name), Durable: durable, MaxMessages: 2 * l.limits.messages}
	l.retry = bus.Source{Stage: schemas.StagePersister, Stream: schemas.StreamRetry, Durable: durable, MaxMessages: l.limits.messages}
	return l, nil
}

func (l *lane) close(ctx context.Context) error { return l.conn.Close(ctx) }

// run handles what the source has until ctx is done.
func (l *lane) run(ctx context.Context, source bus.Source) error {
	for ctx.Err() == nil {
		if err := l.pull(ctx, source); err != nil && ctx.Err() == nil {
			return err
		}
	}
	return nil
}

// pull handles batches until ctx is done or a database was away. In the latter
// case it lets go of the subscription at once, so that the mails wait in their
// stream and not in this process, and returns when the database is back.
func (l *lane) pull(ctx context.Context, source bus.Source) error {
	s, err := l.conn.Subscribe(ctx, source)
	if err != nil {
		return err
	}
	pulling, letGo := context.WithCancel(ctx)
	defer letGo()
	defer context.AfterFunc(pulling, s.Stop)()

	var g errgroup.Group
	g.SetLimit(l.limits.parallel)
	batches := gatherer{messages: s.Messages(), limits: l.limits}
	for more := true; more; {
		var batch []*bus.Message
		batch, more = batches.next()
		if len(batch) == 0 {
			continue
		}
		alone := suspect(batch[0])
		if alone {
			_ = g.Wait() // nothing returns an error
		}
		g.Go(func() error {
			l.persist(ctx, batch, letGo)
			return nil
		})
		if alone {
			_ = g.Wait() // what takes this process along takes nothing else of this lane
		}
	}
	s.Stop()
	return g.Wait()
}
