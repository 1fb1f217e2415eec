package bus

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"

	"github.com/mailyard/mailyard/schemas"
)

// Parked knows which mails are parked: given up, still in the inbox, and not to
// be fetched until their dead letters are replayed. It follows the bucket
// CONTROL; while that is away it answers from what it last knew. It is safe for
// concurrent use.
type Parked struct {
	conn   *Conn
	cancel context.CancelFunc
	done   chan struct{}

	mu  sync.RWMutex
	set parkedSet
}

const (
	parkedLoadTimeout = 30 * time.Second
	// parkedReload bounds how long the knowledge can be wrong when the bucket
	// was deleted and made again under a connection that stayed.
	parkedReload = 10 * time.Minute
)

type mailboxName struct{ tenant, mailbox string }

type parkedSet struct {
	keys   map[schemas.MailKey]struct{}
	counts map[mailboxName]int
}

func newParkedSet() parkedSet {
	return parkedSet{keys: map[schemas.MailKey]struct{}{}, counts: map[mailboxName]int{}}
}

func (s parkedSet) apply(entry jetstream.KeyValueEntry) {
	key, ok := parseParkedKey(entry.Key())
	if !ok {
		return
	}
	name := mailboxName{key.Tenant, key.Mailbox}
	_, had := s.keys[key]
	switch has := entry.Operation() == jetstream.KeyValuePut; {
	case has && !had:
		s.keys[key] = struct{}{}
		s.counts[name]++
	case had && !has:
		delete(s.keys, key)
		if s.counts[name]--; s.counts[name] == 0 {
			delete(s.counts, name)
		}
	}
}

// WatchParked returns when all keys are loaded, or with an error when ctx ends
// before. The watch lives until Close.
func (c *Conn) WatchParked(ctx context.Context) (*Parked, error) {
	live, cancel := context.WithCancel(context.Background())
	p := &Parked{conn: c, cancel: cancel, done: make(chan struct{}), set: newParkedSet()}
	loaded := make(chan struct{})
	go p.run(live, loaded)
	select {
	case <-loaded:
		return p, nil
	case <-p.done:
		return nil, fmt.Errorf("loading the parked mails: %w", nats.ErrConnectionClosed)
	case <-ctx.Done():
		p.Close()
		return nil, fmt.Errorf("loading the parked mails: %w", ctx.Err())
	}
}

// Has tells whether the mail is parked.
func (p *Parked) Has(k schemas.MailKey) bool {
	p.mu.RLock()
	defer p.mu.RUnlock()
	_, ok := p.set.keys[k]
	return ok
}

// Count returns how many mails of a mailbox are parked.
func (p *Parked) Count(tenant, mailbox string) int {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.set.counts[mailboxName{tenant, mailbox}]
}

// Close ends the watch and waits until it has ended.
func (p *Parked) Close() {
	p.cancel()
	<-p.done
}

func (p *Parked) run(ctx context.Context, loaded chan<- struct{}) {
	defer close(p.done)
	connected := p.conn.nc.StatusChanged(nats.CONNECTED)
	defer p.conn.nc.RemoveStatusListener(connected)
	var once sync.Once
	away := false
	for attempt := 0; ctx.Err() == nil && !p.conn.nc.IsClosed(); attempt++ {
		err := p.follow(ctx, connected, func() {
			once.Do(func() { close(loaded) })
			away, attempt = false, 0
		})
		if err == nil {
			continue // another connection, or time to reload
		}
		if ctx.Err() == nil && !away {
			away = true
			p.conn.logger.Warn("the parked mails cannot be watched; trying again until they can", zap.Error(err))
		}
		if pause(ctx, backoff(attempt)) != nil {
			return
		}
	}
}

// follow loads the keys and follows their changes. It returns nil when they
// have to be loaded again.
func (p *Parked) follow(ctx context.Context, connected <-chan nats.Status, loaded func()) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	watcher, err := p.watch(ctx)
	if err != nil {
		return err
	}
	defer func() {
		if err := watcher.Stop(); err != nil && !errors.Is(err, nats.ErrConnectionClosed) {
			p.conn.logger.Debug("the watch of the parked mails had ended", zap.Error(err))
		}
		for range watcher.Updates() { // or the library blocks on the channel for ever
		}
	}()
	loading := newParkedSet()
	complete := false
	timer := time.NewTimer(parkedLoadTimeout)
	defer timer.Stop()
	for {
		select {
		case entry, ok := <-watcher.Updates():
			switch {
			case !ok:
				return errors.New("watching the parked mails: the watch ended")
			case entry == nil: // all that was there has come
				p.mu.Lock()
				p.set, complete = loading, true
				p.mu.Unlock()
				loaded()
				timer.Reset(parkedReload)
			case complete:
				p.mu.Lock()
				p.set.apply(entry)
				p.mu.Unlock()
			default:
				loading.apply(entry)
			}
		case <-connected:
			return nil
		case <-timer.C:
			if !complete {
				return errors.New("watching the parked mails: they did not come in time")
			}
			return nil
		case <-ctx.Done():
			return nil
		}
	}
}

func (p *Parked) watch(ctx context.Context) (jetstream.KeyWatcher, error) {
	bind, cancel := context.WithTimeout(ctx, bindTimeout)
	defer cancel()
	kv, err := p.conn.js.KeyValue(bind, schemas.BucketControl)
	if err != nil {
		return nil, fmt.Errorf("opening bucket %s: %w", schemas.BucketControl, err)
	}
	watcher, err := kv.Watch(ctx, parkedPrefix+">", jetstream.MetaOnly())
	if err != nil {
		return nil, fmt.Errorf("watching the parked mails: %w", err)
	}
	return watcher, nil
}
