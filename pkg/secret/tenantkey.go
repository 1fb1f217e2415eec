package secret

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/core/cryptofmt"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/tink"
)

// ErrUndecryptable is wrapped by errors about a ciphertext that the key at hand
// does not open: it was altered, copied from elsewhere, or another key made it.
var ErrUndecryptable = errors.New("it was altered, belongs elsewhere, or was encrypted with another key")

// A TenantKey is a Tenant Encryption Key. It seals with its newest version and
// opens with every version that it holds. Safe for concurrent use.
type TenantKey struct {
	tenant  string
	primary uint32
	handle  *keyset.Handle
	aead    tink.AEAD
}

// NewTenantKey generates a key for the tenant and returns it wrapped.
func (m *MasterKey) NewTenantKey(tenant string) (wrapped []byte, err error) {
	h, err := keyset.NewHandle(aead.AES256GCMKeyTemplate())
	if err != nil {
		return nil, fmt.Errorf("generating key of tenant %s: %w", tenant, err)
	}
	return m.wrap(tenant, h)
}

// RotateTenantKey adds a new version, which seals from now on. What the older
// ones sealed still opens, until RetireTenantKeys.
func (m *MasterKey) RotateTenantKey(tenant string, wrapped []byte) ([]byte, error) {
	k, err := m.TenantKey(tenant, wrapped)
	if err != nil {
		return nil, err
	}
	manager := keyset.NewManagerFromHandle(k.handle)
	id, err := manager.Add(aead.AES256GCMKeyTemplate())
	if err != nil {
		return nil, fmt.Errorf("rotating key of tenant %s: %w", tenant, err)
	}
	if err := manager.SetPrimary(id); err != nil {
		return nil, fmt.Errorf("rotating key of tenant %s: %w", tenant, err)
	}
	h, err := manager.Handle()
	if err != nil {
		return nil, fmt.Errorf("rotating key of tenant %s: %w", tenant, err)
	}
	return m.wrap(tenant, h)
}

// RetireTenantKeys destroys every version but the newest. What they sealed
// opens no more: re-encrypt everything before.
func (m *MasterKey) RetireTenantKeys(tenant string, wrapped []byte) ([]byte, error) {
	k, err := m.TenantKey(tenant, wrapped)
	if err != nil {
		return nil, err
	}
	manager := keyset.NewManagerFromHandle(k.handle)
	for i := range k.handle.Len() {
		old, err := k.handle.Entry(i)
		if err != nil {
			return nil, fmt.Errorf("retiring old keys of tenant %s: %w", tenant, err)
		}
		if old.KeyID() == k.primary {
			continue
		}
		if err := manager.Delete(old.KeyID()); err != nil {
			return nil, fmt.Errorf("retiring old keys of tenant %s: %w", tenant, err)
		}
	}
	h, err := manager.Handle()
	if err != nil {
		return nil, fmt.Errorf("retiring old keys of tenant %s: %w", tenant, err)
	}
	return m.wrap(tenant, h)
}

// TenantKey unwraps a tenant's key.
func (m *MasterKey) TenantKey(tenant string, wrapped []byte) (*TenantKey, error) {
	h, err := keyset.ReadWithAssociatedData(keyset.NewBinaryReader(bytes.NewReader(wrapped)), m.aead, wrapContext(tenant))
	if err != nil {
		return nil, fmt.Errorf("unwrapping key of tenant %s with the master key: %w", tenant, ErrUndecryptable)
	}
	primary, err := h.Primary()
	if err != nil {
		return nil, fmt.Errorf("unwrapping key of tenant %s: %w", tenant, err)
	}
	a, err := aead.New(h)
	if err != nil {
		return nil, fmt.Errorf("using key of tenant %s: %w", tenant, err)
	}
	return &TenantKey{tenant, primary.KeyID(), h, a}, nil
}

func (m *MasterKey) wrap(tenant string, h *keyset.Handle) ([]byte, error) {
	var b bytes.Buffer
	if err := h.WriteWithAssociatedData(keyset.NewBinaryWriter(&b), m.aead, wrapContext(tenant)); err != nil {
		return nil, fmt.Errorf("wrapping key of tenant %s: %w", tenant, err)
	}
	return b.Bytes(), nil
}

func wrapContext(tenant string) []byte { return []byte("tenant:" + tenant) }

// ID names the version that seals, in hex. It is not secret.
func (k *TenantKey) ID() string { return fmt.Sprintf("%08x", k.primary) }

// Prefix returns what every ciphertext of a version begins with, and no
// ciphertext of another version: Tink's output prefix, the version's id behind
// a byte of one. keyID is what ID returns.
func Prefix(keyID string) ([]byte, error) {
	id, err := hex.DecodeString(keyID)
	if err != nil || len(id) != 4 {
		return nil, fmt.Errorf("%q is not the id of a key", keyID)
	}
	return append([]byte{cryptofmt.TinkStartByte}, id...), nil
}

// Seal encrypts a mailbox's password. The ciphertext opens only for the same
// tenant and mailbox.
func (k *TenantKey) Seal(tenant, mailbox string, s String) ([]byte, error) {
	if tenant != k.tenant {
		return nil, fmt.Errorf("sealing password of %s/%s: the key is of tenant %s", tenant, mailbox, k.tenant)
	}
	ciphertext, err := k.aead.Encrypt([]byte(s.Reveal()), sealContext(tenant, mailbox))
	if err != nil {
		return nil, fmt.Errorf("sealing password of %s/%s: %w", tenant, mailbox, err)
	}
	return ciphertext, nil
}

// Open decrypts a mailbox's password.
func (k *TenantKey) Open(tenant, mailbox string, ciphertext []byte) (String, error) {
	text, err := k.aead.Decrypt(ciphertext, sealContext(tenant, mailbox))
	if err != nil || tenant != k.tenant {
		return String{}, fmt.Errorf("opening password of %s/%s: %w", tenant, mailbox, ErrUndecryptable)
	}
	return NewString(string(text)), nil
}

// sealContext is what a password's ciphertext is bound to. Slugs hold no slash.
func sealContext(tenant, mailbox string) []byte {
	return []byte("password:" + tenant + "/" + mailbox)
}
