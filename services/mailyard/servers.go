package mailyard

import (
	"crypto/rand"
	"errors"
	"os"

	"go.uber.org/zap"

	"github.com/mailyard/mailyard/pkg/bus"
	"github.com/mailyard/mailyard/pkg/bus/busserver"
	"github.com/mailyard/mailyard/pkg/deployment"
	"github.com/mailyard/mailyard/pkg/lease"
	"github.com/mailyard/mailyard/pkg/lease/leaseserver"
)

// servers are the embedded servers that the settings ask for, and how the
// services reach those or the others.
type servers struct {
	nats      *busserver.Server
	redis     *leaseserver.Server
	bus       bus.Options
	leases    lease.Options
	topology  bus.Topology
	endpoints Endpoints
}

const embeddedUser = "mailyard"

func startServers(home Home, s deployment.Settings, logger *zap.Logger) (*servers, error) {
	size, err := s.NATS.StoreBytes()
	if err != nil {
		return nil, err
	}
	out := &servers{
		bus:      bus.Options{URL: s.NATS.URL, User: s.NATS.User, Password: s.NATS.Password.Reveal(), Logger: logger},
		leases:   lease.Options{URL: s.RedisURL.Reveal(), Logger: logger},
		topology: bus.DefaultTopology(s.NATS.Replicas).Fit(size),
	}
	if s.NATS.URL == deployment.Embedded {
		password := rand.Text()
		server, err := busserver.Start(busserver.Options{Dir: home.path("nats"), Listen: "127.0.0.1:0", User: embeddedUser, Password: password, Logger: logger})
		if err != nil {
			return nil, err
		}
		out.nats = server
		out.bus.URL, out.bus.InProcess, out.bus.User, out.bus.Password = "", server, embeddedUser, password
		out.topology = bus.DefaultTopology(1).Fit(server.MaxStore())
		out.endpoints.NATSURL, out.endpoints.NATSUser, out.endpoints.NATSPassword = server.ClientURL(), embeddedUser, password
	}
	if s.RedisURL.Reveal() == deployment.Embedded {
		server, err := leaseserver.Start(leaseserver.Options{})
		if err != nil {
			return nil, errors.Join(err, out.stop(home))
		}
		out.redis = server
		out.leases.URL = server.URL()
		out.endpoints.RedisURL = server.URL()
	}
	return out, nil
}

// stop ends the embedded servers. The services have ended before.
func (s *servers) stop(home Home) error {
	if s.redis != nil {
		s.redis.Close()
	}
	if s.nats != nil {
		s.nats.Shutdown()
	}
	err := os.Remove(home.path("endpoints.json"))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}
