package operation

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"

	"github.com/mailyard/mailyard/pkg/config"
	"github.com/mailyard/mailyard/pkg/control"
	"github.com/mailyard/mailyard/pkg/provider"
)

// RecogniseProvider asks for the servers of a mail address.
type RecogniseProvider struct {
	InTenant
	Address string `query:"address" json:"address" maxLength:"320" doc:"Mail address of the mailbox."`
}

// Recognised is what is known of the servers of a mail address.
type Recognised struct {
	Found    bool               `json:"found"`
	Settings *provider.Settings `json:"settings,omitempty"`
	Message  string             `json:"message"`
}

// RecogniseProvider finds the mail servers of an address: known providers, SRV
// records, and what their names usually are.
func (d *Desk) RecogniseProvider(ctx context.Context, a control.Actor, in *RecogniseProvider) (Recognised, error) {
	if err := mayWrite(a, in.Tenant); err != nil {
		return Recognised{}, err
	}
	if !strings.Contains(in.Address, "@") {
		return Recognised{}, Invalid(config.Problem{Path: "address", Message: "is not a mail address"})
	}
	x, err := d.begin(ctx, config.Mailbox{Tenant: in.Tenant})
	if err != nil {
		return Recognised{}, err
	}
	defer x.end()
	s, ok := provider.Recognise(ctx, d.resolver(), in.Address)
	if !ok {
		return Recognised{Message: "No mail servers are known for this address. Ask the provider for the IMAP and SMTP addresses."}, nil
	}
	return Recognised{Found: true, Settings: &s, Message: fmt.Sprintf("Settings of %s.", s.Name)}, nil
}

// resolver answers for mail servers. Names that have no address which may be
// dialled have none: a tenant must not learn which names the landlord's network
// knows.
func (d *Desk) resolver() provider.Resolver {
	r := dialable{Resolver: d.Resolver, allows: d.Doctor.Allows}
	if r.Resolver == nil {
		r.Resolver = net.DefaultResolver
	}
	return r
}

// dialable leaves out the addresses that may not be dialled.
type dialable struct {
	provider.Resolver
	allows func(netip.Addr, int) bool // nil: all
}

func (r dialable) LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error) {
	found, err := r.Resolver.LookupNetIP(ctx, network, host)
	if r.allows != nil {
		found = slices.DeleteFunc(found, func(a netip.Addr) bool { return !r.allows(a, 993) })
	}
	return found, err
}
