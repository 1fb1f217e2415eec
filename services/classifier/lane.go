package classifier

import (
	"context"
	"errors"
	"sync"

	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"github.com/mailyard/mailyard/pkg/bus"
	"github.com/mailyard/mailyard/pkg/process"
	"github.com/mailyard/mailyard/schemas"
)

// A lane has its own NATS connection, so that 6 MB payloads never stand in
// front of a light one.
type lane struct {
	name   schemas.Lane
	conn   *bus.Conn
	tables *tables
	logger *zap.Logger
	fresh  *bus.Subscription
	retry  *bus.Subscription

	alone sync.RWMutex // held whole for a suspect, shared for all others
}

// suspectAfter is how many deliveries make a mail suspect: a process that held
// it died or hung twice. It is handled alone, so that it takes no other of its
// lane along; at the last delivery it is given up unseen.
const (
	suspectAfter = 3
	parkAfter    = bus.MaxDeliver
)

func openLane(ctx context.Context, c Config, name schemas.Lane, t *tables) (*lane, error) {
	conn, err := bus.Connect(ctx, c.Bus.Named("classifier-"+string(name)))
	if err != nil {
		return nil, err
	}
	l := &lane{name: name, conn: conn, tables: t, logger: c.Logger}
	durable := string(schemas.StageClassifier) + "-" + string(name)
	source := bus.Source{Stage: schemas.StageClassifier, Stream: schemas.FetchedStream(name), Durable: durable, MaxMessages: 4 * workers(name)}
	if l.fresh, err = conn.Subscribe(ctx, source); err != nil {
		return nil, errors.Join(err, conn.Close(ctx))
	}
	source.Stream, source.MaxMessages = schemas.StreamRetry, workers(name)
	if l.retry, err = conn.Subscribe(ctx, source); err != nil {
		return nil, errors.Join(err, l.close(ctx))
	}
	return l, nil
}

// close stops what is still subscribed and closes the connection.
func (l *lane) close(ctx context.Context) error { return l.conn.Close(ctx) }

func (l *lane) run(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() {
		l.fresh.Stop()
		l.retry.Stop()
	})
	defer stop()
	var g errgroup.Group
	for range workers(l.name) {
		g.Go(func() error { return l.work(ctx, l.fresh) })
	}
	// What was retried is handled beside the lane, so that it never delays it.
	g.Go(func() error { return l.work(ctx, l.retry) })
	return g.Wait()
}

func (l *lane) work(ctx context.Context, s *bus.Subscription) error {
	for m := range s.Messages() {
		l.handle(ctx, m)
	}
	return nil
}

func (l *lane) handle(ctx context.Context, m *bus.Message) {
	defer bus.KeepAlive(m)() // also while it waits for a suspect's end
	if m.Deliveries() >= suspectAfter {
		l.alone.Lock()
		defer l.alone.Unlock()
	} else {
		l.alone.RLock()
		defer l.alone.RUnlock()
	}
	if err := m.Settle(process.Hard(ctx), l.classify(ctx, m)); err != nil {
		// Not settled means delivered again, which is harmless.
		l.logger.Warn("settling message", zap.Error(err), zap.String("subject", m.Subject()))
	}
}
