package stores

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/mailyard/mailyard/pkg/fault"
	"github.com/mailyard/mailyard/pkg/mailstore"
)

// An opener opens a database and migrates it.
type opener func(ctx context.Context, logger *zap.Logger) (mailstore.Store, error)

// The pauses between two attempts to open a database that is away; they vary by
// a quarter, so that not all processes come at once when it is back.
const (
	firstPause   = 500 * time.Millisecond
	longestPause = 30 * time.Second
)

// A database is a messaging database of the installation that may be away: not
// open yet, or gone later. It remembers what the last call told, and logs when
// that changes.
type database struct {
	name   string
	logger *zap.Logger
	cancel context.CancelFunc
	tried  chan struct{} // closed after the first attempt to open it
	done   chan struct{} // closed when no further attempt is made

	mu    sync.Mutex
	store mailstore.Store // nil until it is open
	away  *Away           // nil: it is not
}

// newDatabase begins to open a database, until it is open or closed.
func newDatabase(ctx context.Context, name string, open opener, logger *zap.Logger) *database {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	d := &database{name: name, logger: logger.With(zap.String("database", name)), cancel: cancel, tried: make(chan struct{}), done: make(chan struct{})}
	go d.open(ctx, open)
	return d
}

func (d *database) open(ctx context.Context, open opener) {
	defer close(d.done)
	first := sync.OnceFunc(func() { close(d.tried) })
	defer first()
	for pause := firstPause; ; pause = min(2*pause, longestPause) {
		store, err := open(ctx, d.logger)
		if err == nil {
			d.mu.Lock()
			d.store = store
			d.mu.Unlock()
			d.isThere()
			return
		}
		if ctx.Err() != nil {
			return
		}
		d.isAway(err)
		first()
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause*3/4 + rand.N(pause/2)):
		}
	}
}

// opened returns the database if it is open. That it is not is never the mail's
// fault, also when waiting will not mend it: the reason is kept as text only,
// without its class.
func (d *database) opened() (mailstore.Store, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.store != nil:
		return d.store, nil
	case d.away != nil:
		return nil, fault.Unavailable(fmt.Errorf("messaging database %q is away: %v", d.name, d.away.Err))
	}
	return nil, fault.Unavailable(fmt.Errorf("messaging database %q is not open yet", d.name))
}

func (d *database) awayNow() *Away {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.away == nil {
		return nil
	}
	a := *d.away
	return &a
}

func (d *database) failure() error {
	if a := d.awayNow(); a != nil {
		return a.Err
	}
	return nil
}

// isAway notes why the database cannot be used.
func (d *database) isAway(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	was := d.away
	d.away = &Away{Database: d.name, Since: time.Now().UTC(), Err: err}
	if was != nil {
		d.away.Since = was.Since
	}
	switch {
	case fault.IsPermanent(err) && (was == nil || !fault.IsPermanent(was.Err)):
		d.logger.Error("messaging database cannot be used; mail of its tenants waits until that is mended", zap.Error(err))
	case was == nil:
		d.logger.Warn("messaging database is away; mail of its tenants waits", zap.Error(err))
	}
}

// isThere notes that the database answered.
func (d *database) isThere() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.away != nil {
		d.logger.Info("messaging database is back", zap.Duration("after", time.Since(d.away.Since)))
	}
	d.away = nil
}

// note takes over what the outcome of a call tells of the database. A call that
// was given up tells nothing.
func (d *database) note(err error) {
	switch {
	case fault.IsUnavailable(err):
		d.isAway(err)
	case !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded):
		d.isThere()
	}
}

// check asks for a mail that is not there, which the database finds out by one
// look into an index.
func (d *database) check(ctx context.Context) {
	store, err := d.opened()
	if err != nil {
		return // its opening notes why
	}
	_, err = store.Raw(ctx, "-", "-")
	if errors.Is(err, context.DeadlineExceeded) {
		err = fault.Unavailable(err)
	}
	d.note(err)
}

// Close ends the attempts to open the database, and closes it.
func (d *database) Close() error {
	d.cancel()
	<-d.done
	d.mu.Lock()
	store := d.store
	d.mu.Unlock()
	if store == nil {
		return nil
	}
	return store.Close()
}
