package secret

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"

	"github.com/tink-crypto/tink-go/v2/aead/aesgcm"
	"github.com/tink-crypto/tink-go/v2/insecuresecretdataaccess"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/secretdata"
)

// ErrNotAKey: what was supplied is no key.
var ErrNotAKey = errors.New("it is not 32 bytes in base64; make one with: openssl rand -base64 32")

// ImportTenantKey wraps a key that the landlord supplies: 32 bytes in base64,
// as `openssl rand -base64 32` prints them.
func (m *MasterKey) ImportTenantKey(tenant string, key String) (wrapped []byte, err error) {
	raw, err := base64.StdEncoding.DecodeString(strings.TrimSpace(key.Reveal()))
	if err != nil || len(raw) != 32 {
		// The decoder's error is left out: it may quote the input.
		return nil, fmt.Errorf("importing key of tenant %s: %w", tenant, ErrNotAKey)
	}
	h, err := suppliedKeyset(raw)
	if err != nil {
		return nil, fmt.Errorf("importing key of tenant %s: %w", tenant, err)
	}
	return m.wrap(tenant, h)
}

func suppliedKeyset(raw []byte) (*keyset.Handle, error) {
	parameters, err := aesgcm.NewParameters(aesgcm.ParametersOpts{
		KeySizeInBytes: len(raw), IVSizeInBytes: 12, TagSizeInBytes: 16, Variant: aesgcm.VariantTink})
	if err != nil {
		return nil, err
	}
	var id [4]byte
	rand.Read(id[:])
	k, err := aesgcm.NewKey(secretdata.NewBytesFromData(raw, insecuresecretdataaccess.Token{}), binary.BigEndian.Uint32(id[:])|1, parameters)
	if err != nil {
		return nil, err
	}
	manager := keyset.NewManager()
	keyID, err := manager.AddKey(k)
	if err != nil {
		return nil, err
	}
	if err := manager.SetPrimary(keyID); err != nil {
		return nil, err
	}
	return manager.Handle()
}
