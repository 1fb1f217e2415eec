package admin

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"go.uber.org/zap"

	"github.com/mailyard/mailyard/pkg/account"
	"github.com/mailyard/mailyard/pkg/account/oidc"
	"github.com/mailyard/mailyard/pkg/bus"
	"github.com/mailyard/mailyard/pkg/credential"
	"github.com/mailyard/mailyard/pkg/deployment"
	"github.com/mailyard/mailyard/pkg/doctor"
	"github.com/mailyard/mailyard/pkg/lease"
	"github.com/mailyard/mailyard/pkg/mailstore/stores"
	"github.com/mailyard/mailyard/pkg/process"
	"github.com/mailyard/mailyard/pkg/secret"
	"github.com/mailyard/mailyard/services/admin/apply"
	"github.com/mailyard/mailyard/services/admin/console"
	"github.com/mailyard/mailyard/services/admin/operation"
	"github.com/mailyard/mailyard/services/admin/rest"
)

// Doors are what administrators come in by: the console and REST on one
// listener, and requests on config.v1.apply.
type Doors struct {
	Listener  net.Listener // the service closes it
	Settings  deployment.Admin
	Accounts  *account.Store
	Stores    stores.Stores // stay the caller's to close
	Databases []string      // names of the messaging databases that tenants may use
	Redis     lease.Options
	Mail      credential.Source
	Operator  secret.String // REST takes it from whoever runs the installation on this machine; empty: from nobody
	Version   string
}

// purgeTime is how often accounts forget what is over.
const purgeTime = time.Hour

// open opens the doors and returns what keeps them: one function per door, each
// running until its context is done.
func (s *Service) open(ctx context.Context, conn *bus.Conn) (run []func(context.Context) error, shut func() error, err error) {
	d := s.config.Doors
	leases, err := lease.Dial(ctx, d.Redis)
	if err != nil {
		return nil, nil, err
	}
	desk := &operation.Desk{
		Control: s.config.Control, Accounts: d.Accounts, Stores: d.Stores, Databases: d.Databases, Bus: conn, Leases: leases, Mail: d.Mail,
		Doctor:  doctor.Doctor{Dial: d.Mail.Dial, Allows: d.Mail.Allows, Announce: conn.AnnounceProbe, Logger: s.config.Logger},
		Version: d.Version, Logger: s.config.Logger,
	}
	handler, err := s.handler(desk)
	if err != nil {
		return nil, nil, errors.Join(err, leases.Close())
	}
	server := &process.HTTPServer{Listener: d.Listener, Handler: handler, Logger: s.config.Logger}
	return []func(context.Context) error{
		func(ctx context.Context) error { return server.Run(ctx, func() {}) },
		func(ctx context.Context) error {
			return apply.Run(ctx, apply.Config{Desk: desk, Accounts: d.Accounts, Bus: conn, Version: d.Version, Logger: s.config.Logger})
		},
		s.purge,
	}, leases.Close, nil
}

// handler answers for console and REST.
func (s *Service) handler(desk *operation.Desk) (http.Handler, error) {
	d := s.config.Doors
	provider, err := provider(d.Settings, d.Listener.Addr(), s.config.Logger)
	if err != nil {
		return nil, err
	}
	proxies, err := d.Settings.Proxies()
	if err != nil {
		return nil, err
	}
	pages, err := console.New(console.Config{
		Desk: desk, Accounts: d.Accounts, OIDC: provider, OIDCName: d.Settings.OIDC.ButtonName(),
		URL: d.Settings.URL, TrustedProxies: proxies, Version: d.Version, Logger: s.config.Logger,
	})
	if err != nil {
		return nil, err
	}
	api, err := rest.New(rest.Config{
		Desk: desk, Accounts: d.Accounts, Operator: d.Operator,
		URL: d.Settings.URL, TrustedProxies: proxies, Version: d.Version, Logger: s.config.Logger,
	})
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("/api/", api)
	mux.Handle("/", pages)
	return mux, nil
}

// provider returns the identity provider of the settings, nil if there is none.
func provider(a deployment.Admin, listens net.Addr, logger *zap.Logger) (*oidc.Provider, error) {
	o := a.OIDC
	if o.Issuer == "" {
		return nil, nil
	}
	base := a.URL
	if base == "" {
		base = "http://" + listens.String()
	}
	p, err := oidc.New(oidc.Options{
		Issuer: o.Issuer, ClientID: o.ClientID, ClientSecret: o.ClientSecret, RedirectURL: base + console.CallbackPath, Name: o.ButtonName(),
		RoleClaim: o.RoleClaim, TenantClaim: o.TenantClaim, Landlord: o.Landlord, TenantAdmin: o.TenantAdmin, Reader: o.Reader, Logger: logger,
	})
	if err != nil {
		return nil, fmt.Errorf("setting up sign-in at %s: %w", o.Issuer, err)
	}
	return p, nil
}

// purge makes accounts forget what is over.
func (s *Service) purge(ctx context.Context) error {
	t := time.NewTicker(purgeTime)
	defer t.Stop()
	for {
		if _, err := s.config.Doors.Accounts.Purge(ctx); err != nil && ctx.Err() == nil {
			s.config.Logger.Warn("forgetting sessions, links and tokens that are over", zap.Error(err))
		}
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
		}
	}
}

// SetupLink returns the address of the page that makes the landlord's account,
// empty if there is one. The link works once, for a day.
func SetupLink(ctx context.Context, accounts *account.Store, base string) (string, error) {
	link, err := accounts.NewSetupLink(ctx)
	if errors.Is(err, account.ErrSetupDone) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	return base + operation.InvitePath + link.Token.Reveal(), nil
}
