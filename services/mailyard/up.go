package mailyard

import (
	"context"
	"errors"
	"net"
	"os"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"go.uber.org/zap"

	"github.com/mailyard/mailyard/pkg/account"
	"github.com/mailyard/mailyard/pkg/bus"
	"github.com/mailyard/mailyard/pkg/control"
	"github.com/mailyard/mailyard/pkg/credential"
	"github.com/mailyard/mailyard/pkg/deployment"
	"github.com/mailyard/mailyard/pkg/lease"
	"github.com/mailyard/mailyard/pkg/mailstore/stores"
	"github.com/mailyard/mailyard/pkg/process"
	"github.com/mailyard/mailyard/pkg/secret"
	"github.com/mailyard/mailyard/services/admin"
	"github.com/mailyard/mailyard/services/classifier"
	"github.com/mailyard/mailyard/services/disposer"
	"github.com/mailyard/mailyard/services/fetcher"
	"github.com/mailyard/mailyard/services/persister"
)

// embeddedHeartbeat shortens how long a lone process takes to see that it is alone.
const embeddedHeartbeat = 300 * time.Millisecond

// An Installation is all that runs in one process: its databases are open and
// its embedded servers are up.
type Installation struct {
	Home     Home
	Settings deployment.Settings
	Control  *control.Store
	Stores   stores.Stores
	Bus      bus.Options
	Metrics  *prometheus.Registry
	Version  string    // that the console and the services tell
	narrator *narrator // nil: nothing is told
	servers  *servers
	listener net.Listener // of console and REST
	accounts *account.Store
	operator secret.String // what the command line shows REST
	logger   *zap.Logger
	unlock   func()
}

// Open opens the installation: it makes what is missing in its home, locks it,
// opens the databases and starts the embedded servers. Close it after Run.
func Open(ctx context.Context, home Home, s deployment.Settings, logger *zap.Logger) (_ *Installation, err error) {
	if err := home.Prepare(s); err != nil {
		return nil, err
	}
	in := &Installation{Home: home, Settings: s, Metrics: prometheus.NewRegistry(), logger: logger}
	in.Metrics.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	defer func() {
		if err != nil {
			err = errors.Join(err, in.Close())
		}
	}()
	if in.unlock, err = home.Lock(); err != nil {
		return nil, err
	}
	if in.Control, err = OpenControl(ctx, s, logger); err != nil {
		return nil, err
	}
	if in.Stores, err = stores.Open(ctx, s.Messaging, logger); err != nil {
		return nil, err
	}
	if in.servers, err = startServers(home, s, logger); err != nil {
		return nil, err
	}
	in.Bus = in.servers.bus
	if err = in.listen(ctx); err != nil {
		return nil, err
	}
	return in, nil
}

// Close ends the embedded servers, closes the databases and unlocks the home.
func (in *Installation) Close() error {
	var errs []error
	if in.listener != nil {
		if err := in.listener.Close(); !errors.Is(err, net.ErrClosed) { // the service closes it, if it ran
			errs = append(errs, err)
		}
	}
	if in.servers != nil {
		errs = append(errs, in.servers.stop(in.Home))
	}
	errs = append(errs, in.Stores.Close())
	if in.Control != nil {
		errs = append(errs, in.Control.Close())
	}
	if in.unlock != nil {
		in.unlock()
	}
	return errors.Join(errs...)
}

// Parts returns the services in the order in which they start: downstream
// first, so that nothing is fetched that nobody can take. They stop in reverse.
func (in *Installation) Parts() ([]process.Part, error) {
	mail, err := credential.Open(in.Settings)
	if err != nil {
		return nil, err
	}
	host, err := os.Hostname()
	if err != nil {
		return nil, err
	}
	in.Bus.Version, in.Bus.Replica = in.Version, host
	group := lease.GroupOptions{Replica: host, TTL: in.Settings.LeaseTTL}
	if in.Settings.RedisURL.Reveal() == deployment.Embedded {
		group.Heartbeat = embeddedHeartbeat // nobody else can be there to be waited for
	}
	named := func(service string) *zap.Logger { return in.logger.Named(service) }
	return []process.Part{
		{Name: "admin", Service: admin.New(admin.Config{Bus: in.Bus, Topology: in.servers.topology, Control: in.Control, Logger: named("admin"), Metrics: in.Metrics, Doors: in.doors(mail)})},
		{Name: "disposer", Service: disposer.New(disposer.Config{Bus: in.Bus, Redis: in.servers.leases, Group: group, Mail: mail, Logger: named("disposer"), Metrics: in.Metrics})},
		{Name: "persister", Service: persister.New(persister.Config{Bus: in.Bus, Stores: in.Stores, Logger: named("persister"), Metrics: in.Metrics})},
		{Name: "classifier", Service: classifier.New(classifier.Config{Bus: in.Bus, Logger: named("classifier")})},
		{Name: "fetcher", Service: fetcher.New(fetcher.Config{Bus: in.Bus, Redis: in.servers.leases, Group: group, Mail: mail, Logger: named("fetcher"), Metrics: in.Metrics})},
	}, nil
}

// Run runs the services, and then the parts given, until ctx is done.
func (in *Installation) Run(ctx context.Context, more ...process.Part) error {
	parts, err := in.Parts()
	if err != nil {
		return err
	}
	if in.narrator != nil {
		// After the admin service, which makes the streams; it stops after all
		// of whom it tells.
		parts = slices.Insert(parts, 1, process.Part{Name: "narrator", Service: in.narrator})
	}
	return process.Run(ctx, process.Options{Grace: in.Settings.Grace, Health: in.Settings.Health, Registry: in.Metrics, Notes: in.Stores.Notes, Logger: in.logger}, append(parts, more...)...)
}
