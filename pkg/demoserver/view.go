package demoserver

import (
	"slices"

	"github.com/emersion/go-imap/v2"
)

type flagChange struct {
	seq   uint32
	uid   imap.UID
	flags flags
}

// catchUp brings the view up to date and returns what the client is to be told,
// in this order: expunged sequence numbers, each after those before it were
// taken out; the new number of mails, 0 when it did not grow; changed flags. The
// account's lock is held.
func (s *session) catchUp(allowExpunge bool) (expunged []uint32, changed []flagChange, exists uint32) {
	f := s.folder
	if f == nil || f.changes == s.known {
		return nil, nil, 0
	}
	gone := false
	for i := len(s.view) - 1; i >= 0; i-- {
		if !s.view[i].gone {
			continue
		}
		if gone = true; allowExpunge {
			expunged = append(expunged, uint32(i+1))
		}
	}
	if allowExpunge {
		s.view = slices.DeleteFunc(s.view, func(v viewed) bool { return v.gone })
	}
	for i := range s.view {
		v := &s.view[i]
		if !v.gone && v.told != v.flags {
			v.told = v.flags
			changed = append(changed, flagChange{uint32(i + 1), imap.UID(v.uid), v.flags})
		}
	}
	for _, m := range f.mails {
		if m.uid > s.highest {
			s.view = append(s.view, viewed{m, m.flags})
			exists = uint32(len(s.view))
		}
	}
	s.highest = f.next - 1
	if !gone || allowExpunge {
		s.known = f.changes
	}
	return expunged, changed, exists
}

// An entry is a mail of the view with its sequence number.
type entry struct {
	seq uint32
	*mail
}

// pick returns the mails of the view that a set names; the account's lock is held.
func (s *session) pick(set imap.NumSet) []entry {
	var list []entry
	contains := s.matcher(set)
	for i, v := range s.view {
		if !v.gone && contains(uint32(i+1), v.uid) {
			list = append(list, entry{uint32(i + 1), v.mail})
		}
	}
	return list
}

// matcher returns what reports whether a set names a mail; "*" is the last one.
func (s *session) matcher(set imap.NumSet) func(seq, uid uint32) bool {
	var last uint32
	if n := len(s.view); n > 0 {
		last = s.view[n-1].uid
	}
	switch set := set.(type) {
	case imap.SeqSet:
		var fixed imap.SeqSet
		for _, r := range set {
			fixed.AddRange(fix(r.Start, uint32(len(s.view))), fix(r.Stop, uint32(len(s.view))))
		}
		return func(seq, _ uint32) bool { return fixed.Contains(seq) }
	case imap.UIDSet:
		var fixed imap.UIDSet
		for _, r := range set {
			fixed.AddRange(imap.UID(fix(uint32(r.Start), last)), imap.UID(fix(uint32(r.Stop), last)))
		}
		return func(_, uid uint32) bool { return fixed.Contains(imap.UID(uid)) }
	}
	return func(_, _ uint32) bool { return false }
}

// fix replaces "*".
func fix(n, last uint32) uint32 {
	if n == 0 {
		return max(last, 1)
	}
	return n
}
