package fetcher

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/semaphore"

	"github.com/mailyard/mailyard/pkg/bus"
	"github.com/mailyard/mailyard/pkg/configwatch"
	"github.com/mailyard/mailyard/pkg/credential"
	"github.com/mailyard/mailyard/pkg/imapconn"
	"github.com/mailyard/mailyard/pkg/lease"
	"github.com/mailyard/mailyard/pkg/process"
	"github.com/mailyard/mailyard/pkg/protocollog"
	"github.com/mailyard/mailyard/schemas"
)

// Config is what a fetcher needs.
type Config struct {
	Bus     bus.Options
	Redis   lease.Options
	Group   lease.GroupOptions // its Name is set by the service
	Mail    credential.Source
	IMAP    imapconn.Options // its Dial is Mail's unless it is set
	Logger  *zap.Logger
	Metrics prometheus.Registerer // nil: none are registered

	parkTime, reselectTime time.Duration // 0: see the constants
	memory                 int64         // bytes; 0: see memoryLimit
}

// Service is the fetcher.
type Service struct{ config Config }

// New returns a fetcher that connects when it runs.
func New(c Config) *Service {
	if c.IMAP.Dial == nil {
		c.IMAP.Dial = c.Mail.Dial
	}
	return &Service{config: c}
}

// running is what the mailboxes of a running fetcher share.
type running struct {
	config  Config
	replica string
	conn    *bus.Conn                  // states, parked keys, epoch
	conns   map[schemas.Lane]*bus.Conn // one per lane: a large mail never stands before a light one
	blobs   *bus.Blobs                 // over the large lane's connection
	redis   *lease.Client
	watcher *configwatch.Watcher
	parked  *bus.Parked
	epoch   *epoch
	log     *protocollog.Log
	metrics metrics
	memory  *semaphore.Weighted // bytes of mail between mail servers and streams
	logger  *zap.Logger
}

// Run serves mailboxes until ctx is done and what was begun is finished.
func (s *Service) Run(ctx context.Context, ready func()) (err error) {
	c := s.config
	hard := process.Hard(ctx)
	r := &running{config: c, memory: semaphore.NewWeighted(cmp.Or(c.memory, memoryLimit)), conns: map[schemas.Lane]*bus.Conn{}, metrics: newMetrics(c.Metrics), logger: c.Logger}
	connect := func(name string) (*bus.Conn, error) { return bus.Connect(ctx, c.Bus.Named(name)) }
	if r.conn, err = connect("fetcher"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.conn.Close(hard)) }()
	if err := r.conn.AwaitTopology(ctx); err != nil {
		return err
	}
	if _, err := r.conn.Announce(ctx, "fetcher", c.Bus.Version, c.Bus.Replica); err != nil { // until the connection is closed
		return err
	}
	for _, lane := range schemas.Lanes {
		conn, err := connect("fetcher-" + string(lane))
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, conn.Close(hard)) }()
		r.conns[lane] = conn
	}
	if r.blobs, err = r.conns[schemas.Large].Blobs(ctx); err != nil {
		return err
	}
	if r.watcher, err = configwatch.Start(ctx, r.conn.JetStream(), c.Logger); err != nil {
		return fmt.Errorf("following the configuration: %w", err)
	}
	defer r.watcher.Close()
	if r.parked, err = r.conn.WatchParked(ctx); err != nil {
		return err
	}
	defer r.parked.Close()
	if r.redis, err = lease.Dial(ctx, c.Redis); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.redis.Close()) }()
	r.epoch = &epoch{conn: r.conn, logger: c.Logger}
	if err := r.epoch.read(ctx); err != nil {
		return err
	}
	return r.serve(ctx, ready)
}

func (r *running) serve(ctx context.Context, ready func()) error {
	c := r.config.Group
	c.Name = "fetcher"
	group := r.redis.NewGroup(c)
	r.replica = group.Replica()
	r.log = protocollog.New(protocollog.Options{Redis: r.redis, Replica: r.replica, Logger: r.logger})
	var g errgroup.Group
	g.Go(func() error {
		r.log.Run(ctx)
		return nil
	})
	g.Go(func() error {
		r.epoch.follow(ctx)
		return nil
	})
	g.Go(func() error {
		r.follow(ctx, group)
		return nil
	})
	g.Go(func() error {
		return group.Run(ctx, func(held context.Context, l lease.Lease) {
			tenant, id, _ := strings.Cut(l.Resource, "/")
			newMailbox(r, tenant, id).serve(held, process.Hard(ctx))
		})
	})
	ready()
	return g.Wait()
}

// follow keeps the group wanting the mailboxes that are enabled.
func (r *running) follow(ctx context.Context, group *lease.Group) {
	for {
		changed := r.watcher.Changed()
		var names []string
		for _, v := range r.watcher.Mailboxes() {
			if serviceable(v) {
				names = append(names, v.Mailbox.Document.Tenant+"/"+v.Mailbox.Document.ID)
			}
		}
		group.Want(names)
		select {
		case <-ctx.Done():
			return
		case <-changed:
		}
	}
}

func serviceable(v configwatch.View) bool {
	return v.Mailbox.Document.Enabled && v.Mailbox.DeletedAt == nil
}

// jitter takes up to a quarter off a pause, so that many mailboxes of one
// server do not come back at the same moment.
func jitter(d time.Duration) time.Duration { return d - time.Duration(randomShare()*float64(d)/4) }
