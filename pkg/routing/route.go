package routing

import (
	"github.com/mailyard/mailyard/pkg/message"
	"github.com/mailyard/mailyard/schemas"
	"github.com/mailyard/mailyard/schemas/config"
)

// Route decides where a mail with this header belongs. It sets neither Revision
// nor ClassifiedAt. Its work grows with the length of the header only.
func (t *Table) Route(h message.Header) schemas.Decision {
	if len(h.Fields) == 0 {
		return schemas.Decision{Verdict: schemas.Invalid, Reason: schemas.ReasonUnparsable}
	}
	list := t.collect(h)
	used := t.deciding(list)
	d := schemas.Decision{Verdict: schemas.Invalid, Recipients: t.explain(list, used)}
	if t.isOwn(h) {
		d.Reason = schemas.ReasonLoop
		return d
	}
	if d.Clones = t.clones(list, used); len(d.Clones) == 0 {
		d.Reason = schemas.ReasonNoMatchingFolder
		return d
	}
	d.Verdict = schemas.Accepted
	return d
}

// deciding returns which of the recipients decide. In the mode auto nothing
// does when nothing names a folder.
func (t *Table) deciding(list []recipient) func(recipient) bool {
	var envelope, header, foreign bool // names a folder; one that does not bear the login address
	for _, r := range list {
		switch {
		case r.folder == none:
		case !r.envelope:
			header = true
		default:
			envelope = true
			foreign = foreign || !t.bearsLogin[r.folder]
		}
	}
	byEnvelope := func(r recipient) bool { return r.envelope && !(r.storage && foreign) }
	byHeader := func(r recipient) bool { return !r.envelope }
	switch {
	case t.recipients == config.RecipientsEnvelope:
		return byEnvelope
	case t.recipients == config.RecipientsHeaders:
		return byHeader
	case foreign:
		return byEnvelope
	case header:
		return byHeader
	case envelope:
		return byEnvelope
	}
	return func(recipient) bool { return false }
}

// clones returns one clone for each folder that a deciding recipient names,
// else one for the catch-all folder, if there is one.
func (t *Table) clones(list []recipient, used func(recipient) bool) []schemas.Clone {
	best := make([]int, len(t.folders)) // index in list + 1 of the explanation
	n := 0
	for i, r := range list {
		if r.folder == none || !used(r) {
			continue
		}
		switch old := best[r.folder]; {
		case old == 0:
			best[r.folder] = i + 1
			n++
		case list[old-1].rule == schemas.RulePlus && r.rule == schemas.RuleExact:
			best[r.folder] = i + 1
		}
	}
	if n == 0 {
		return t.unmatched()
	}
	clones := make([]schemas.Clone, 0, n)
	for i, f := range t.folders {
		if best[i] == 0 {
			continue
		}
		r := list[best[i]-1]
		clones = append(clones, schemas.Clone{Folder: f.ID, FolderName: f.Name, Address: r.address, Header: r.header, Rule: r.rule})
	}
	return clones
}

func (t *Table) unmatched() []schemas.Clone {
	if t.catchAll == none {
		return nil
	}
	f := t.folders[t.catchAll]
	return []schemas.Clone{{Folder: f.ID, FolderName: f.Name, Rule: schemas.RuleCatchAll}}
}
