package account

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base32"
	"strings"

	"github.com/mailyard/mailyard/pkg/secret"
)

// What tickets begin with. A secret scanner finds them by it.
const (
	tokenPrefix   = "myd_"
	sessionPrefix = "mys_"
	linkPrefix    = "myl_"
)

// A ticket is a session's cookie, an API token, or the secret of a one-time
// link: "myd_", an id of 80 bits by which it is found, "_", and a secret of 256
// bits by which it is recognised. The database has the id, and of the secret
// only a hash.
type ticket struct {
	prefix string
	id     string
	secret [32]byte
}

// alphabet writes tickets and ids: lower case, no padding, nothing that a URL or
// a cookie would escape.
var alphabet = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

const (
	idBytes = 10
	idChars = 16
)

func newTicket(prefix string) ticket {
	t := ticket{prefix: prefix}
	id := make([]byte, idBytes)
	rand.Read(id) // never fails
	rand.Read(t.secret[:])
	t.id = alphabet.EncodeToString(id)
	return t
}

func (t ticket) text() secret.String {
	return secret.NewString(t.prefix + t.id + "_" + alphabet.EncodeToString(t.secret[:]))
}

// hash is what is stored. It needs no salt and no cost: nobody guesses 256 bits.
func (t ticket) hash() []byte {
	sum := sha256.Sum256(t.secret[:])
	return sum[:]
}

// matches compares with a stored hash; nil matches nothing.
func (t ticket) matches(stored []byte) bool {
	return subtle.ConstantTimeCompare(t.hash(), stored) == 1
}

// parseTicket reads what text wrote, in the one way to write it.
func parseTicket(prefix, s string) (ticket, bool) {
	t := ticket{prefix: prefix}
	rest, ok := strings.CutPrefix(s, prefix)
	id, text, separated := strings.Cut(rest, "_")
	if !ok || !separated || !isID(id) || len(text) != alphabet.EncodedLen(len(t.secret)) {
		return ticket{}, false
	}
	raw, err := alphabet.DecodeString(text)
	if err != nil || len(raw) != len(t.secret) {
		return ticket{}, false
	}
	t.id = id
	copy(t.secret[:], raw)
	if t.text().Reveal() != s { // base32 skips line ends, and ignores bits at the end
		return ticket{}, false
	}
	return t, true
}

func isID(s string) bool {
	raw, err := alphabet.DecodeString(s)
	return err == nil && len(s) == idChars && len(raw) == idBytes && alphabet.EncodeToString(raw) == s
}
