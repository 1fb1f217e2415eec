package cli

import (
	"context"
	"errors"
	"time"

	"go.uber.org/zap"

	"github.com/mailyard/mailyard/pkg/bus"
)

// errNotRunning explains why a command that asks the running services cannot.
var errNotRunning = errors.New("mailyard does not run here: start it with `mailyard up`, or name the folder of the one that runs with --data")

// withBus connects to the NATS of the installation.
func (c *command) withBus(ctx context.Context, use func(*bus.Conn) error) (err error) {
	o, err := c.busOptions()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	conn, err := bus.Connect(ctx, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close(ctx)) }()
	return use(conn)
}

func (c *command) busOptions() (bus.Options, error) {
	s, err := c.settings()
	if err != nil {
		return bus.Options{}, err
	}
	o := bus.Options{URL: s.NATS.URL, User: s.NATS.User, Password: s.NATS.Password.Reveal(), Name: "cli", Logger: zap.NewNop()}
	if !isEmbedded(s.NATS.URL) {
		return o, nil
	}
	e, running, err := c.home().Endpoints()
	if err != nil {
		return bus.Options{}, err
	}
	if !running || e.NATSURL == "" {
		return bus.Options{}, errNotRunning
	}
	o.URL, o.User, o.Password = e.NATSURL, e.NATSUser, e.NATSPassword
	return o, nil
}
