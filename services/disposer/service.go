package disposer

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/mailyard/mailyard/pkg/bus"
	"github.com/mailyard/mailyard/pkg/configwatch"
	"github.com/mailyard/mailyard/pkg/credential"
	"github.com/mailyard/mailyard/pkg/imapconn"
	"github.com/mailyard/mailyard/pkg/lease"
	"github.com/mailyard/mailyard/pkg/process"
	"github.com/mailyard/mailyard/pkg/protocollog"
	"github.com/mailyard/mailyard/schemas"
)

// Config is what a disposer needs.
type Config struct {
	Bus     bus.Options
	Redis   lease.Options
	Group   lease.GroupOptions // its Name is set by the service
	Mail    credential.Source
	IMAP    imapconn.Options // its Dial is Mail's unless it is set
	Logger  *zap.Logger
	Metrics prometheus.Registerer // nil: none are registered
}

// Service is the disposer.
type Service struct {
	config     Config
	times      times
	suspicions *suspicions
}

type times struct {
	keepAlive time.Duration // between extensions of the ack wait of an order, which is 2 min
	grace     time.Duration // for what runs on a mail server when a partition is handed over
}

// New returns a disposer that connects when it runs.
func New(c Config) *Service {
	if c.IMAP.Dial == nil {
		c.IMAP.Dial = c.Mail.Dial
	}
	return &Service{config: c, times: times{keepAlive: 20 * time.Second, grace: 10 * time.Second}, suspicions: newSuspicions()}
}

// running is what the parts of a running disposer share.
type running struct {
	config   Config
	times    times
	conn     *bus.Conn
	redis    *lease.Client
	watcher  *configwatch.Watcher
	log      *protocollog.Log
	logger   *zap.Logger
	disposed *prometheus.CounterVec // by action

	suspicions *suspicions
}

// Run disposes of mail until ctx is done and what was begun is finished.
func (s *Service) Run(ctx context.Context, ready func()) (err error) {
	c := s.config
	conn, err := bus.Connect(ctx, c.Bus.Named("disposer"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close(process.Hard(ctx))) }()
	if err := conn.AwaitTopology(ctx); err != nil {
		return err
	}
	if _, err := conn.Announce(ctx, "disposer", c.Bus.Version, c.Bus.Replica); err != nil { // until the connection is closed
		return err
	}
	watcher, err := configwatch.Start(ctx, conn.JetStream(), c.Logger)
	if err != nil {
		return fmt.Errorf("following the configuration: %w", err)
	}
	defer watcher.Close()
	redis, err := lease.Dial(ctx, c.Redis)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, redis.Close()) }()

	r := &running{config: c, times: s.times, conn: conn, redis: redis, watcher: watcher, logger: c.Logger, disposed: newDisposed(c.Metrics), suspicions: s.suspicions}
	c.Group.Name = "disposer"
	group := redis.NewGroup(c.Group)
	group.Want(partitions())
	r.log = protocollog.New(protocollog.Options{Redis: redis, Replica: group.Replica(), Logger: c.Logger})
	logging, stop := context.WithCancel(ctx)
	var log sync.WaitGroup
	log.Go(func() { r.log.Run(logging) })
	defer func() {
		stop()
		log.Wait()
	}()
	ready()
	return group.Run(ctx, func(held context.Context, l lease.Lease) {
		if err := r.servePartition(held, process.Hard(ctx), l.Resource); err != nil {
			c.Logger.Error("serving partition", zap.Error(err), zap.String("partition", l.Resource))
		}
	})
}

func partitions() []string {
	names := make([]string, schemas.DisposePartitions)
	for i := range names {
		names[i] = fmt.Sprintf("%02d", i)
	}
	return names
}
