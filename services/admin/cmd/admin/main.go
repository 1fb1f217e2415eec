// Command admin runs mailyard's admin service as a process of its own.
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"os"
	"slices"

	"github.com/mailyard/mailyard/pkg/account"
	"github.com/mailyard/mailyard/pkg/bus"
	"github.com/mailyard/mailyard/pkg/control"
	"github.com/mailyard/mailyard/pkg/credential"
	"github.com/mailyard/mailyard/pkg/mailstore/stores"
	"github.com/mailyard/mailyard/pkg/process"
	"github.com/mailyard/mailyard/pkg/secret"
	"github.com/mailyard/mailyard/services/admin"
	"github.com/mailyard/mailyard/services/standalone"
)

func main() {
	standalone.Main("admin", func(ctx context.Context, d standalone.Deployment) (standalone.Service, error) {
		url := d.Settings.Control.Reveal()
		if url == "" {
			return nil, errors.New("control is not set: name the control database, such as postgres://…")
		}
		size, err := d.Settings.NATS.StoreBytes()
		if err != nil {
			return nil, err
		}
		config := admin.Config{Bus: d.Bus, Topology: bus.DefaultTopology(d.Settings.NATS.Replicas).Fit(size), Logger: d.Logger, Metrics: d.Metrics}
		if d.Settings.Admin.Listen == "" {
			var options []control.Option
			if d.Settings.MasterKeyFile != "" { // without it, no tenant's key is rotated here
				key, err := secret.LoadMasterKey(d.Settings.MasterKeyFile)
				if err != nil {
					return nil, err
				}
				options = append(options, control.WithMasterKey(key))
			}
			if config.Control, err = control.Open(ctx, url, d.Logger, options...); err != nil {
				return nil, err
			}
			return closing(admin.New(config), config.Control.Close), nil
		}
		return withDoors(ctx, d, config)
	})
}

// withDoors serves console, REST and requests too, for which it needs the
// master key and the messaging databases.
func withDoors(ctx context.Context, d standalone.Deployment, config admin.Config) (_ standalone.Service, err error) {
	mail, err := credential.Open(d.Settings)
	if err != nil {
		return nil, err
	}
	databases := slices.Sorted(maps.Keys(d.Settings.Messaging))
	if config.Control, err = control.Open(ctx, d.Settings.Control.Reveal(), d.Logger, control.WithMasterKey(mail.MasterKey), control.WithMessagingDatabases(databases...)); err != nil {
		return nil, err
	}
	doors := &admin.Doors{
		Settings: d.Settings.Admin, Accounts: account.New(config.Control, account.Options{Vouched: d.Settings.Admin.OIDC.Vouched()}),
		Databases: databases, Redis: d.Redis, Mail: mail, Operator: d.Settings.Admin.OperatorToken, Version: d.Version,
	}
	config.Doors = doors
	shut := func() error { return errors.Join(doors.Stores.Close(), config.Control.Close()) }
	defer func() {
		if err != nil {
			err = errors.Join(err, shut())
		}
	}()
	if doors.Stores, err = stores.Open(ctx, d.Settings.Messaging, d.Logger); err != nil {
		return nil, err
	}
	d.Notes.Add(doors.Stores.Notes)
	var lc net.ListenConfig
	if doors.Listener, err = lc.Listen(ctx, "tcp", d.Settings.Admin.Listen); err != nil {
		return nil, fmt.Errorf("listening for the console: %w", err)
	}
	setup, err := admin.SetupLink(ctx, doors.Accounts, cmp.Or(d.Settings.Admin.URL, "http://"+doors.Listener.Addr().String()))
	if err != nil {
		return nil, errors.Join(err, doors.Listener.Close())
	}
	if setup != "" { // a secret: it is printed, not logged
		fmt.Fprintf(os.Stdout, "The console waits for its first account, the landlord's. This link makes it; it works once, for a day:\n  %s\n", setup)
	}
	return closing(admin.New(config), shut), nil
}

// closing is a service that closes what it used.
func closing(s standalone.Service, shut func() error) standalone.Service {
	return process.Func(func(ctx context.Context, ready func()) error {
		return errors.Join(s.Run(ctx, ready), shut())
	})
}
