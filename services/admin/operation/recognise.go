package operation

import (
	"context"
	"fmt"
	"net"
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
	s, ok := provider.Recognise(ctx, net.DefaultResolver, in.Address)
	if !ok {
		return Recognised{Message: "No mail servers are known for this address. Ask the provider for the IMAP and SMTP addresses."}, nil
	}
	return Recognised{Found: true, Settings: &s, Message: fmt.Sprintf("Settings of %s.", s.Name)}, nil
}
