package rest_test

import (
	"context"
	"net/netip"

	"github.com/mailyard/mailyard/pkg/mailstore"
)

// broken is a messaging database that fails.
type broken struct {
	mailstore.Store
	err error
}

func (b broken) Mails(context.Context, mailstore.Query) ([]mailstore.Summary, error) {
	return nil, b.err
}

// loopback resolves every name.
func loopback(context.Context, string, string) ([]netip.Addr, error) {
	return []netip.Addr{netip.MustParseAddr("127.0.0.1")}, nil
}
