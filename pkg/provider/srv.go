package provider

import (
	"net"
	"strings"

	"golang.org/x/net/idna"

	"github.com/mailyard/mailyard/schemas/config"
)

// bySRV asks the domain for its mail services (RFC 6186; RFC 8314 for
// submissions). TLS from the first byte comes first, as RFC 8314 recommends.
func (q query) bySRV() (Settings, bool) {
	s := Settings{Name: q.domain, Source: SourceSRV}
	s.IMAP = q.service("imaps", "imap", 993)
	if s.IMAP.Host == "" {
		return Settings{}, false
	}
	s.SMTP = q.service("submissions", "submission", 465)
	if !within(s.IMAP.Host, q.domain) || s.SMTP.Host != "" && !within(s.SMTP.Host, q.domain) {
		// RFC 6186, section 6: whoever can forge the domain's answers would get the password.
		s.Note = "The domain's DNS names a server outside the domain. Make sure that it is the provider's."
	}
	return s, true
}

// service returns the server of a service: with TLS from the first byte, whose
// usual port is given, else with STARTTLS.
func (q query) service(implicit, starttls string, usual int) Server {
	for _, each := range []struct {
		name string
		tls  bool
	}{{implicit, true}, {starttls, false}} {
		ctx, cancel := q.lookup()
		_, records, _ := q.resolver.LookupSRV(ctx, each.name, "tcp", q.domain) // good records may come with an error about others
		cancel()
		for _, r := range records {
			if host := target(r); host != "" && q.resolves(host) {
				return Server{host, int(r.Port), security(each.tls, int(r.Port), usual)}
			}
		}
	}
	return Server{}
}

// target returns the host of a record, empty for "." (not offered here) and for
// what is no host name.
func target(r *net.SRV) string {
	host := strings.ToLower(strings.TrimSuffix(r.Target, "."))
	if r.Port == 0 || !strings.Contains(host, ".") {
		return ""
	}
	if _, err := idna.Lookup.ToASCII(host); err != nil {
		return ""
	}
	return host
}

// security returns auto where that means the same.
func security(tls bool, port, usual int) config.Security {
	switch {
	case tls == (port == usual):
		return config.SecurityAuto
	case tls:
		return config.SecurityTLS
	}
	return config.SecuritySTARTTLS
}

// within reports whether a host is a domain or below it.
func within(host, domain string) bool {
	return host == domain || strings.HasSuffix(host, "."+domain)
}
