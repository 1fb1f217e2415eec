package imapconn

import (
	"slices"
	"strconv"
	"strings"

	"github.com/emersion/go-imap/v2"
)

const (
	maxSetBytes = 8000 // of one UID set in a command: the least that servers in use take
	maxSetUIDs  = 500  // of one command that moves: more gains nothing and makes a retry dear
	maxUIDs     = 5_000_000
)

// normalize returns the UIDs ascending, without duplicates and without 0.
func normalize(uids []uint32) []uint32 {
	uids = slices.Compact(slices.Sorted(slices.Values(uids)))
	if len(uids) > 0 && uids[0] == 0 {
		uids = uids[1:]
	}
	return uids
}

// chunks splits ascending UIDs so that each part has at most n of them and a set
// that fits into one command.
func chunks(uids []uint32, n int) [][]uint32 {
	var parts [][]uint32
	start, size := 0, 0
	for i, uid := range uids {
		if i == start || uid != uids[i-1]+1 {
			size += 22 // "4294967295:4294967295,": a new range
		}
		if i-start >= n || size > maxSetBytes {
			parts = append(parts, uids[start:i])
			start, size = i, 22
		}
	}
	if start < len(uids) {
		parts = append(parts, uids[start:])
	}
	return parts
}

// uidSet turns ascending UIDs into a set.
func uidSet(uids []uint32) imap.UIDSet {
	var set imap.UIDSet
	for i := 0; i < len(uids); {
		j := i + 1
		for j < len(uids) && uids[j] == uids[j-1]+1 {
			j++
		}
		set = append(set, imap.UIDRange{Start: imap.UID(uids[i]), Stop: imap.UID(uids[j-1])})
		i = j
	}
	return set
}

// expand lists the UIDs of a set that a server sent, ascending within each
// range, at most limit: a range such as 1:4294967295 must not fill the memory.
func expand(set imap.UIDSet, limit int) (uids []uint32, ok bool) {
	for _, r := range set {
		if r.Start == 0 || r.Stop < r.Start || uint64(r.Stop)-uint64(r.Start) >= uint64(limit-len(uids)) {
			return uids, false
		}
		for uid := uint64(r.Start); uid <= uint64(r.Stop); uid++ {
			uids = append(uids, uint32(uid))
		}
	}
	return uids, true
}

// A copyUID is a COPYUID response code (RFC 4315, section 3): what was copied,
// and what it became in the destination.
type copyUID struct {
	uidvalidity uint32 // of the destination
	source      []uint32
	dest        []uint32
}

// parseCopyUID parses the arguments of a COPYUID code. Sets of different size,
// which cannot be true, are refused.
func parseCopyUID(args string) (copyUID, bool) {
	fields := strings.Fields(args)
	if len(fields) != 3 {
		return copyUID{}, false
	}
	v, err := strconv.ParseUint(fields[0], 10, 32)
	source, ok1 := parseUIDs(fields[1])
	dest, ok2 := parseUIDs(fields[2])
	if err != nil || !ok1 || !ok2 || len(source) != len(dest) {
		return copyUID{}, false
	}
	return copyUID{uint32(v), source, dest}, true
}

func parseUIDs(s string) ([]uint32, bool) {
	const limit = 100_000 // far above what one of our commands names
	var uids []uint32
	for part := range strings.SplitSeq(s, ",") {
		from, to, isRange := strings.Cut(part, ":")
		if !isRange {
			to = from
		}
		a, err1 := strconv.ParseUint(from, 10, 32)
		b, err2 := strconv.ParseUint(to, 10, 32)
		if a > b {
			a, b = b, a
		}
		if err1 != nil || err2 != nil || a == 0 || b-a >= uint64(limit-len(uids)) {
			return nil, false
		}
		for ; a <= b; a++ {
			uids = append(uids, uint32(a))
		}
	}
	return uids, true
}
