package config

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
)

// checkCA checks that the text is PEM that holds certificates and nothing else.
// Of the text nothing is quoted: a private key may have been pasted.
func checkCA(text string) error {
	if len(text) > maxCA {
		return fmt.Errorf("has %d bytes; at most %d are allowed", len(text), maxCA)
	}
	rest := []byte(text)
	for n := 1; ; n++ {
		block, after := pem.Decode(rest)
		switch {
		case block == nil && n == 1:
			return errors.New("is not PEM: no -----BEGIN CERTIFICATE----- block found")
		case block == nil && strings.TrimSpace(string(rest)) != "":
			return fmt.Errorf("is not PEM: what follows block %d is not a certificate", n-1)
		case block == nil:
			return nil
		case strings.Contains(block.Type, "PRIVATE KEY"):
			return errors.New("holds a private key; give only the certificate of the authority")
		case block.Type != "CERTIFICATE":
			return fmt.Errorf("is not a certificate: block %d is of another type", n)
		}
		if _, err := x509.ParseCertificate(block.Bytes); err != nil {
			return fmt.Errorf("is not a certificate: block %d cannot be parsed", n)
		}
		rest = after
	}
}
