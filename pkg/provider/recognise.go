package provider

import (
	"context"
	"net"
	"net/netip"
	"strings"
	"time"

	"golang.org/x/net/idna"

	"github.com/mailyard/mailyard/pkg/address"
	"github.com/mailyard/mailyard/schemas/config"
)

// Where settings come from: Settings.Source.
const (
	SourceKnown = "known" // the domain is a provider's
	SourceMX    = "mx"    // the domain's mail is delivered to a provider
	SourceSRV   = "srv"   // the domain's SRV records
	SourceGuess = "guess" // names that are usual, and exist
)

// Settings are what to fill in for an address.
type Settings struct {
	Name     string `json:"name"` // of the provider; the domain when it is not known
	IMAP     Server `json:"imap"` // without a host: there is no IMAP, and Note says why
	SMTP     Server `json:"smtp"` // without a host: not known, or not offered
	Username string `json:"username"`
	Note     string `json:"note,omitempty"` // what else the administrator must know, for people
	Source   string `json:"source"`
}

// A Server is where a server is and how it is spoken to.
type Server struct {
	Host     string          `json:"host"`
	Port     int             `json:"port"`
	Security config.Security `json:"security"`
}

// A Resolver is *net.Resolver, or what answers in its place.
type Resolver interface {
	LookupMX(ctx context.Context, name string) ([]*net.MX, error)
	LookupSRV(ctx context.Context, service, proto, name string) (cname string, addrs []*net.SRV, err error)
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

const (
	lookupTime = 3 * time.Second // for one question
	totalTime  = 10 * time.Second
)

// Recognise returns the settings for a mail address; false when it is none, or
// nothing is known of its domain. Servers that are not well-known have an address
// that the resolver knows: one that leaves out what may not be dialled makes them
// unknown. It takes ten seconds at most.
func Recognise(ctx context.Context, r Resolver, mail string) (Settings, bool) {
	a, err := address.ParseOne(strings.TrimSpace(mail))
	if err != nil {
		return Settings{}, false
	}
	domain, err := idna.Lookup.ToASCII(a.Domain)
	if err != nil || strings.HasPrefix(domain, "[") {
		return Settings{}, false
	}
	ctx, cancel := context.WithTimeout(ctx, totalTime)
	defer cancel()
	q := query{ctx: ctx, resolver: r, domain: strings.ToLower(domain)}
	for _, find := range []func() (Settings, bool){q.known, q.byMX, q.bySRV, q.guess} {
		if s, ok := find(); ok {
			s.Username = a.Addr()
			return s, true
		}
	}
	return Settings{}, false
}

// OfHost returns the settings of the well-known provider that a mail server
// belongs to, without Username.
func OfHost(host string) (Settings, bool) {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	for _, p := range providers() {
		if host != "" && (host == p.imap || host == p.smtp) {
			return p.settings(SourceKnown), true
		}
	}
	return Settings{}, false
}

// A query is one call of Recognise.
type query struct {
	ctx      context.Context // of that call
	resolver Resolver
	domain   string // A-labels, lower case
}

func (q query) lookup() (context.Context, context.CancelFunc) {
	return context.WithTimeout(q.ctx, lookupTime)
}

func (q query) known() (Settings, bool) {
	for _, p := range providers() {
		if p.has(q.domain) {
			return p.settings(SourceKnown), true
		}
	}
	return Settings{}, false
}

// byMX looks where the domain's mail is delivered.
func (q query) byMX() (Settings, bool) {
	ctx, cancel := q.lookup()
	defer cancel()
	records, _ := q.resolver.LookupMX(ctx, q.domain) // good records may come with an error about others
	for _, mx := range records {
		for _, p := range providers() {
			if p.receives(strings.ToLower(strings.TrimSuffix(mx.Host, "."))) {
				return p.settings(SourceMX), true
			}
		}
	}
	return Settings{}, false
}

// guess tries the usual names.
func (q query) guess() (Settings, bool) {
	imap := q.exists("imap.", "mail.")
	if imap == "" {
		return Settings{}, false
	}
	s := Settings{
		Name: q.domain, IMAP: Server{imap, 993, config.SecurityAuto}, Source: SourceGuess,
		Note: "These settings are guessed from the names that exist. Compare them with what the provider says.",
	}
	if smtp := q.exists("smtp.", "mail."); smtp != "" {
		s.SMTP = Server{smtp, 587, config.SecurityAuto}
	}
	return s, true
}

// exists returns the first of the names in the domain that has an address.
func (q query) exists(prefixes ...string) string {
	for _, prefix := range prefixes {
		if q.resolves(prefix + q.domain) {
			return prefix + q.domain
		}
	}
	return ""
}

func (q query) resolves(host string) bool {
	ctx, cancel := q.lookup()
	defer cancel()
	found, err := q.resolver.LookupNetIP(ctx, "ip", host)
	return err == nil && len(found) > 0
}
