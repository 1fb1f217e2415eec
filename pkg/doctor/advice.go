package doctor

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/mailyard/mailyard/pkg/egress"
	"github.com/mailyard/mailyard/pkg/mailhost"
	"github.com/mailyard/mailyard/pkg/provider"
)

// advice says what to do about an error; detailed: to the landlord.
func (r *run) advice(p mailhost.Protocol, stage mailhost.Stage, err error, detailed bool) string {
	var refused *egress.RefusedError
	if errors.As(err, &refused) {
		if detailed {
			return "mail_networks and mail_ports in the settings of the installation say which servers and ports are allowed."
		}
		return "Mail servers must be on the internet, on the usual ports. Ask the landlord to allow this one."
	}
	var known *mailhost.Error
	if !errors.As(err, &known) {
		return ""
	}
	hint := sentence(known.Hint)
	switch known.Kind {
	case mailhost.KindCredentials:
		if p, ok := provider.OfHost(r.req.target(p).Host); ok && p.Note != "" && !strings.HasPrefix(known.Hint, "set ") {
			return sentence(mailhost.LoginHint("", known.Err.Error())) + " " + p.Note
		}
	case mailhost.KindFolder:
		if hint == "" {
			return "Check that the folder exists and that this account may use it."
		}
	case mailhost.KindThrottled:
		return fmt.Sprintf("The provider asks to wait %s. Try again then.", known.After.Round(time.Second))
	case mailhost.KindUnreachable:
		if stage == mailhost.StageConnect {
			return portAdvice(p, r.req.target(p).Port)
		}
		if hint == "" {
			return "Try again. If it stays so, somebody in between, such as a firewall, may be breaking the connection off."
		}
	}
	return hint
}

// portAdvice says which ports are usual.
func portAdvice(p mailhost.Protocol, port int) string {
	usual := "IMAP is usually on port 993 (ssl-on-connect) or 143 (start-tls)."
	if p == mailhost.SMTP {
		usual = "SMTP for sending is usually on port 587 (start-tls) or 465 (ssl-on-connect)."
	}
	switch {
	case port == 110 || port == 995:
		return fmt.Sprintf("Port %d is POP3's. %s", port, usual)
	case p == mailhost.IMAP && (port == 25 || port == 465 || port == 587):
		return fmt.Sprintf("Port %d is SMTP's. %s", port, usual)
	case p == mailhost.SMTP && (port == 143 || port == 993):
		return fmt.Sprintf("Port %d is IMAP's. %s", port, usual)
	case p == mailhost.SMTP && port == 25:
		return "Port 25 is for mail between servers and is often blocked. " + usual
	}
	return fmt.Sprintf("Check %s.host and %s.port, and whether a firewall is in between. %s", p, p, usual)
}

// sentence makes a sentence of a hint.
func sentence(hint string) string {
	if hint == "" {
		return ""
	}
	first, size := utf8.DecodeRuneInString(hint)
	if word, _, _ := strings.Cut(hint, " "); !strings.Contains(word, ".") { // not a setting's key
		hint = string(unicode.ToUpper(first)) + hint[size:]
	}
	return strings.TrimSuffix(hint, ".") + "."
}
