package doctor

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"time"

	"github.com/mailyard/mailyard/pkg/mailhost"
)

// expirySoon is how long before its end a certificate is warned of.
const expirySoon = 21 * 24 * time.Hour

// secured tells of a connection that is secure, or is allowed not to be.
func (c *chain) secured(p mailhost.Progress) {
	s := c.current
	if p.TLS == nil {
		s.Answer = "The server offers no TLS. The connection is not encrypted; the landlord allowed that for this server."
		s.warn("Everybody on the way can read the password and all mail. Ask for a server with TLS.")
		return
	}
	s.Answer = fmt.Sprintf("%s with %s.", tls.VersionName(p.TLS.Version), tls.CipherSuiteName(p.TLS.CipherSuite))
	s.fact("Version", tls.VersionName(p.TLS.Version))
	s.fact("Cipher", tls.CipherSuiteName(p.TLS.CipherSuite))
	if len(p.TLS.PeerCertificates) > 0 {
		c.certificate(p.TLS.PeerCertificates[0])
	}
}

// certificate tells of the server's certificate.
func (c *chain) certificate(cert *x509.Certificate) {
	s := c.current
	s.fact("Certificate of", mailhost.CleanText(cert.Subject.String()))
	s.fact("Issued by", mailhost.CleanText(cert.Issuer.String()))
	s.fact("Names", mailhost.CertificateNames(cert))
	s.fact("Valid from", cert.NotBefore.UTC().Format(time.RFC3339))
	s.fact("Valid until", cert.NotAfter.UTC().Format(time.RFC3339))
	if left := time.Until(cert.NotAfter); left > 0 && left < expirySoon {
		when := "within a day"
		if days := int(left.Hours() / 24); days > 0 {
			when = "in " + count(days, "day", "days")
		}
		s.warn(fmt.Sprintf("The certificate ends on %s, %s. Whoever runs the server must renew it before, or mail stops.", cert.NotAfter.UTC().Format(time.DateOnly), when))
	}
}
