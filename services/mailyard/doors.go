package mailyard

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"syscall"

	"github.com/mailyard/mailyard/pkg/account"
	"github.com/mailyard/mailyard/pkg/credential"
	"github.com/mailyard/mailyard/pkg/secret"
	"github.com/mailyard/mailyard/services/admin"
)

// ConsoleAddress is where the console is served unless the settings say
// otherwise: on this machine only. If it is taken, another port is.
const ConsoleAddress = "127.0.0.1:8420"

// listen takes the address of the console.
func (in *Installation) listen(ctx context.Context) error {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", cmp.Or(in.Settings.Admin.Listen, ConsoleAddress))
	if errors.Is(err, syscall.EADDRINUSE) && in.Settings.Admin.Listen == "" {
		l, err = lc.Listen(ctx, "tcp", "127.0.0.1:0")
	}
	if err != nil {
		return fmt.Errorf("listening for the console: %w; set admin.listen (MAILYARD_ADMIN_LISTEN) to a free address", err)
	}
	in.listener = l
	in.operator = in.Settings.Admin.OperatorToken
	if in.operator.IsZero() {
		in.operator = secret.NewString(rand.Text())
	}
	in.accounts = account.New(in.Control, account.Options{Vouched: in.Settings.Admin.OIDC.Vouched()})
	e := in.servers.endpoints
	e.AdminURL, e.AdminToken = in.local(), in.operator.Reveal()
	return in.Home.writeEndpoints(e)
}

// local is the address of the console for programs on this machine.
func (in *Installation) local() string { return "http://" + in.listener.Addr().String() }

// ConsoleURL is the address of the console for people.
func (in *Installation) ConsoleURL() string { return cmp.Or(in.Settings.Admin.URL, in.local()) }

// SetupURL is the address of the page that makes the landlord's account, empty
// if there is one. It works once.
func (in *Installation) SetupURL(ctx context.Context) (string, error) {
	return admin.SetupLink(ctx, in.accounts, in.ConsoleURL())
}

func (in *Installation) doors(mail credential.Source) *admin.Doors {
	return &admin.Doors{
		Listener: in.listener, Settings: in.Settings.Admin, Accounts: in.accounts, Stores: in.Stores,
		Databases: slices.Sorted(maps.Keys(in.Settings.Messaging)), Redis: in.servers.leases, Mail: mail, Operator: in.operator, Version: in.Version,
	}
}
