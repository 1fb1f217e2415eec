package credential

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"

	"github.com/mailyard/mailyard/pkg/configwatch"
	"github.com/mailyard/mailyard/pkg/deployment"
	"github.com/mailyard/mailyard/pkg/egress"
	"github.com/mailyard/mailyard/pkg/imapconn"
	"github.com/mailyard/mailyard/pkg/secret"
)

// A Source opens the credentials of mailboxes. It is safe for concurrent use.
type Source struct {
	MasterKey *secret.MasterKey
	// Insecure reports whether the landlord allowed clear text to a host and port.
	Insecure func(host string, port int) bool
	// Egress dials the mail servers; nil: those with public addresses only.
	Egress *egress.Dialer
	// Connections is how many connections all replicas together may hold to one account.
	Connections int
}

// DefaultConnections fits below what the big providers allow one account (Gmail
// 15, Exchange 16, Dovecot 10), with room for people's own mail programs.
const DefaultConnections = 8

// Target returns what the mailbox's IMAP server is dialled with.
func (s Source) Target(v configwatch.View) (imapconn.Target, error) {
	m := v.Mailbox.Document
	if len(v.Tenant.WrappedKey) == 0 {
		return imapconn.Target{}, fmt.Errorf("opening the password of %s/%s: the tenant has no Tenant Encryption Key", m.Tenant, m.ID)
	}
	if len(v.Mailbox.Password) == 0 {
		return imapconn.Target{}, fmt.Errorf("opening the password of %s/%s: none is set", m.Tenant, m.ID)
	}
	key, err := s.MasterKey.TenantKey(m.Tenant, v.Tenant.WrappedKey)
	if err != nil {
		return imapconn.Target{}, fmt.Errorf("opening the password of %s/%s: %w", m.Tenant, m.ID, err)
	}
	password, err := key.Open(m.Tenant, m.ID, v.Mailbox.Password)
	if err != nil {
		return imapconn.Target{}, fmt.Errorf("opening the password of %s/%s: %w", m.Tenant, m.ID, err)
	}
	return imapconn.Target{
		Tenant: m.Tenant, Mailbox: m.ID,
		Host: m.IMAP.Host, Port: m.IMAP.Port, Security: m.IMAP.Security, CA: m.IMAP.CA,
		AllowInsecure: s.Insecure(m.IMAP.Host, m.IMAP.Port),
		Username:      m.Username, Password: password,
	}, nil
}

// Dial opens a TCP connection to a mail server, within what the landlord allows.
func (s Source) Dial(ctx context.Context, network, addr string) (net.Conn, error) {
	return s.egress().DialContext(ctx, network, addr)
}

// Allows reports whether Dial may connect to an address.
func (s Source) Allows(address netip.Addr, port int) bool { return s.egress().Allows(address, port) }

func (s Source) egress() *egress.Dialer {
	if s.Egress == nil {
		return egress.New(egress.Policy{}, egress.Options{})
	}
	return s.Egress
}

// BudgetKey names the connection budget of an account, over all replicas.
func (s Source) BudgetKey(t imapconn.Target) string {
	return strings.ToLower(fmt.Sprintf("imap/%s:%d/%s", t.Host, t.Port, t.Username))
}

// Open returns the source of an installation: its master key, the networks that
// mail servers may be in, and the hosts that the landlord allowed clear text to.
func Open(s deployment.Settings) (Source, error) {
	if s.MasterKeyFile == "" {
		return Source{}, errors.New("master_key_file is not set: mailbox passwords cannot be opened without the landlord's master key; make one with `mailyard key generate FILE`")
	}
	key, err := secret.LoadMasterKey(s.MasterKeyFile)
	if err != nil {
		return Source{}, err
	}
	dialer, err := s.Egress()
	if err != nil {
		return Source{}, err
	}
	return Source{MasterKey: key, Insecure: s.Insecure, Egress: dialer, Connections: DefaultConnections}, nil
}
