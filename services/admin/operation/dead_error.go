package operation

import (
	"net/netip"
	"strings"

	"github.com/mailyard/mailyard/pkg/bus"
	"github.com/mailyard/mailyard/pkg/control"
	"github.com/mailyard/mailyard/schemas"
)

// restOfError stands for what is left out of an error.
const restOfError = "the landlord sees the rest"

// forActor leaves out of the error of a dead letter what is not for the people
// of a tenant: what drivers say names databases, hosts and users of the
// installation. The landlord sees all.
func forActor(a control.Actor, letter bus.DeadLetter) bus.DeadLetter {
	if a.Role != control.RoleLandlord {
		letter.Error = ownWords(letter.Stage, letter.Error)
	}
	return letter
}

// ownWords returns the parts of an error, from its beginning, that mailyard or
// the tenant's own mail server said. Behind the first part what the persister
// tells is its database's.
func ownWords(stage schemas.Stage, text string) string {
	parts := strings.Split(text, ": ")
	own := 0
	for own < len(parts) && !tellsOfNetwork(parts[own]) && (stage != schemas.StagePersister || own == 0) {
		own++
	}
	switch own {
	case len(parts):
		return text
	case 0:
		return "the " + string(stage) + " gave it up; " + restOfError
	}
	return strings.Join(parts[:own], ": ") + "; " + restOfError
}

// tellsOfNetwork reports whether a part of an error is a driver's or names what
// is in the network of the installation.
func tellsOfNetwork(part string) bool {
	lower := strings.ToLower(part)
	for _, sign := range []string{"dial ", "lookup ", "read tcp", "write tcp", "host=", "user=", "dbname=", "database=", "://", "sqlstate", "sqlite", "nats:", "redis:", " /"} {
		if strings.Contains(lower, sign) {
			return true
		}
	}
	for _, word := range strings.FieldsFunc(part, func(r rune) bool { return strings.ContainsRune(" ,;()\"'`<>=", r) }) {
		if _, err := netip.ParseAddr(strings.Trim(word, "[]")); err == nil && strings.ContainsAny(word, ".:") {
			return true
		}
		if _, err := netip.ParseAddrPort(word); err == nil {
			return true
		}
	}
	return false
}
