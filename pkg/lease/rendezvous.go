package lease

// Rendezvous hashing (highest random weight): every replica computes the same
// owner of a resource from the same view, and a replica that comes or goes moves
// only its own share.

// owner returns the member of view that a resource belongs to. View is not empty.
func owner(view []member, resource string) string {
	key := hash(resource)
	var best member
	var top uint64
	for i, m := range view {
		if w := mix(m.hash ^ key); i == 0 || w > top || w == top && m.id < best.id {
			best, top = m, w
		}
	}
	return best.id
}

// A member is a live replica.
type member struct {
	id   string
	hash uint64
}

func newMember(id string) member { return member{id, mix(hash(id))} }

// hash is FNV-1a, 64 bits.
func hash(s string) uint64 {
	h := uint64(0xcbf29ce484222325)
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 0x100000001b3
	}
	return h
}

// mix is the finalizer of SplitMix64: every bit of x moves every bit of the result.
func mix(x uint64) uint64 {
	x ^= x >> 30
	x *= 0xbf58476d1ce4e5b9
	x ^= x >> 27
	x *= 0x94d049bb133111eb
	return x ^ x>>31
}
