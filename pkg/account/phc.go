package account

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/crypto/argon2"
)

// A Cost is what hashing one password takes (RFC 9106, section 3.1).
type Cost struct {
	Memory  uint32 // KiB
	Passes  uint32
	Threads uint8
}

// DefaultCost is above the least that OWASP's cheat sheet on password storage
// advises (19 MiB, 2 passes, 1 thread).
func DefaultCost() Cost { return Cost{Memory: 32 << 10, Passes: 2, Threads: 1} }

// Limits of what is taken from the database, and sizes of what is put there.
const (
	maxMemory  = 256 << 10 // KiB
	maxPasses  = 16
	maxThreads = 16
	saltBytes  = 16
	hashBytes  = 32
)

// A phc is a hashed password: a PHC string of argon2id
// (https://github.com/P-H-C/phc-string-format).
type phc struct {
	cost       Cost
	salt, hash []byte
}

func hashPassword(cost Cost, password string) phc {
	p := phc{cost: cost, salt: make([]byte, saltBytes)}
	rand.Read(p.salt) // never fails
	p.hash = p.derive(password, hashBytes)
	return p
}

func (p phc) derive(password string, size int) []byte {
	return argon2.IDKey([]byte(password), p.salt, p.cost.Passes, p.cost.Memory, p.cost.Threads, uint32(size))
}

func (p phc) matches(password string) bool {
	return subtle.ConstantTimeCompare(p.derive(password, len(p.hash)), p.hash) == 1
}

func (p phc) String() string {
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, p.cost.Memory, p.cost.Passes, p.cost.Threads,
		b64.EncodeToString(p.salt), b64.EncodeToString(p.hash))
}

// errPHC does not quote what was read: it is next to a secret.
var errPHC = errors.New("the stored password is not a PHC string of argon2id")

// parsePHC reads what String writes, and nothing else.
func parsePHC(s string) (phc, error) {
	part := strings.Split(s, "$")
	if len(part) != 6 || part[0] != "" || part[1] != "argon2id" || part[2] != "v="+strconv.Itoa(argon2.Version) {
		return phc{}, errPHC
	}
	setting := strings.Split(part[3], ",")
	if len(setting) != 3 {
		return phc{}, errPHC
	}
	m, okM := number(setting[0], "m=", maxMemory)
	t, okT := number(setting[1], "t=", maxPasses)
	threads, okP := number(setting[2], "p=", maxThreads)
	if !okM || !okT || !okP || m < 8*threads {
		return phc{}, errPHC
	}
	b64 := base64.RawStdEncoding.Strict()
	salt, err := b64.DecodeString(part[4])
	if err != nil || len(salt) < 8 || len(salt) > 64 {
		return phc{}, errPHC
	}
	hash, err := b64.DecodeString(part[5])
	if err != nil || len(hash) < 16 || len(hash) > 64 {
		return phc{}, errPHC
	}
	p := phc{Cost{uint32(m), uint32(t), uint8(threads)}, salt, hash}
	if p.String() != s { // base64 skips line ends
		return phc{}, errPHC
	}
	return p, nil
}

// number reads key=n, 1 <= n <= limit, in the one way to write it.
func number(s, key string, limit uint64) (uint64, bool) {
	digits, ok := strings.CutPrefix(s, key)
	n, err := strconv.ParseUint(digits, 10, 32)
	return n, ok && err == nil && n >= 1 && n <= limit && strconv.FormatUint(n, 10) == digits
}
