package mailhost

import (
	"net"
	"strconv"
	"strings"

	"golang.org/x/net/idna"

	"github.com/mailyard/mailyard/pkg/secret"
	"github.com/mailyard/mailyard/schemas/config"
)

// A Protocol is spoken to a server. Its text is the key of its settings.
type Protocol string

// The protocols.
const (
	IMAP Protocol = "imap"
	SMTP Protocol = "smtp"
)

// ports returns where TLS usually starts with the first byte, and where it is
// begun by STARTTLS.
func (p Protocol) ports() (implicit, starttls int) {
	if p == SMTP {
		return 465, 587
	}
	return 993, 143
}

// A Target is one mailbox on its server.
type Target struct {
	Tenant, Mailbox string // ids, for errors and logs
	Host            string // name or address; also the name that the certificate must bear
	Port            int
	Security        config.Security
	CA              string // PEM; empty: the system's authorities
	// AllowInsecure lets credentials cross an unencrypted connection, where the
	// landlord allowed it for this very host and port.
	AllowInsecure bool
	Username      string
	Password      secret.String
}

// Name returns the mailbox as errors name it.
func (t Target) Name() string { return t.Tenant + "/" + t.Mailbox }

// Hostname returns the host as DNS and certificates know it: with A-labels.
func (t Target) Hostname() string {
	if ascii, err := idna.Lookup.ToASCII(t.Host); err == nil {
		return strings.TrimSuffix(ascii, ".")
	}
	return t.Host // an address, or a name that DNS will refuse
}

// Addr returns "host:port".
func (t Target) Addr() string { return net.JoinHostPort(t.Hostname(), strconv.Itoa(t.Port)) }

// ImplicitTLS reports whether TLS starts with the first byte.
func (t Target) ImplicitTLS(p Protocol) bool {
	implicit, _ := p.ports()
	return t.Security == config.SecurityTLS || t.Security != config.SecuritySTARTTLS && t.Port == implicit
}
