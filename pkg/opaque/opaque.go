package opaque

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"fmt"
)

// KeySize is the size of a key in bytes.
const KeySize = 32

// A Key seals the numbers of an installation. The zero value is not usable.
type Key struct{ secret [KeySize]byte }

// NewKey returns the key of KeySize random bytes.
func NewKey(secret []byte) (Key, error) {
	if len(secret) != KeySize {
		return Key{}, fmt.Errorf("a key of tokens has %d bytes, not %d", KeySize, len(secret))
	}
	return Key{[KeySize]byte(secret)}, nil
}

// Sealer returns the sealer of the numbers of a kind that a tenant may see. What
// one sealer sealed no other opens. kind has no NUL.
func (k Key) Sealer(kind, tenant string) Sealer {
	derived, err := hkdf.Key(sha256.New, k.secret[:], nil, kind+"\x00"+tenant, KeySize) // RFC 5869
	if err != nil {
		panic(err) // only for lengths that there are not here
	}
	block, err := aes.NewCipher(derived)
	if err != nil {
		panic(err) // likewise
	}
	return Sealer{block}
}

// A Sealer turns numbers into tokens and back. Safe for concurrent use.
type Sealer struct{ block cipher.Block }

// encoding is base32 in lower case, which stands anywhere in a URL.
var encoding = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// Seal returns the token of a number: 26 characters, always the same ones. It is
// one block of AES: the number, and eight zero bytes by which Open knows a token.
func (s Sealer) Seal(n int64) string {
	var b [aes.BlockSize]byte
	binary.BigEndian.PutUint64(b[:], uint64(n))
	s.block.Encrypt(b[:], b[:])
	return encoding.EncodeToString(b[:])
}

// Open is the reverse of Seal. It reports false for everything that Seal of this
// Sealer did not return; by guessing one of 2^64 tokens opens.
func (s Sealer) Open(token string) (n int64, ok bool) {
	b, err := encoding.DecodeString(token)
	if err != nil || len(b) != aes.BlockSize {
		return 0, false
	}
	s.block.Decrypt(b, b)
	n = int64(binary.BigEndian.Uint64(b))
	if s.Seal(n) != token { // the last bits of a token can be written in several ways
		return 0, false
	}
	return n, true
}
