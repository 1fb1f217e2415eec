package config

import (
	"strings"

	"github.com/mailyard/mailyard/schemas/config"
)

// NewDestination returns the paths of the settings by which after would send
// the mailbox's password elsewhere than before, or with less protection: another
// server or account, a connection that need not be encrypted from the first
// byte, or another authority that vouches for the server. A password that was
// entered for before must not be used for after.
func NewDestination(before, after Mailbox) []string {
	var paths []string
	add := func(changed bool, path string) {
		if changed {
			paths = append(paths, path)
		}
	}
	for _, s := range []struct {
		path          string
		before, after config.Server
		port          int // where auto means TLS from the first byte
	}{{"imap", before.IMAP, after.IMAP, 993}, {"smtp", before.SMTP, after.SMTP, 465}} {
		if s.after.Host == "" {
			continue // nothing is sent there
		}
		add(!strings.EqualFold(s.before.Host, s.after.Host), s.path+".host")
		add(s.before.Port != s.after.Port, s.path+".port")
		add(atOnce(s.before, s.port) && !atOnce(s.after, s.port), s.path+".security")
		add(s.before.CA != s.after.CA, s.path+".ca")
	}
	add(before.Username != after.Username, "username")
	return paths
}

// atOnce reports whether nothing is ever sent in the clear. With STARTTLS that
// depends on the hosts for which the landlord allows clear text.
func atOnce(s config.Server, port int) bool {
	return s.Security == config.SecurityTLS || s.Security == config.SecurityAuto && s.Port == port
}
