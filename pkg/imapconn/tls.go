package imapconn

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"
)

// tlsConfig returns the configuration for a target: TLS 1.2 at least, the
// target's own authority or the system's, never anything unverified.
func tlsConfig(t Target) (*tls.Config, error) {
	config := &tls.Config{
		ServerName: t.hostname(),
		MinVersion: tls.VersionTLS12,
		NextProtos: []string{"imap"},
	}
	if strings.TrimSpace(t.CA) != "" {
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM([]byte(t.CA)) {
			return nil, errors.New("no certificate found in imap.ca")
		}
	}
	return config, nil
}

// tlsError explains a handshake that failed.
func tlsError(op string, t Target, err error) error {
	e := &Error{Op: op, Kind: KindTLS, Err: err}
	var record tls.RecordHeaderError
	var unknown x509.UnknownAuthorityError
	var name x509.HostnameError
	var invalid x509.CertificateInvalidError
	var network *net.OpError
	var verify *tls.CertificateVerificationError
	errors.As(err, &verify)
	switch {
	case errors.As(err, &record):
		e.Err = errors.New("server answers the TLS handshake in clear text")
		e.Hint = "this port takes STARTTLS, if TLS at all: set imap.security to start-tls"
	case errors.As(err, &unknown):
		e.Err = fmt.Errorf("the certificate of %s is signed by %s, which is not trusted", t.Host, issuer(verify))
		e.Hint = "if that is right, set imap.ca to the certificate of that authority"
	case errors.As(err, &name):
		e.Err = fmt.Errorf("the certificate is for %s, not for %s", certNames(name.Certificate), t.Host)
		e.Hint = "set imap.host to a name that is in the certificate"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		e.Err = fmt.Errorf("the certificate of %s is valid from %s to %s, and it is %s", t.Host, day(invalid.Cert.NotBefore), day(invalid.Cert.NotAfter), day(time.Now()))
		e.Hint = "the server needs a new certificate, or this machine the right time"
	case errors.As(err, &invalid):
		e.Hint = "if the server uses an authority of its own, set imap.ca to the certificate of that authority"
	case timeout(err):
		e.Err = errors.New("server does not answer the TLS handshake")
		e.Hint = "if the port is for STARTTLS, usually 143, set imap.security to start-tls"
	case errors.As(err, &network) && network.Op == "remote error":
		e.Hint = "the server broke off the handshake; TLS 1.2 is the least that is accepted here"
	case errors.As(err, &network) && network.Op != "local error":
		e.Kind = KindUnreachable
	}
	e.classForFault()
	return e
}

func issuer(v *tls.CertificateVerificationError) string {
	if v == nil || len(v.UnverifiedCertificates) == 0 {
		return "an authority"
	}
	last := v.UnverifiedCertificates[len(v.UnverifiedCertificates)-1]
	if last.Issuer.String() == last.Subject.String() && len(v.UnverifiedCertificates) == 1 {
		return "itself (" + cleanText(last.Subject.String()) + ")"
	}
	return cleanText(last.Issuer.String())
}

func certNames(c *x509.Certificate) string {
	names := c.DNSNames
	for _, ip := range c.IPAddresses {
		names = append(names, ip.String())
	}
	if len(names) == 0 {
		return cleanText(c.Subject.CommonName)
	}
	return cleanText(strings.Join(names[:min(len(names), 10)], ", "))
}

func day(t time.Time) string { return t.UTC().Format(time.DateOnly) }
