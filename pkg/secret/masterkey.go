package secret

import (
	"bytes"
	"errors"
	"fmt"
	"os"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/tink"
)

// A MasterKey is the landlord's key. It wraps tenant keys and nothing else.
// Safe for concurrent use.
type MasterKey struct {
	handle *keyset.Handle
	aead   tink.AEAD
}

// GenerateMasterKey makes a new master key. Save keeps it.
func GenerateMasterKey() (*MasterKey, error) {
	h, err := keyset.NewHandle(aead.AES256GCMKeyTemplate())
	if err != nil {
		return nil, fmt.Errorf("generating master key: %w", err)
	}
	return newMasterKey(h)
}

func newMasterKey(h *keyset.Handle) (*MasterKey, error) {
	a, err := aead.New(h)
	if err != nil {
		return nil, fmt.Errorf("using master key: %w", err)
	}
	return &MasterKey{h, a}, nil
}

// Save writes the key, as a Tink JSON keyset in clear text, to a new file that
// only its owner may read. A file that exists is never overwritten: with the
// old key every tenant's secrets would be lost.
func (m *MasterKey) Save(path string) (err error) {
	var b bytes.Buffer
	if err := insecurecleartextkeyset.Write(m.handle, keyset.NewJSONWriter(&b)); err != nil {
		return fmt.Errorf("encoding master key: %w", err)
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("saving master key: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("saving master key: %w", err), os.Remove(path))
		}
	}()
	if _, err := f.Write(b.Bytes()); err != nil {
		return errors.Join(err, f.Close())
	}
	if err := f.Sync(); err != nil {
		return errors.Join(err, f.Close())
	}
	return f.Close()
}

// LoadMasterKey reads the key from its file, which nobody but the owner may
// read, or, when the owner is root and this process is not, its group: that is
// how Kubernetes hands a secret to a process that is not root.
func LoadMasterKey(path string) (*MasterKey, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("loading master key: %w", err)
	}
	if mode := info.Mode().Perm(); !private(mode, ownedByRoot(info) && os.Geteuid() != 0) {
		return nil, fmt.Errorf("loading master key: %s has mode %04o, so others than its owner may use it; run: chmod 600 %s", path, mode, path)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("loading master key: %w", err)
	}
	m, err := ParseMasterKey(NewString(string(text)))
	if err != nil {
		return nil, fmt.Errorf("loading master key from %s: %w", path, err)
	}
	return m, nil
}

// ParseMasterKey reads what Save writes, for deployments that hand secrets over
// in other ways than files.
func ParseMasterKey(text String) (*MasterKey, error) {
	// The reader's errors are left out: they may quote the input.
	h, err := insecurecleartextkeyset.Read(keyset.NewJSONReader(bytes.NewReader([]byte(text.Reveal()))))
	if err != nil {
		return nil, errors.New("it is not a Tink JSON keyset; restore the file from its backup (a new key cannot open the tenants' secrets)")
	}
	return newMasterKey(h)
}
