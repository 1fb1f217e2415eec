package provider

import (
	"slices"
	"strings"

	"golang.org/x/net/publicsuffix"

	"github.com/mailyard/mailyard/schemas/config"
)

// A known provider. IMAP is on port 993.
type known struct {
	name       string
	imap, smtp string
	port       int      // of SMTP: 465 or 587
	domains    []string // of its addresses
	families   []string // "yahoo" for yahoo.com, yahoo.de, yahoo.co.uk and so on
	mx         []string // domains of the servers that mail for customers' domains goes to
	note       string
}

func (p known) settings(source string) Settings {
	s := Settings{Name: p.name, Note: p.note, Source: source}
	if p.imap != "" {
		s.IMAP = Server{p.imap, 993, config.SecurityAuto}
	}
	if p.smtp != "" {
		s.SMTP = Server{p.smtp, p.port, config.SecurityAuto}
	}
	return s
}

// has reports whether a domain is one of the provider's own.
func (p known) has(domain string) bool {
	if slices.Contains(p.domains, domain) {
		return true
	}
	first, rest, _ := strings.Cut(domain, ".")
	if !slices.Contains(p.families, first) {
		return false
	}
	suffix, icann := publicsuffix.PublicSuffix(domain)
	return icann && suffix == rest
}

// receives reports whether a host takes the mail of customers' domains.
func (p known) receives(host string) bool {
	return slices.ContainsFunc(p.mx, func(domain string) bool { return within(host, domain) })
}

const (
	noteGoogle    = "Google takes app passwords only. Turn on 2-Step Verification for the account, then make one at https://myaccount.google.com/apppasswords. In Google Workspace an administrator must allow IMAP."
	noteMicrosoft = "Microsoft takes no passwords for IMAP any more (basic authentication is switched off). This mailbox needs OAuth 2.0, or mail forwarded to another mailbox."
	noteYahoo     = "An app password is needed: Account security, Generate app password."
	noteApple     = "An app-specific password is needed: make one at https://account.apple.com, Sign-In and Security."
	noteSwitchOn  = "Access by IMAP must be switched on in the settings of the mailbox."
	noteBoth      = noteSwitchOn + " With two-factor authentication an app password is needed."
	noteAppOnly   = "An app password is needed; make one in the security settings of the account."
)
