package demoserver

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// Certificate returns a TLS configuration with a self-signed certificate for
// localhost and the loopback addresses, and the certificate in PEM form, for
// imap.ca. It is kept in dir and made when missing or about to expire.
func Certificate(dir string) (config *tls.Config, ca string, err error) {
	file := filepath.Join(dir, "certificate.pem")
	b, err := os.ReadFile(file)
	if err == nil {
		if config, ca, ok := useCertificate(b); ok {
			return config, ca, nil
		}
	} else if !errors.Is(err, os.ErrNotExist) {
		return nil, "", fmt.Errorf("reading the certificate of the demo server: %w", err)
	}
	if b, err = newCertificate(); err != nil {
		return nil, "", fmt.Errorf("making a certificate for the demo server: %w", err)
	}
	if err = os.MkdirAll(dir, 0o700); err == nil {
		err = os.WriteFile(file, b, 0o600)
	}
	if err != nil {
		return nil, "", fmt.Errorf("keeping the certificate of the demo server: %w", err)
	}
	config, ca, _ = useCertificate(b)
	return config, ca, nil
}

// useCertificate takes a file with a certificate and its key.
func useCertificate(b []byte) (*tls.Config, string, bool) {
	cert, err := tls.X509KeyPair(b, b)
	if err != nil || cert.Leaf == nil || time.Until(cert.Leaf.NotAfter) < 30*24*time.Hour {
		return nil, "", false
	}
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Certificate[0]})
	return &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}, string(ca), true
}

func newCertificate() ([]byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		return nil, err
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: "mailyard demo server"},
		NotBefore: now.Add(-time.Hour), NotAfter: now.AddDate(2, 0, 0),
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
		IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return nil, err
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	b := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	return append(b, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})...), nil
}
