package mailhost

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"
)

// TLSConfig returns the configuration for a target: TLS 1.2 at least, the
// target's own authority or the system's, never anything unverified.
func TLSConfig(t Target, p Protocol) (*tls.Config, error) {
	config := &tls.Config{ServerName: t.Hostname(), MinVersion: tls.VersionTLS12}
	if p == IMAP {
		config.NextProtos = []string{"imap"}
	}
	if strings.TrimSpace(t.CA) != "" {
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM([]byte(t.CA)) {
			return nil, fmt.Errorf("no certificate found in %s.ca", p)
		}
	}
	return config, nil
}

// TLSError explains a handshake that failed.
func TLSError(op string, t Target, p Protocol, err error) *Error {
	e := &Error{Op: op, Kind: KindTLS, Err: err}
	var record tls.RecordHeaderError
	var unknown x509.UnknownAuthorityError
	var name x509.HostnameError
	var invalid x509.CertificateInvalidError
	var network *net.OpError
	var verify *tls.CertificateVerificationError
	errors.As(err, &verify)
	_, starttls := p.ports()
	switch {
	case errors.As(err, &record):
		e.Err = errors.New("server answers the TLS handshake in clear text")
		e.Hint = fmt.Sprintf("this port takes STARTTLS, if TLS at all: set %s.security to start-tls", p)
	case errors.As(err, &unknown):
		e.Err = fmt.Errorf("the certificate of %s is signed by %s, which is not trusted", t.Host, issuer(verify))
		e.Hint = fmt.Sprintf("if that is right, set %s.ca to the certificate of that authority", p)
	case errors.As(err, &name):
		e.Err = fmt.Errorf("the certificate is for %s, not for %s", CertificateNames(name.Certificate), t.Host)
		e.Hint = fmt.Sprintf("set %s.host to a name that is in the certificate", p)
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		e.Err = fmt.Errorf("the certificate of %s is valid from %s to %s, and it is %s", t.Host, day(invalid.Cert.NotBefore), day(invalid.Cert.NotAfter), day(time.Now()))
		e.Hint = "the server needs a new certificate, or this machine the right time"
	case errors.As(err, &invalid):
		e.Hint = fmt.Sprintf("if the server uses an authority of its own, set %s.ca to the certificate of that authority", p)
	case IsTimeout(err):
		e.Err = errors.New("server does not answer the TLS handshake")
		e.Hint = "if the port is for STARTTLS, usually " + strconv.Itoa(starttls) + ", set " + string(p) + ".security to start-tls"
	case errors.As(err, &network) && network.Op == "remote error":
		e.Hint = "the server broke off the handshake; TLS 1.2 is the least that is accepted here"
	case errors.As(err, &network) && network.Op != "local error":
		e.Kind = KindUnreachable
	}
	return e.ForFault()
}

// Certificate returns the server's certificate as far as a failed handshake
// tells; nil: it does not.
func Certificate(err error) *x509.Certificate {
	var verify *tls.CertificateVerificationError
	if !errors.As(err, &verify) || len(verify.UnverifiedCertificates) == 0 {
		return nil
	}
	return verify.UnverifiedCertificates[0]
}

func issuer(v *tls.CertificateVerificationError) string {
	if v == nil || len(v.UnverifiedCertificates) == 0 {
		return "an authority"
	}
	last := v.UnverifiedCertificates[len(v.UnverifiedCertificates)-1]
	if last.Issuer.String() == last.Subject.String() && len(v.UnverifiedCertificates) == 1 {
		return "itself (" + CleanText(last.Subject.String()) + ")"
	}
	return CleanText(last.Issuer.String())
}

// CertificateNames returns the names that a certificate is for, at most ten.
func CertificateNames(c *x509.Certificate) string {
	names := append([]string(nil), c.DNSNames...)
	for _, ip := range c.IPAddresses {
		names = append(names, ip.String())
	}
	if len(names) == 0 {
		return CleanText(c.Subject.CommonName)
	}
	return CleanText(strings.Join(names[:min(len(names), 10)], ", "))
}

func day(t time.Time) string { return t.UTC().Format(time.DateOnly) }
