package routing

import (
	"strings"

	"github.com/mailyard/mailyard/pkg/address"
	"github.com/mailyard/mailyard/pkg/message"
	"github.com/mailyard/mailyard/schemas"
)

// A recipient is an address of a mail and the folder that it names.
type recipient struct {
	address  string
	header   string
	envelope bool
	folder   int // index, or none
	rule     schemas.Rule
	storage  bool // a Delivered-To with the login address
}

// A source is a header field that routing looks at.
type source struct {
	name     string // canonical spelling
	envelope bool
}

func sourceOf(name string) (source, bool) {
	for _, s := range [...]source{
		{"To", false}, {"Cc", false}, {"Bcc", false},
		{"Resent-To", false}, {"Resent-Cc", false}, {"Resent-Bcc", false},
		{"Delivered-To", true}, {"X-Original-To", true}, {"Envelope-To", true}, {"X-Envelope-To", true},
	} {
		if len(s.name) == len(name) && strings.EqualFold(s.name, name) {
			return s, true
		}
	}
	return source{}, false
}

// collect returns the recipients of both sets in the order of the mail, each
// address once per field name.
func (t *Table) collect(h message.Header) []recipient {
	type identity struct {
		header string
		key    address.Key
	}
	var list []recipient
	var seen map[identity]struct{}
	top := topmostBlock(h.Fields)
	for i, f := range h.Fields {
		s, ok := sourceOf(f.Name)
		if !ok || s.envelope && i >= top {
			continue
		}
		for _, a := range address.ParseList(f.Value) {
			id := identity{s.name, a.Key()}
			if _, twice := seen[id]; twice {
				continue
			}
			if seen == nil {
				seen = make(map[identity]struct{}, 8)
			}
			seen[id] = struct{}{}
			list = append(list, t.recipient(a, id.key, s))
		}
	}
	return list
}

func (t *Table) recipient(a address.Address, key address.Key, s source) recipient {
	r := recipient{address: clip(a.Addr()), header: s.name, envelope: s.envelope}
	untagged, tagged := a.KeyWithoutTag()
	r.folder, r.rule = t.match(key, untagged, tagged)
	r.storage = s.name == "Delivered-To" && (t.logins[key] || tagged && t.logins[untagged])
	return r
}

// maxAddress is how many characters of an address a decision shows.
const maxAddress = 320

func clip(s string) string {
	if len(s) <= maxAddress {
		return s
	}
	n := 0
	for i := range s {
		if n == maxAddress {
			return s[:i]
		}
		n++
	}
	return s
}

// match returns the folder that an address names: exactly, or else without its tag.
func (t *Table) match(key, untagged address.Key, tagged bool) (int, schemas.Rule) {
	if i, ok := t.byAddress[key]; ok {
		return i, schemas.RuleExact
	}
	if tagged && t.plus {
		if i, ok := t.byAddress[untagged]; ok {
			return i, schemas.RulePlus
		}
	}
	return none, ""
}

// maxRecipients is how many recipients a decision lists.
const maxRecipients = 100

// explain lists what was looked at. A longer list is cut: recipients that name
// a folder come first then.
func (t *Table) explain(list []recipient, used func(recipient) bool) []schemas.Recipient {
	if len(list) == 0 {
		return nil
	}
	out := make([]schemas.Recipient, 0, min(len(list), maxRecipients))
	add := func(r recipient) {
		e := schemas.Recipient{Address: r.address, Header: r.header, Used: used(r)}
		if r.folder != none {
			e.Folder = t.folders[r.folder].ID
		}
		out = append(out, e)
	}
	if len(list) <= maxRecipients {
		for _, r := range list {
			add(r)
		}
		return out
	}
	for _, matched := range [...]bool{true, false} {
		for _, r := range list {
			if len(out) < maxRecipients && (r.folder != none) == matched {
				add(r)
			}
		}
	}
	return out
}
